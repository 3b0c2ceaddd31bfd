"""Profiles: the commented defaults, and overlays with only what another size of the run changes in them.

`python -m pipelines profile NAME` writes what `compose` gives to params.yaml.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from reid.common.errors import InputError

PROFILES = Path("profiles")
DEFAULTS = "demo"  # the profile that has every key, with its comment
INHERITING = (
    "gan",
    "selection",
    "virtual_people",
    "reid",
)  # the parts of params.yaml in which a section may be `like` another one
AFTER, BEFORE = 2, 1  # where ruamel keeps the comments of a key: at the end of its line, and above it


def compose(names: Sequence[str], folder: Path = PROFILES) -> str:
    r"""The text of params.yaml for some profiles: the defaults with the changes of each, in order.

    Comments and the order of keys are those of the defaults. A profile's comment at the end of a key's line, or at the
    head of the file, replaces that of the defaults; its other comments are not copied. Lists are replaced whole. A
    section of INHERITING with the key `like` becomes a copy of the section of that name, as all profiles together
    define it, with the section's own changes.

    The text is as `dvc exp run -S` writes it, which so changes one line: null is nothing, a list has one item a line,
    and there are no comments or blank lines in it or after it.

    Args:
        names: profiles in `folder`, or paths that end in `.yaml`. `profile`, the first key of the result, names them.
        folder: where the profiles are.

    Raises:
        InputError: there is no such profile, it is not YAML or no mapping, a section's name is no text, or a `like`
            names no other section.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as name:
        ...     folder = Path(name)
        ...     _ = (folder / "demo.yaml").write_text("profile: demo\nseed: 0\npairs:\n  test: 100 # at most\n")
        ...     _ = (folder / "large.yaml").write_text("pairs: {test: 5000}\n")
        ...     print(compose(["large"], folder), end="")
        profile: large
        seed: 0
        pairs:
          test: 5000 # at most
    """
    result = _read(_path(DEFAULTS, folder))
    said = _likes(result, _path(DEFAULTS, folder))
    for name in names:
        path = _path(name, folder)
        overlay = _read(path)
        if overlay.get("profile", path.stem) != path.stem:
            raise InputError(f"{path}: profile is {overlay['profile']}; leave it out, it is made of the files' names")
        for part in INHERITING:
            for section, changes in _sections(overlay, part).items():
                if isinstance(changes, CommentedMap) and "like" in changes and section in _sections(result, part):
                    _clear(_sections(result, part), section)
        said |= _likes(overlay, path)
        _merge(result, overlay)
        if overlay.ca.comment:
            result.ca.comment = overlay.ca.comment
    for part in INHERITING:
        for section in _sections(result, part):
            _resolve(_sections(result, part), section, part, (), said)
    result["profile"] = "+".join(names)
    return _dump(YAML().load(_dump(result)))


def _dump(content: CommentedMap) -> str:
    _simplify(content)
    text = StringIO()
    YAML().dump(content, text)
    return text.getvalue()


def _simplify(node: CommentedMap) -> None:
    """Replace lists and floats, with what ruamel knows of how they were written, by Python's, as DVC does."""
    for key, value in node.items():
        if isinstance(value, CommentedMap):
            _simplify(value)
        elif isinstance(value, list):
            node[key] = list(value)
        elif isinstance(value, float):
            node[key] = float(value)


def _path(name: str, folder: Path) -> Path:
    path = Path(name) if name.endswith(".yaml") else folder / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in folder.glob("*.yaml"))) or "none (run from the project's root)"
        raise InputError(f"there is no profile {path}; in {folder} there are: {known}")
    return path


def _read(path: Path) -> CommentedMap:
    try:
        content = YAML().load(path)
    except YAMLError as error:
        raise InputError(f"{path} is not YAML: {error}") from error
    if not isinstance(content, CommentedMap):
        raise InputError(f"{path}: expected keys of params.yaml with their values, got {content!r}")
    for part in INHERITING:
        for section in _sections(content, part):
            if not isinstance(section, str):
                raise InputError(f"{path}: {part}.{section}: expected the name of a section, got {section!r}")
    _lift(content, [])
    return content


def _lift(node: CommentedMap | CommentedSeq, above: list[Any]) -> list[Any]:
    """Attach blank lines and comments above a key to this key; ruamel attaches them to the value that they follow.

    Args:
        node: mapping or list, changed in place.
        above: ruamel's comment tokens before its first key.

    Returns:
        the comment tokens after its last value.
    """
    after = AFTER if isinstance(node, CommentedMap) else 0
    for key in list(node) if isinstance(node, CommentedMap) else range(len(node)):
        tokens = node.ca.items.setdefault(key, [None] * 4)
        tokens[BEFORE] = [*above, *(tokens[BEFORE] or [])] or None
        above = []
        if token := tokens[after]:
            token.column = 0  # one space after the value, however long that is
            line, _, rest = token.value.partition("\n")
            if rest:
                above = [copy.deepcopy(token)]
                above[0].value = rest
            token.value = f"{line}\n"
            tokens[after] = token if line else None
        if isinstance(node[key], CommentedMap | CommentedSeq) and not node[key].fa.flow_style():
            above = _lift(node[key], above)
    return above


def _sections(content: CommentedMap, part: str) -> CommentedMap:
    sections = content.get(part)
    return sections if isinstance(sections, CommentedMap) else CommentedMap()


def _likes(content: CommentedMap, path: Path) -> dict[tuple[str, str], Path]:
    """The sections of a file that are `like` others, by part and name, and the file."""
    return {
        (part, name): path
        for part in INHERITING
        for name, section in _sections(content, part).items()
        if isinstance(section, CommentedMap) and "like" in section
    }


def _clear(sections: CommentedMap, name: str) -> None:
    """Empty a section; it keeps its place in the order."""
    sections[name] = CommentedMap()
    if tokens := sections.ca.items.get(name):
        tokens[AFTER] = None


def _merge(base: CommentedMap, changes: CommentedMap) -> None:
    for key, value in changes.items():
        if isinstance(value, CommentedMap):
            if not isinstance(base.get(key), CommentedMap):
                base[key] = CommentedMap()
            _merge(base[key], value)
        else:
            base[key] = CommentedSeq(map(_scalar, value)) if isinstance(value, CommentedSeq) else _scalar(value)
        if (comments := changes.ca.items.get(key)) and comments[AFTER]:
            base.ca.items.setdefault(key, [None] * 4)[AFTER] = comments[AFTER]


def _scalar(value: Any) -> Any:
    """The value without its YAML anchor, so that aliases of it are written out as values."""
    if anchor := getattr(value, "anchor", None):
        anchor.value = None
    return value


def _resolve(
    sections: CommentedMap, name: str, part: str, heirs: tuple[str, ...], said: dict[tuple[str, str], Path]
) -> CommentedMap:
    """Write a section out that is `like` another one.

    Args:
        sections: of the part, changed in place.
        name: of the section.
        part: one of INHERITING.
        heirs: the sections that are like it, for finding loops.
        said: the file that says what a section is like, by part and name.
    """
    section = sections[name]
    if not isinstance(section, CommentedMap) or "like" not in section:
        return section
    if name in heirs:
        loop = ", which is like ".join(f"{part}.{heir}" for heir in (*heirs[heirs.index(name) :], name))
        raise InputError(f"{said[part, name]}: like: {loop}: one of them must be written out")
    like = section["like"]
    if not isinstance(like, str) or not isinstance(sections.get(like), CommentedMap):
        known = ", ".join(other for other in sections if other != name and isinstance(sections[other], CommentedMap))
        raise InputError(
            f"{said[part, name]}: {part}.{name}.like: there is no section {part}.{like}; there are {known}"
        )
    whole = copy.deepcopy(_resolve(sections, like, part, (*heirs, name), said))
    whole.ca.comment = None  # says what the other one is
    _merge(whole, section)
    del whole["like"]
    sections[name] = whole
    return whole
