import numpy as np
from PIL import Image

from reid.pictures.sheets import framed, sheet


def test_sheet_shows_every_picture(tmp_path):
    colours = [(250, 0, 0), (0, 250, 0), (0, 0, 250)]
    pictures = [np.full((20, 10, 3), colour, np.uint8) for colour in colours]
    sheet([("two", pictures[:2]), ("one", pictures[2:])], tmp_path / "s.png", height=40, title="a title")
    shown = np.asarray(Image.open(tmp_path / "s.png")).reshape(-1, 3)
    for colour in colours:
        assert (shown == colour).all(1).sum() == 40 * 20
    sheet([], tmp_path / "empty.png")


def test_frame_leaves_the_picture_alone():
    image = np.full((20, 10, 3), 7, np.uint8)
    drawn = framed(image, (1, 2, 3), border=2)
    assert drawn[0, 0].tolist() == [1, 2, 3]
    assert drawn[10, 5].tolist() == [7, 7, 7]
    assert image[0, 0].tolist() == [7, 7, 7]
