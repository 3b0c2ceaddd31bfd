"""Text lists as editors of all kinds save them."""

import pytest

from reid.common.errors import InputError
from reid.files.lists import lines, text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_ends_of_lines(encoding, end):
    data = end.join(["Zoë.jpg 1", "", "  b.jpg\t2  ", "", ""]).encode(encoding)
    assert lines(data, "list") == [(1, "Zoë.jpg 1"), (3, "b.jpg\t2")]


def test_an_empty_file_has_no_line():
    assert lines(b"", "list") == lines(b"\xef\xbb\xbf\n\n", "list") == []


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("a\nZoë".encode("latin-1"), "list.txt:2: is not UTF-8 text .*; save it as UTF-8"),
        ("a\nb".encode("utf-16-le"), "list.txt:1: is no text; save it as UTF-8"),
        (b"\xff\xfea\x00\n", "list.txt:1: is not UTF-16-LE text"),
        (b"a\nb\x00", "list.txt:2: is no text"),
    ],
)
def test_what_is_no_text_is_named(data, said):
    with pytest.raises(InputError, match=said):
        text(data, "list.txt")
