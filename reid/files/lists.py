"""Text files that list something, a line each, as people's editors and spreadsheets save them."""

from __future__ import annotations

import codecs
import re

from reid.common.errors import InputError

MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def text(data: bytes, name: str) -> str:
    """The text of a file: UTF-8, or UTF-16 with a byte order mark; the mark is left out.

    Args:
        data: the file's bytes.
        name: of the file, for the error.

    Raises:
        InputError: it is neither; the message has the line at fault.
    """
    mark = next((mark for mark in MARKS if data.startswith(mark)), b"")
    body, encoding = data[len(mark) :], MARKS.get(mark, "utf-8")
    try:
        found = body.decode(encoding)
    except UnicodeDecodeError as error:
        line = 1 + body[: error.start].count(b"\n")
        raise InputError(f"{name}:{line}: is not {encoding.upper()} text ({error.reason}); save it as UTF-8") from error
    if "\0" in found:
        raise InputError(f"{name}:{1 + found[: found.index(chr(0))].count(chr(10))}: is no text; save it as UTF-8")
    return found


def lines(data: bytes, name: str) -> list[tuple[int, str]]:
    r"""The lines of a text file that are not empty, with their numbers, without spaces around them.

    Lines end as on any system. Arguments and errors are those of `text`.

    Example:
        >>> lines(b"\xef\xbb\xbfa.jpg 1\r\n\r\nb.jpg\t2\r\n", "list.txt")
        [(1, 'a.jpg 1'), (3, 'b.jpg\t2')]
    """
    found = enumerate(re.split(r"\r\n|\r|\n", text(data, name)), 1)
    return [(number, line.strip()) for number, line in found if line.strip()]
