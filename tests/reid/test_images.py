import io
import time
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

from reid.files.images import Archive, ImageError, decode, encode_jpeg, load, to_float, to_uint8, write_zip


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


def test_zip_appears_only_when_whole(tmp_path):
    def members():
        yield "a", b"1"
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        write_zip(tmp_path / "z.zip", members())
    assert not (tmp_path / "z.zip").exists()


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
