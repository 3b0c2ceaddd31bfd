import io
import time
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

from reid.common.errors import InputError
from reid.files import images
from reid.files.images import (
    Archive,
    ImageError,
    decode,
    encode_jpeg,
    load,
    stored_size,
    to_float,
    to_uint8,
    write_folder,
    write_zip,
    zip_members,
)


def picture(height=8, width=4, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def png(image):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


def test_folder_and_zip_read_alike(tmp_path):
    (tmp_path / "f/sub").mkdir(parents=True)
    (tmp_path / "f/sub/b.png").write_bytes(png(picture(seed=1)))
    (tmp_path / "f/a.png").write_bytes(png(picture()))
    write_zip(tmp_path / "z.zip", [("sub/b.png", png(picture(seed=1))), ("a.png", png(picture()))])
    for path in (tmp_path / "f", tmp_path / "z.zip"):
        with Archive(path) as archive:
            assert archive.names() == ["a.png", "sub/b.png"]
            np.testing.assert_array_equal(archive.image("sub/b.png"), picture(seed=1))
            assert archive.size("a.png") == (8, 4)
            with pytest.raises(ImageError, match=r"cannot read c\.png"):
                archive.read("c.png")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"x\.jpg: the file is empty"),
        (b"not an image", r"x\.jpg: not a whole image"),
        (encode_jpeg(picture(64, 32))[:-200], r"x\.jpg: not a whole image .*truncated"),
    ],
)
def test_broken_images_are_named(data, message):
    with pytest.raises(ImageError, match=message):
        decode(data, "x.jpg")


def test_damage_inside_a_compressed_zip_is_named(tmp_path):
    path = tmp_path / "z.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", bytes(5000) + png(picture()))
    data = bytearray(path.read_bytes())
    data[40:60] = b"\xff" * 20
    path.write_bytes(data)
    with Archive(path) as archive, pytest.raises(ImageError, match=r"z\.zip: cannot read a\.png"):
        archive.read("a.png")


def test_zip_bytes_do_not_depend_on_the_clock(tmp_path, monkeypatch):
    write_zip(tmp_path / "a.zip", [("n", b"1")])
    a_year_later = time.localtime(time.time() + 365 * 86_400)
    monkeypatch.setattr(time, "localtime", lambda *seconds: a_year_later)
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("n", b"1")
        assert archive.infolist()[0].date_time == a_year_later[:6], "zips have the time of this clock by default"
    write_zip(tmp_path / "b.zip", [("n", b"1")])
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


@pytest.mark.parametrize("write", [write_zip, write_folder])
def test_a_set_appears_only_when_whole(tmp_path, write):
    def members():
        yield "a", b"1"
        raise RuntimeError("killed")

    out = tmp_path / "set.zip"
    with pytest.raises(RuntimeError):
        write(out, members())
    assert not list(tmp_path.iterdir())
    write(out, [("a/b.txt", b"1"), ("c", b"2")])
    with Archive(out) as archive:
        assert {name: archive.read(name) for name in archive.names()} == {"a/b.txt": b"1", "c": b"2"}


def test_a_folder_is_not_written_over(tmp_path):
    (tmp_path / "file").write_bytes(b"mine")
    with pytest.raises(InputError, match="exists; remove it"):
        write_folder(tmp_path, [("c", b"2")])
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_zip_does_not_take_the_place_of_a_folder(tmp_path):
    with pytest.raises(InputError, match="is a folder, where a zip is to be written"):
        write_zip(tmp_path, [])


def test_members_of_zips_come_in_the_order_written(tmp_path):
    write_zip(tmp_path / "1.zip", [("b", b"1"), ("a", b"2")])
    write_zip(tmp_path / "2.zip", [("c", b"3")])
    found = zip_members([tmp_path / "2.zip", tmp_path / "1.zip"])
    assert list(found) == [("c", b"3"), ("b", b"1"), ("a", b"2")]


def test_not_an_archive(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist"):
        Archive(tmp_path / "none")
    (tmp_path / "x.zip").write_bytes(b"zip?")
    with pytest.raises(ImageError, match="neither a folder nor a readable zip"):
        Archive(tmp_path / "x.zip")


def test_load_keeps_order_and_resizes(tmp_path):
    big = Image.fromarray(picture(16, 8, seed=2))
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("a.png", png(picture()))
        archive.writestr("big.png", png(np.asarray(big)))
    images = load([str(tmp_path / "z.zip")] * 3, ["big.png", "a.png", "big.png"], (8, 4))
    assert images.shape == (3, 3, 8, 4)
    assert images.dtype == torch.uint8
    np.testing.assert_array_equal(images[1].permute(1, 2, 0), picture())
    np.testing.assert_array_equal(images[0].permute(1, 2, 0), big.resize((4, 8), Image.Resampling.BICUBIC))


def test_float_and_back_is_exact():
    values = torch.arange(256, dtype=torch.uint8)
    floats = to_float(values)
    assert (floats.min(), floats.max()) == (-1, 1)
    assert torch.equal(to_uint8(floats), values)


def encoded(image, kind="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


GRADIENT = np.linspace(0, 255, 32 * 16).astype(np.uint8).reshape(32, 16)


@pytest.mark.parametrize(
    "data",
    [
        encoded(Image.fromarray(GRADIENT)),
        encoded(Image.fromarray(GRADIENT.astype(np.uint16) * 257)),
        encoded(Image.fromarray(GRADIENT.astype(np.int32) * 257), "TIFF"),
        encoded(Image.fromarray(GRADIENT).convert("P")),
        encoded(Image.fromarray(GRADIENT).convert("RGBA")),
        encoded(Image.fromarray(GRADIENT).convert("RGB"), "BMP"),
        encoded(Image.fromarray(GRADIENT).convert("RGB"), "WEBP", lossless=True),
    ],
    ids=["grey", "16 bits", "32 bits", "palette", "opaque", "bmp", "webp"],
)
def test_it_is_decoded_to_what_a_viewer_shows(data):
    np.testing.assert_array_equal(decode(data, "x"), np.stack([GRADIENT] * 3, 2))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_is_white(mode):
    hidden = Image.new("RGBA", (8, 4), (200, 0, 0, 0))
    hidden.paste((0, 0, 0, 255), (0, 0, 4, 4))
    shown = decode(encoded(hidden.convert(mode)), "x")
    assert (shown[:, :4] == 0).all()
    assert (shown[:, 4:] == 255).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_is_turned_as_the_camera_says(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(Image.fromarray(GRADIENT), exif=exif)
    turned = [None, lambda a: a, np.fliplr, lambda a: np.rot90(a, 2), np.flipud, np.transpose,
              lambda a: np.rot90(a, -1), lambda a: np.rot90(np.transpose(a), 2), np.rot90][orientation]  # fmt: skip
    found = decode(data, "x")
    np.testing.assert_array_equal(found[..., 0], turned(GRADIENT))
    assert stored_size(io.BytesIO(data)) == found.shape[:2]


def test_a_file_that_would_run_a_program_is_no_image(tmp_path):
    """Pillow would hand it to Ghostscript."""
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 128\n{} loop\n%%EOF\n"
    for read in (lambda: decode(eps, "a.jpg"), lambda: stored_size(io.BytesIO(eps))):
        with pytest.raises(ImageError, match="not a whole image .it is none of JPEG, PNG, BMP, WEBP, TIFF"):
            read()
    (tmp_path / "a.jpg").write_bytes(eps)
    with Archive(tmp_path) as archive, pytest.raises(ImageError, match=f"{tmp_path}: a.jpg: not a whole image"):
        archive.size("a.jpg")


def test_bombs_are_refused_before_they_are_unpacked(tmp_path, monkeypatch):
    bomb = encoded(Image.new("1", (13_000, 13_000)))
    assert len(bomb) < 50_000
    with pytest.raises(ImageError, match="x.png: has 13000 x 13000 pixels, more than 64,000,000"):
        decode(bomb, "x.png")
    monkeypatch.setattr(images, "MOST_BYTES", 1000)
    with zipfile.ZipFile(tmp_path / "z.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.jpg", bytes(1001))
        archive.writestr("b.jpg", bytes(1000))
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/a.jpg").write_bytes(bytes(1001))
    for path in ("z.zip", "folder"):
        with Archive(tmp_path / path) as archive, pytest.raises(ImageError, match="a.jpg has 1,001 bytes unpacked"):
            archive.read("a.jpg")
    with Archive(tmp_path / "z.zip") as archive:
        assert len(archive.read("b.jpg")) == 1000


def test_floating_point_pixels_have_no_known_range():
    with pytest.raises(ImageError, match="floating point"):
        decode(encoded(Image.fromarray(GRADIENT.astype(np.float32)), "TIFF"), "x.tif")
