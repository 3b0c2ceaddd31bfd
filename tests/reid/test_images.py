import io
import time
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

from reid.common.errors import InputError
from reid.files.images import (
    Archive,
    ImageError,
    decode,
    encode_jpeg,
    load,
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
