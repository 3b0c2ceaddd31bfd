"""Other packages of the same names: PyPI has a `reid`, an `augment` and a `pipelines` that are none of this project."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

NAMES = ("augment", "pipelines", "reid")


def clash(home: Path) -> str | None:
    """What stands between this project and its own packages, with the remedy; None where nothing does.

    Folders of source are named as they are, so that people find them; an environment can therefore hold this project or
    those packages. Whichever was installed last has overwritten files of the other, in silence.

    Args:
        home: folder that this package lies in, and the two others should.
    """
    for name in NAMES:
        spec = find_spec(name)
        place = Path(spec.origin).parents[1].resolve() if spec and spec.origin else None
        if place != home.resolve():
            return (
                f"`{name}` is imported from {place or 'nowhere'}, not from {home}: another package of that name is "
                f"installed. `pip uninstall {name}`, or use an environment of this project's own (`make setup`)"
            )
        if home.name in ("site-packages", "dist-packages") and (found := _version(name)):
            return (
                f"`{name}` {found} of another project is installed in {home} too, and one has overwritten files of the "
                f"other: `pip uninstall {name} reid-augmentation`, then install this one again, alone"
            )
    return None


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
