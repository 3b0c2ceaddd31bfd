"""docs/evidence: its gains are those of the scores that are kept there."""

from dvc.repo import Repo


def test_nothing_is_left_to_do():
    """Else `dvc repro docs/evidence/dvc.yaml`, and commit what it writes."""
    with Repo() as repo:
        assert repo.status(targets=["docs/evidence/dvc.yaml"]) == {}
