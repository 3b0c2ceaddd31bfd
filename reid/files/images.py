"""Image archives (a folder or a zip), decoding with errors that name the file, and zips with the same bytes each time.

Images are numpy arrays of shape (H, W, 3), uint8, RGB. In tensors they are NCHW, RGB, float in [-1, 1].
"""

from __future__ import annotations

import io
import lzma
import os
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from reid.common import atomic
from reid.common.below import below
from reid.common.debris import is_debris
from reid.common.errors import InputError

if TYPE_CHECKING:  # torch takes seconds and half a gigabyte; processes that only read or write files do without
    from torch import Tensor

# zip stores a time stamp with each member; a fixed one makes equal contents equal bytes.
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
SUFFIXES = re.compile(r"(\.jpe?g(?=\.jpe?g$))?\.[^./]+$", re.IGNORECASE)  # of a name, one or two
FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "TIFF")
MOST_PIXELS = 64_000_000  # of an image: 192 MB decoded
MOST_BYTES = 1 << 29  # of a file that is read whole, unpacked


# What reading a damaged, encrypted or oddly compressed member raises.
UNREADABLE = (OSError, EOFError, RuntimeError, ValueError, zipfile.BadZipFile, zlib.error, lzma.LZMAError)


class ImageError(InputError):
    """An image or archive that cannot be read; the message names the file and says what is wrong with it."""


class Archive:
    """Read access to the files below a folder or inside a zip, by their relative POSIX path."""

    def __init__(self, path: str | Path):
        self.path = Path(path)
        if not self.path.exists():
            raise FileNotFoundError(f"{self.path} does not exist: expected a folder or a zip of images; check the path")
        self._zip: zipfile.ZipFile | None = None
        self._files = list[tuple[str, zipfile.ZipInfo]]()  # of the zip, by their names with / between folders
        if not self.path.is_dir():
            try:
                self._zip = zipfile.ZipFile(self.path)
            except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
                raise ImageError(
                    f"{self.path} is neither a folder nor a readable zip ({error}); replace it or give another path"
                ) from error
            # Some programs for Windows write \ between folders.
            named = ((member.filename.replace("\\", "/"), member) for member in self._zip.infolist())
            self._files = [(name, member) for name, member in named if not name.endswith("/")]
        self._members = dict(self._files)

    def names(self, debris: bool = False) -> list[str]:
        """Paths of all files below the folder, links followed, or in the zip, sorted.

        Only if wanted with `reid.common.debris`. A link that leads nowhere is among them: reading it says so.

        Raises:
            InputError: a name is not UTF-8, as of a zip with names in another encoding that was unpacked.
        """
        if self._zip is None:
            names: Iterable[str] = (file.relative_to(self.path).as_posix() for file in below(self.path, debris))
        else:
            names = (name for name, _ in self._files)
        kept = sorted(name for name in names if debris or not is_debris(name))
        for name in kept:
            if not name.isprintable() and any("\udc80" <= letter <= "\udcff" for letter in name):
                raise InputError(
                    f"{self.path}: the file name {os.fsencode(name)!r} is not UTF-8: rename the file (convmv renames "
                    "many), or unpack the archive anew with its names' encoding"
                )
        return kept

    def read(self, name: str) -> bytes:
        """The bytes of one file; raises ImageError naming archive and file where it is missing or cannot be read."""
        try:
            file = self.path / PurePosixPath(name)
            size = file.stat().st_size if self._zip is None else self._members[name].file_size
            if size > MOST_BYTES:
                raise ImageError(
                    f"{self.path}: {name} has {size:,} bytes unpacked, more than the {MOST_BYTES:,} that are read"
                )
            return file.read_bytes() if self._zip is None else self._zip.read(self._members[name])
        except ImageError:
            raise
        except KeyError as error:
            raise ImageError(f"{self.path}: cannot read {name}: there is no such file in it") from error
        except UNREADABLE as error:
            raise ImageError(f"{self.path}: cannot read {name}: {error}") from error

    def image(self, name: str) -> NDArray[np.uint8]:
        """One decoded image (H, W, 3), uint8 RGB; raises ImageError naming archive and file where it is damaged."""
        return decode(self.read(name), f"{self.path}: {name}")

    def size(self, name: str) -> tuple[int, int]:
        """(H, W) of an image in pixels, as `stored_size`; raises ImageError as `image` does."""
        return stored_size(io.BytesIO(self.read(name)), f"{self.path}: {name}")

    def close(self) -> None:
        """Close the zip; a folder needs nothing."""
        if self._zip is not None:
            self._zip.close()

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def stored_sizes(archives: Iterable[str], names: Iterable[str]) -> list[tuple[int, int]]:
    """(H, W) in pixels of many images as they are stored; arguments as of `load`."""
    archives, names = list(archives), list(names)
    with ExitStack() as stack:
        opened = {path: stack.enter_context(Archive(path)) for path in sorted(set(archives))}
        return [opened[path].size(name) for path, name in zip(archives, names, strict=True)]


def decode(data: bytes, name: str) -> NDArray[np.uint8]:
    """Decode an image file to (H, W, 3) uint8 RGB, as a viewer shows it.

    It is turned as its camera says (EXIF), what is transparent is white, and 16 bits a channel become 8: grey values
    above 255 are taken for such, and larger ones than 65,535 are cut off. Of several frames it is the first. Colour
    profiles are not applied.

    Raises:
        ImageError: with `name`: the file is truncated, of none of FORMATS, or has more than MOST_PIXELS.

    Example:
        >>> decode(encode_jpeg(np.zeros((128, 64, 3), np.uint8)), "black.jpg").shape
        (128, 64, 3)
    """
    with _opened(io.BytesIO(data), name) as image:
        shown = ImageOps.exif_transpose(image) if _orientation(image) > 1 else image
        if shown.mode.startswith("I"):  # 16 bits, which Pillow would cut off at 255
            grey = np.asarray(shown).astype(np.int64)
            wide = shown.mode != "I" or int(grey.max(initial=0)) > 255
            shown = Image.fromarray((grey.clip(0, 65535) // 257 if wide else grey.clip(0, 255)).astype(np.uint8))
        if shown.mode == "F":
            raise ImageError(f"{name}: has floating point numbers for pixels, whose range is not known: store 8 bits")
        if shown.has_transparency_data:
            rgba = shown.convert("RGBA")
            shown = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
        return np.asarray(shown.convert("RGB"))


def stored_size(file: Path | io.BytesIO, name: str = "") -> tuple[int, int]:
    """(H, W) of an image file in pixels, from its header, as `decode` gives it; raises ImageError as that does."""
    with _opened(file, name or str(file)) as image:
        turned = _orientation(image) >= 5  # by a quarter
        return (image.width, image.height) if turned else (image.height, image.width)


def _orientation(image: Image.Image) -> int:
    """How the camera was held, 1 (upright) to 8, as its EXIF says; in a PNG where that comes before the pixels."""
    if image.format == "PNG" and "exif" not in image.info:
        return 1  # Pillow would decode the whole picture to look for it
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of damaged EXIF, which then says nothing
        told = image.getexif().get(ExifTags.Base.Orientation, 1)
    return told if isinstance(told, int) else 1


@contextmanager
def _opened(file: Path | io.BytesIO, name: str) -> Iterator[Image.Image]:
    """An image file, opened in one of FORMATS (others may run programs); whatever goes wrong is an ImageError."""
    if isinstance(file, io.BytesIO) and not file.getbuffer().nbytes:
        raise ImageError(f"{name}: the file is empty (0 bytes)")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # MOST_PIXELS is the bound here
            warnings.simplefilter("ignore", UserWarning)  # of tags that are damaged
            image = Image.open(file, formats=FORMATS)
        with image:
            if image.width * image.height > MOST_PIXELS:
                shape = f"{image.width} x {image.height} pixels"
                raise ImageError(
                    f"{name}: has {shape}, more than {MOST_PIXELS:,}, which are not decoded: make it smaller"
                )
            yield image
    except ImageError:
        raise
    except UnidentifiedImageError as error:
        raise ImageError(f"{name}: not a whole image (it is none of {', '.join(FORMATS)})") from error
    except (
        Image.DecompressionBombError,
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        OverflowError,
        struct.error,
    ) as error:
        raise ImageError(f"{name}: not a whole image ({error})") from error


def encode_jpeg(image: NDArray[np.uint8], quality: int = 95) -> bytes:
    """Encode (H, W, 3) uint8 RGB as JPEG."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def encode_png(image: NDArray[np.uint8]) -> bytes:
    """Encode (H, W, 3) uint8 RGB as PNG."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


def write_zip(path: Path, members: Iterable[tuple[str, bytes]]) -> None:
    """Write (name, bytes) members, stored, to a zip that is there only when it is whole; see `atomic.replacing`."""
    if path.is_dir():
        raise InputError(f"{path} is a folder, where a zip is to be written; remove it, or choose another name")
    with atomic.replacing(path) as new, zipfile.ZipFile(new, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name, ZIP_EPOCH), data)


def write_folder(path: Path, members: Iterable[tuple[str, bytes]]) -> None:
    """Write (name, bytes) members to files below a folder that is there only when it is whole.

    Raises:
        InputError: there is something at `path`, or see `atomic.replacing`.
    """
    atomic.refuse_existing(path)
    with atomic.replacing(path) as new:
        new.mkdir()
        for name, data in members:
            file = new / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)


def zip_members(paths: Iterable[Path]) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of the members of zips, one zip after the other, in the order they were written in."""
    for path in paths:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                yield name, archive.read(name)


def without_suffix(image: str) -> str:
    """An image's name without its suffix, or without both: Market-1501 has names that end in `.jpg.jpg`.

    Example:
        >>> without_suffix("query/0002_c1s1_000451_03.jpg"), without_suffix("query/0002_c1s1_000451_03.jpg.jpg")
        ('query/0002_c1s1_000451_03', 'query/0002_c1s1_000451_03')
    """
    return SUFFIXES.sub("", image)


def generated_name(image: str, draw: int) -> str:
    """Name of a generated image, from its source's name and the number of its draw.

    The draw is a suffix because every Re-ID library's reader then finds the source's identity and camera in the name.

    Example:
        >>> generated_name("bounding_box_train/0002_c1s1_000451_03.jpg", draw=1)
        'bounding_box_train/0002_c1s1_000451_03_g01.jpg'
    """
    return f"{without_suffix(image)}_g{draw:02d}.jpg"


def background_name(image: str) -> str:
    """Name of an image's background: the same scene without the person.

    Backgrounds lie in a folder beside the image's own, as in rendered data sets and in an imported PRW.

    Example:
        >>> background_name("bounding_box_train/0002_c1s1_000451_03.jpg")
        'backgrounds/0002_c1s1_000451_03.jpg'
    """
    path = PurePosixPath(image)
    return (path.parent.parent / "backgrounds" / f"{without_suffix(path.name)}.jpg").as_posix()


def load(archives: Iterable[str], names: Iterable[str], size: tuple[int, int]) -> Tensor:
    """Read many images into one tensor.

    Args:
        archives: for each image the path of the archive that holds it.
        names: for each image its path inside that archive.
        size: (H, W) in pixels; an image of another size is resized (bicubic).

    Returns:
        (N, 3, H, W) uint8 RGB, in the order given. An image of 128x64 takes 24.6 kB, Market-1501's training set 0.3 GB.
    """
    import torch

    archives, names = list(archives), list(names)
    opened = {path: Archive(path) for path in sorted(set(archives))}
    height, width = size
    images = np.empty((len(names), 3, height, width), np.uint8)

    try:
        # One after the other: for crops of people, threads that wait for each other's archive take longer.
        for index, (path, name) in enumerate(zip(archives, names, strict=True)):
            image = opened[path].image(name)
            if image.shape[:2] != (height, width):
                image = np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC))
            images[index] = image.transpose(2, 0, 1)
    finally:
        for archive in opened.values():
            archive.close()
    return torch.from_numpy(images)


def to_float(images: Tensor) -> Tensor:
    """Images in uint8, 0..255, as float in [-1, 1]; any shape.

    Example:
        >>> import torch
        >>> to_float(torch.tensor([0, 255], dtype=torch.uint8))
        tensor([-1.,  1.])
    """
    return images.float() / 127.5 - 1


def to_uint8(images: Tensor) -> Tensor:
    """Images in float, [-1, 1], as uint8 in 0..255, rounded and clipped; any shape. The inverse of `to_float`.

    Example:
        >>> import torch
        >>> to_uint8(torch.tensor([-1.0, 0.0, 1.0, 1.5]))
        tensor([  0, 128, 255, 255], dtype=torch.uint8)
    """
    return ((images + 1) * 127.5).round().clamp(0, 255).byte()


def pictures(images: Tensor) -> list[NDArray[np.uint8]]:
    """Images (B, 3, H, W) in float, [-1, 1], as B pictures (H, W, 3) in 0..255, on the CPU."""
    return list(to_uint8(images).permute(0, 2, 3, 1).cpu().numpy())
