import numpy as np
import pandas as pd
from PIL import Image

from reid.pictures.rank_lists import COLOURS, GENERATED, REAL, draw, rank_list


def test_what_each_image_is():
    gallery = pd.DataFrame(
        {"image": list("abcdef"), "identity": [7, 7, -1, 0, 3, 7], "camera": [1, 2, 2, 2, 2, 3]}
    )  # fmt: skip
    query = pd.Series({"image": "q", "identity": 7, "camera": 1})
    found = rank_list(query, gallery, np.array([4, 2, 0, 1, 3]))
    assert found.query == "q"
    assert found.gallery == ["e", "c", "a", "b", "d"]
    assert found.kinds == ["miss", "junk", "junk", "hit", "miss"]


def test_frames_say_it(tmp_path):
    white = np.full((128, 64, 3), 255, np.uint8)
    for generated in (False, True):
        draw([("row", white, [(white, "hit"), (white, "junk")])], tmp_path / "sheet.png", generated)
        colours = {colour for _, colour in Image.open(tmp_path / "sheet.png").getcolors(100_000)}
        expected = {COLOURS["hit"], COLOURS["junk"], GENERATED if generated else REAL}
        assert expected <= colours
        assert COLOURS["miss"] not in colours
