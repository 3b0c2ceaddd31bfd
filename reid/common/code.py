"""The code that a result depends on: the modules that do the work, and what they import, directly or through others.

- Imports count wherever they stand, inside functions too; with a module, the `__init__` of the packages it is in.
- Modules that decide no result do not count: `reid.common`, those that a caller declares neutral, and those that hold
  nothing but a docstring and a version. Nor does what is imported by them alone.
- A registry, a dict at the top level of a module whose values are imported, would make each result depend on all of its
  entries. So a caller can name the entries that it uses, `taken`. In a registry that has one of them, the other entries
  and their imports do not count, except those whose names also stand elsewhere in the code that counts. This is correct
  as long as the caller looks up in that registry only what it names.
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
    """SHA-256 of the code that counts, as hexadecimal digits; arguments as of `closure`."""
    trees = _closure([*modules], [*taken], [*NEUTRAL, *neutral])
    code = "\n".join(f"{name} {ast.dump(tree)}" for name, tree in sorted(trees.items()))
    return hashlib.sha256(code.encode()).hexdigest()


def closure(modules: Iterable[str], taken: Iterable[Entry] = (), neutral: Iterable[str] = ()) -> dict[str, Path]:
    """The modules whose code counts, by name, and their files.

    Args:
        modules: names of the modules that do the work.
        taken: entries of registries that the work uses; it must use no others of these registries.
        neutral: names of modules that decide no result, or of packages none of whose modules does.
    """
    files = {name: find(name) for name in sorted(_closure([*modules], [*taken], [*NEUTRAL, *neutral]))}
    return {name: file for name, file in files.items() if file}


def imports(module: str) -> set[str]:
    """Full names of all that a module imports, e.g. `numpy` and `reid.files.images.load`."""
    file = find(module)
    return (
        set()
        if file is None
        else {target for _, target in _imported(_parse(file.read_text(encoding="utf-8")), module, file)}
    )


def find(module: str) -> Path | None:
    """The source file of a module, found without importing it; None where there is none."""
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
    """The modules that count, by name: their syntax trees, without the registry entries that do not count."""
    starts = modules + [entry.__module__ for entry in taken]
    packages = PACKAGES | {name.partition(".")[0] for name in starts}

    def counts(name: str) -> bool:
        return name.partition(".")[0] in packages and not any(f"{name}.".startswith(f"{one}.") for one in neutral)

    kept = set[str]()  # names of entries that are not taken, but count because they stand elsewhere in the code
    while True:
        trees, omitted, waiting = dict[str, ast.Module](), set[str](), list(starts)
        while waiting:
            name = waiting.pop()
            if name in trees or not counts(name) or (file := find(name)) is None:
                continue
            tree = _parse(file.read_text(encoding="utf-8"))
            trees[name], dropped = _without_entries(tree, _imported(tree, name, file), taken, kept)
            omitted |= dropped
            for _, target in _imported(trees[name], name, file):
                waiting += accumulate(target.split("."), "{}.{}".format)
        elsewhere = omitted & {name for tree in trees.values() for name in _names(tree)}
        if not elsewhere:
            return {name: tree for name, tree in trees.items() if tree.body}
        kept |= elsewhere


def _without_entries(
    tree: ast.Module, imported: list[tuple[str, str]], taken: list[Entry], kept: set[str]
) -> tuple[ast.Module, set[str]]:
    """Take the registry entries that do not count, and their imports, out of a module.

    Args:
        tree: of the module.
        imported: what it imports, as `_imported` gives it.
        taken: entries that are used.
        kept: names of entries that count although they are not among these.

    Returns:
        the tree without them, and the names of the entries that were taken out.
    """
    used = {name for name, target in imported if any(_is(entry, target) for entry in taken)}
    dropped = {name for statement in tree.body if used & _entries(statement) for name in _entries(statement)}
    dropped &= {name for name, _ in imported} - used - kept
    body = list[ast.stmt]()
    for statement in tree.body if dropped else []:
        new: ast.stmt | None = copy(statement)
        if isinstance(new, ast.Import | ast.ImportFrom):
            new.names = [alias for alias in new.names if (alias.asname or alias.name) not in dropped]
            new = new if new.names else None
        elif isinstance(new, ast.Assign | ast.AnnAssign) and isinstance(new.value, ast.Dict) and used & _entries(new):
            pairs = zip(new.value.keys, new.value.values, strict=True)
            remaining = [
                (key, value) for key, value in pairs if not isinstance(value, ast.Name) or value.id not in dropped
            ]
            # Without its type, which may name all entries.
            targets: list[ast.expr] = new.targets if isinstance(new, ast.Assign) else [new.target]
            new = ast.Assign(targets, ast.Dict([key for key, _ in remaining], [value for _, value in remaining]))
        body += [new] if new else []
    return (ast.Module(body, []) if dropped else tree), dropped


def _entries(statement: ast.stmt) -> set[str]:
    """The names among the values of the dict that a statement assigns; none for any other statement."""
    value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
    return {entry.id for entry in value.values if isinstance(entry, ast.Name)} if isinstance(value, ast.Dict) else set()


def _is(entry: Entry, target: str) -> bool:
    """Whether the full name `target` is that of the entry, defined there or in a submodule and imported from it."""
    module, _, name = target.rpartition(".")
    return name == entry.__name__ and f"{entry.__module__}.".startswith(f"{module}.")


def _imported(tree: ast.Module, module: str, file: Path) -> list[tuple[str, str]]:
    """What a module imports: pairs of the name that it has in the module, and its full name."""
    package = module.split(".") if file.name == "__init__.py" else module.split(".")[:-1]
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [(alias.asname or alias.name, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names += [(alias.asname or alias.name, f"{base}.{alias.name}") for alias in node.names]
    return names


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
    """The syntax tree of a module, without docstrings, `__all__` and `__version__`."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [each for each in node.body if not _says_only(each)]
    return tree


def _says_only(statement: ast.stmt) -> bool:
    """Whether a statement computes nothing: a docstring or other bare constant, `__all__`, `__version__`."""
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    return isinstance(statement, ast.Assign) and any(
        isinstance(target, ast.Name) and target.id in ("__all__", "__version__") for target in statement.targets
    )
