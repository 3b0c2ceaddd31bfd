"""Kills a process that writes before each file operation in turn, and looks at what is left: run by test_atomic.py."""

import sys
from pathlib import Path

from killing import EVENTS, killed

from reid.common import atomic

OLD, NEW = "what was there before", "what is new"


def write_file(path: Path) -> None:
    with atomic.replacing(path) as new:
        new.write_text(NEW[:4])
        with new.open("a") as file:  # a moment at which half of it is written
            file.write(NEW[4:])


def write_folder(path: Path) -> None:
    with atomic.replacing(path) as new:
        (new / "inside").mkdir(parents=True)
        (new / "inside" / "a").write_text(NEW)
        (new / "b").write_text(NEW)


def replace_folder(path: Path) -> None:
    with atomic.replacing_folder(path, ("a", "b")) as new:
        (new / "b").write_text(NEW)
        (new / "a").write_text(NEW)


def replaced_there(path: Path) -> str:
    """What is there, or for the moment in which nothing is, what the next writer would put back."""
    place = path if path.exists() else path.with_name(f"{path.name}.partial") / "old"
    texts = {file.name: file.read_text() for file in place.iterdir()}
    return {frozenset({("a", OLD)}): OLD, frozenset({("a", NEW), ("b", NEW)}): NEW}[frozenset(texts.items())]


def file_there(path: Path) -> str:
    return path.read_text()


def folder_there(path: Path) -> str:
    inside = {file.relative_to(path).as_posix() for file in path.rglob("*")} if path.exists() else {"nothing"}
    return {frozenset({"nothing"}): OLD, frozenset({"inside", "inside/a", "b"}): NEW}[frozenset(inside)]


def main(what: str, root: Path) -> None:
    work, there, before, after = {
        "file": (write_file, file_there, OLD, NEW),
        "folder": (write_folder, folder_there, OLD, NEW),
        "remove": (atomic.remove, folder_there, NEW, OLD),
        "replace": (replace_folder, replaced_there, OLD, NEW),
    }[what]
    seen, count = [], 0
    while True:
        count += 1
        path = root / f"{count}" / "out.txt"
        path.parent.mkdir()
        if what == "file":
            path.write_text(OLD)
        elif what == "remove":
            write_folder(path)
        elif what == "replace":
            path.mkdir()
            (path / "a").write_text(OLD)
        if not killed(lambda path=path: work(path), EVENTS, count, str(path.parent)):
            break
        seen.append(there(path))
        assert {file.name for file in path.parent.iterdir()} <= {"out.txt", "out.txt.partial"}
        if what == "remove" and seen[-1] == after:
            write_folder(path)  # the next writer clears up what is left
        elif seen[-1] == before:
            work(path)
            assert there(path) == after
        elif what == "folder":
            atomic.remove(path)
        else:
            work(path)
        assert not (path.parent / "out.txt.partial").exists()
    assert there(path) == after
    assert seen == sorted(seen, key=lambda state: state == after), seen
    assert {before, after} == set(seen), seen
    print(len(seen))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
