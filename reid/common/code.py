"""The code that a result depends on: the modules that do the work, and what they import, directly or through others.

- Imports count wherever they stand, inside functions too; with a module, the `__init__` of the packages it is in.
- Modules that decide no result do not count: `reid.common`, those that a caller calls neutral, and those that hold
  nothing but a docstring. Nor does what only they import.
- A registry, a dict at the top of a module whose values are imported, would make each result depend on all its entries.
  So a caller can say which entries it takes: of a registry that has one of them, the others do not count, nor do their
  imports; but an entry counts whose name stands anywhere else in the code that counts. This is right as long as the
  caller looks up in that registry what it says, and nothing else.
- Comments, docstrings and layout do not count.

Modules are known by their names, and their files are those that Python would import: of a checkout, or installed.
"""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Callable, Iterable, Iterator
from copy import copy
from functools import cache
from importlib.util import find_spec
from itertools import accumulate
from pathlib import Path
from typing import Any

PACKAGES = {"reid", "augment", "pipelines"}  # beside those of the modules and entries that a caller names
NEUTRAL = ("reid.common",)

Entry = Callable[..., Any]  # of a registry: a class or a function


def code_digest(modules: Iterable[str], taken: Iterable[Entry] = (), neutral: Iterable[str] = ()) -> str:
    """SHA-256 of the code that counts; arguments as of `closure`."""
    trees = _closure([*modules], [*taken], [*NEUTRAL, *neutral])
    code = "\n".join(f"{name} {ast.dump(tree)}" for name, tree in sorted(trees.items()))
    return hashlib.sha256(code.encode()).hexdigest()


def closure(modules: Iterable[str], taken: Iterable[Entry] = (), neutral: Iterable[str] = ()) -> dict[str, Path]:
    """The modules whose code counts, by name, and their files.

    Args:
        modules: names of those that do the work.
        taken: entries of registries, where the work takes no others of these registries.
        neutral: names of modules that decide no result, or of packages none of whose modules does.
    """
    found = {name: find(name) for name in sorted(_closure([*modules], [*taken], [*NEUTRAL, *neutral]))}
    return {name: file for name, file in found.items() if file}


def imports(module: str) -> set[str]:
    """Full names of all that a module imports, e.g. `numpy` and `reid.files.images.load`."""
    file = find(module)
    return set() if file is None else {target for _, target in _imported(_parse(file.read_text()), module, file)}


def find(module: str) -> Path | None:
    """The file of a module, which is not imported for that; None where there is no such file."""
    package, _, name = module.rpartition(".")
    if module in sys.modules:
        origin = getattr(sys.modules[module], "__file__", None)
    elif package:
        init = find(package)
        if init is None or init.name != "__init__.py":
            return None
        places = (init.parent / name / "__init__.py", init.parent / f"{name}.py")
        return next((place for place in places if place.exists()), None)
    else:
        spec = find_spec(module)
        origin = spec.origin if spec else None
    return Path(origin) if origin and origin.endswith(".py") else None


def _closure(modules: list[str], taken: list[Entry], neutral: list[str]) -> dict[str, ast.Module]:
    """The modules that count, by name, parsed, without the entries of registries that do not count."""
    starts = modules + [entry.__module__ for entry in taken]
    packages = PACKAGES | {name.partition(".")[0] for name in starts}

    def counts(name: str) -> bool:
        return name.partition(".")[0] in packages and not any(f"{name}.".startswith(f"{one}.") for one in neutral)

    kept = set[str]()  # names of entries that are not taken, but stand elsewhere in the code
    while True:
        trees, left_out, waiting = dict[str, ast.Module](), set[str](), list(starts)
        while waiting:
            name = waiting.pop()
            if name in trees or not counts(name) or (file := find(name)) is None:
                continue
            tree = _parse(file.read_text())
            trees[name], out = _without_entries(tree, _imported(tree, name, file), taken, kept)
            left_out |= out
            for _, target in _imported(trees[name], name, file):
                waiting += accumulate(target.split("."), "{}.{}".format)
        elsewhere = left_out & {name for tree in trees.values() for name in _names(tree)}
        if not elsewhere:
            return {name: tree for name, tree in trees.items() if tree.body}
        kept |= elsewhere


def _without_entries(
    tree: ast.Module, imported: list[tuple[str, str]], taken: list[Entry], kept: set[str]
) -> tuple[ast.Module, set[str]]:
    """A module without the entries of registries that do not count and their imports, and the names of these."""
    ours = {name for name, target in imported if any(_is(entry, target) for entry in taken)}
    out = {name for statement in tree.body if ours & _entries(statement) for name in _entries(statement)}
    out &= {name for name, _ in imported} - ours - kept
    body = list[ast.stmt]()
    for statement in tree.body if out else []:
        new: ast.stmt | None = copy(statement)
        if isinstance(new, ast.Import | ast.ImportFrom):
            new.names = [alias for alias in new.names if (alias.asname or alias.name) not in out]
            new = new if new.names else None
        elif isinstance(new, ast.Assign | ast.AnnAssign) and isinstance(new.value, ast.Dict) and ours & _entries(new):
            pairs = zip(new.value.keys, new.value.values, strict=True)
            left = [(key, value) for key, value in pairs if not isinstance(value, ast.Name) or value.id not in out]
            # Without its type, which may name all entries.
            targets: list[ast.expr] = new.targets if isinstance(new, ast.Assign) else [new.target]
            new = ast.Assign(targets, ast.Dict([key for key, _ in left], [value for _, value in left]))
        body += [new] if new else []
    return (ast.Module(body, []) if out else tree), out


def _entries(statement: ast.stmt) -> set[str]:
    """The names among the values of the dict that a statement assigns, if it is such a statement."""
    made = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
    return {value.id for value in made.values if isinstance(value, ast.Name)} if isinstance(made, ast.Dict) else set()


def _is(entry: Entry, target: str) -> bool:
    """Whether what is imported as `target` is the entry; it may be defined in a module below and handed on."""
    module, _, name = target.rpartition(".")
    return name == entry.__name__ and f"{entry.__module__}.".startswith(f"{module}.")


def _imported(tree: ast.Module, module: str, file: Path) -> list[tuple[str, str]]:
    """What a module imports: the name that it has there, and its full name."""
    package = module.split(".") if file.name == "__init__.py" else module.split(".")[:-1]
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.asname or alias.name, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            found += [(alias.asname or alias.name, f"{base}.{alias.name}") for alias in node.names]
    return found


def _names(tree: ast.Module) -> Iterator[str]:
    """All names in a module: of variables, attributes and what is imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.alias):
            yield node.name.rpartition(".")[2]


@cache
def _parse(source: str) -> ast.Module:
    """A module without docstrings and `__all__`."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [each for each in node.body if not _says_only(each)]
    return tree


def _says_only(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    return isinstance(statement, ast.Assign) and any(
        isinstance(target, ast.Name) and target.id == "__all__" for target in statement.targets
    )
