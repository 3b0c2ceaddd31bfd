import numpy as np
import torch
from conftest import random_poses
from PIL import Image

from augment.sheets import LEFT, RIGHT, framed, sheet, skeleton


def test_sheet_shows_every_picture(tmp_path):
    colours = [(250, 0, 0), (0, 250, 0), (0, 0, 250)]
    pictures = [np.full((20, 10, 3), colour, np.uint8) for colour in colours]
    sheet([("two", pictures[:2]), ("one", pictures[2:])], tmp_path / "s.png", height=40, title="a title")
    shown = np.asarray(Image.open(tmp_path / "s.png")).reshape(-1, 3)
    for colour in colours:
        assert (shown == colour).all(1).sum() == 40 * 20
    sheet([], tmp_path / "empty.png")


def test_skeleton_draws_visible_joints_only():
    pose = random_poses(1, 0, missing=0)[0]
    image = np.zeros((128, 64, 3), np.uint8)
    drawn = skeleton(image, pose, scale=2).reshape(-1, 3)
    assert (drawn == RIGHT).all(1).any()
    assert (drawn == LEFT).all(1).any()
    hidden = type(pose)(pose.joints, torch.zeros_like(pose.visible))
    assert not skeleton(image, hidden).any()


def test_frame_leaves_the_picture_alone():
    image = np.full((20, 10, 3), 7, np.uint8)
    drawn = framed(image, (1, 2, 3), border=2)
    assert drawn[0, 0].tolist() == [1, 2, 3]
    assert drawn[10, 5].tolist() == [7, 7, 7]
    assert image[0, 0].tolist() == [7, 7, 7]
