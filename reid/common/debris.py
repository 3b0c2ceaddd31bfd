"""What operating systems and programs leave in folders: read by nobody, and in no digest; `.dvcignore` has it too."""

from __future__ import annotations

from pathlib import PurePath

NAMES = {"Thumbs.db", "desktop.ini", "__MACOSX", "@eaDir", "lost+found"}


def is_debris(path: PurePath | str) -> bool:
    """Whether a file is left behind: it, or a folder on the way to it, is hidden (a dot first) or one of NAMES.

    Args:
        path: relative to the folder or zip that is read.

    Example:
        >>> [is_debris(name) for name in ("query/1.jpg", "query/._1.jpg", "__MACOSX/query/1.jpg", "query/Thumbs.db")]
        [False, True, True, True]
    """
    return any(part in NAMES or part.startswith(".") for part in PurePath(path).parts)
