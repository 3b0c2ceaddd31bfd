"""How much a generator looks at sources that show what it draws."""

import math

import torch

from augment.data.batch import Batch
from augment.poses import Pose
from augment.scores.attention import at_joints, relative, with_black_source


def test_joints_by_a_slow_loop():
    torch.manual_seed(0)
    batch, sources, height, width = 4, 3, 12, 6
    attention = torch.rand(batch, sources, height, width)
    valid = torch.tensor([[True, True, True], [True, True, False], [True, False, False], [True, True, True]])
    joints = torch.rand(batch, 18, 2) * torch.tensor([width + 4.0, height + 4.0]) - 2
    target = Pose(joints, torch.rand(batch, 18) < 0.8)
    shown = torch.rand(batch, sources, 18) < 0.5
    found = at_joints(attention, valid, target, shown)
    kinds = {"seen": 0, "hidden": 0, "none": 0}
    for sample in range(batch):
        for joint in range(18):
            x, y = (round(value) for value in joints[sample, joint].tolist())
            there = target.visible[sample, joint] and 0 <= x < width and 0 <= y < height
            for kind, wanted in (("seen", True), ("hidden", False)):
                values = [
                    float(attention[sample, source, y, x])
                    for source in range(sources)
                    if there and valid[sample, source] and bool(shown[sample, source, joint]) == wanted
                ]
                value = float(getattr(found, kind)[sample, joint])
                if values:
                    assert math.isclose(value, sum(values) / len(values), rel_tol=1e-5)
                else:
                    assert math.isnan(value)
                kinds[kind if values else "none"] += 1
    assert min(kinds.values()) > 10


def test_relative_attention_is_one_on_average():
    torch.manual_seed(0)
    valid = torch.tensor([[True, True, True], [True, True, False]])
    attention = torch.rand(2, 3, 4, 4) * valid[:, :, None, None]
    attention = attention / attention.sum(1, keepdim=True)
    found = relative(attention, valid)
    torch.testing.assert_close(found[0].mean(0), torch.ones(4, 4))
    torch.testing.assert_close(found[1, :2].mean(0), torch.ones(4, 4))
    assert (found[1, 2] == 0).all()


def test_the_last_valid_source_becomes_black():
    pose = Pose(torch.zeros(3, 3, 18, 2), torch.ones(3, 3, 18, dtype=torch.bool))
    valid = torch.tensor([[True, True, True], [True, True, False], [True, False, False]])
    batch = Batch(torch.ones(3, 3, 3, 4, 2), pose, pose[:, 0], source_valid=valid)
    black = (with_black_source(batch).source == -1).all((2, 3, 4))
    assert black.tolist() == [[False, False, True], [False, True, False], [False, False, False]]
    assert (batch.source == 1).all()
