"""The stage that estimates poses: in parts, which an interruption keeps."""

import pytest
from commands import run, unfinished

from augment.poses.estimators.truth import Truth
from pipelines import layout


def test_what_was_estimated_before_an_interruption_is_kept(project, monkeypatch):
    run("prepare")
    run("estimate-poses")
    whole = layout.poses().read_bytes()
    layout.poses().unlink()
    monkeypatch.setattr("pipelines.stages.estimate_poses.PART", 30)
    monkeypatch.setattr("pipelines.stages.estimate_poses._accuracy", lambda *_: {})
    estimate, counts = Truth.estimate, []

    def some(self, people):
        if len(counts) == 1:
            raise KeyboardInterrupt
        counts.append(len(people))
        return estimate(self, people)

    monkeypatch.setattr(Truth, "estimate", some)
    with pytest.raises(AssertionError, match="KeyboardInterrupt|Aborted"):
        run("estimate-poses")
    assert counts == [30]
    assert unfinished()

    def rest(self, people):
        counts.append(len(people))
        return estimate(self, people)

    monkeypatch.setattr(Truth, "estimate", rest)
    run("estimate-poses")
    assert counts.count(30) == len(counts) - 1, "each part once, the last one with what is left"
    assert layout.poses().read_bytes() == whole
    assert not unfinished()
