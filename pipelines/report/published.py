"""Numbers that papers report on Market-1501: the journal paper, that of WACV 2020 (several sources), that on DPIG."""

from __future__ import annotations

from typing import NamedTuple

# Table 4: (Rank-1, mAP by the trapezoid rule), per cent; a training set's numbers are in the order of COLUMNS.
COLUMNS = (("ide", "euclidean"), ("ide", "xqda"), ("ide", "kissme"), ("siamese", "euclidean"))
ROWS: dict[str, tuple[tuple[float, float], ...]] = {
    "real": ((73.9, 48.8), (73.2, 50.9), (75.1, 51.5), (78.3, 55.5)),
    "vunet-a2": ((58.1, 33.7), (68.9, 46.1), (67.8, 46.1), (63.1, 40.3)),
    "baseline-a2": ((68.1, 42.82), (69.57, 46.43), (69.45, 45.88), (70.69, 46.58)),
    "baseline-a10": ((59.8, 34.5), (60.9, 38.2), (61.9, 37.8), (61.6, 39.4)),
    "full-a2": ((78.9, 56.9), (78.2, 57.9), (79.7, 58.3), (81.4, 60.3)),
    "full-a10": ((78.5, 55.9), (77.8, 57.9), (79.5, 58.1), (80.6, 61.3)),
}
TABLE_4 = {(row, *column): pair for row, pairs in ROWS.items() for column, pair in zip(COLUMNS, pairs, strict=True)}

# Scores in Tables 5 to 11; IS and mask-IS are by Inception's graph of 2015, DS by SSD300.
KEYS = ("ssim", "is", "mask_ssim", "mask_is", "ds")


class Row(NamedTuple):
    """One row of a published table: its title there, our generator or variant, and its scores in the order of KEYS."""

    title: str
    generator: str
    published: tuple[float, float, float, float, float]


FULL = (0.290, 3.185, 0.805, 3.502, 0.720)
DSC = Row("DSC", "dsc", (0.272, 3.442, 0.796, 3.666, 0.629))
TABLE_5: tuple[Row, ...] = (
    Row("Baseline", "baseline", (0.256, 3.188, 0.784, 3.580, 0.595)),
    DSC,
    Row("PercLoss", "percloss", (0.276, 3.342, 0.788, 3.519, 0.603)),
    Row("Full", "full", FULL),
    Row("Real-Data", "real", (1.0, 3.86, 1.0, 3.76, 0.74)),
)
TABLES: dict[str, tuple[Row, ...]] = {
    "Table 5: ablation study": TABLE_5,
    "Table 6: combining the affine transformations": (
        Row("Average", "average", (0.290, 3.217, 0.802, 3.428, 0.695)),
        Row("Linear Comb.", "linear", (0.287, 3.078, 0.799, 3.385, 0.703)),
        Row("Max", "full", FULL),
    ),
    "Table 7: choice of g": (
        Row("Pixel space", "pixels", (0.285, 3.339, 0.806, 3.630, 0.580)),
        Row("Block 1_2", "full", FULL),
        Row("Block 2_1", "conv2_1", (0.283, 3.034, 0.802, 3.388, 0.648)),
        Row("Block 3_1", "conv3_1", (0.244, 3.319, 0.794, 3.187, 0.699)),
    ),
    "Table 8: lambda": (
        Row("0.1", "lambda_large", (0.292, 2.621, 0.808, 3.168, 0.697)),
        Row("0.01", "full", FULL),
        Row("0.001", "lambda_small", (0.245, 3.566, 0.779, 3.634, 0.609)),
    ),
    "Table 9: exploiting symmetry": (
        Row("Without", "no_symmetry", (0.289, 3.130, 0.801, 3.464, 0.698)),
        Row("With", "full", FULL),
    ),
    "Table 10: neighbourhood size": (
        Row("n = 1", "n1", (0.289, 3.398, 0.755, 3.553, 0.728)),
        Row("n = 3", "full", FULL),
        Row("n = 5", "n5", (0.289, 3.144, 0.802, 3.487, 0.579)),
        DSC,
    ),
    "Table 11: impact of masks": (
        Row("Without", "no_masks", (0.286, 3.048, 0.800, 3.4388, 0.693)),
        Row("With", "full", FULL),
    ),
}

# Tables 1 and 2 of the WACV 2020 paper, by generator and number of sources: the first four of KEYS.
SOURCES: dict[tuple[str, int], tuple[float, float, float, float]] = {
    ("multi_source", 1): (0.270, 3.251, 0.771, 3.614),
    ("multi_source", 2): (0.285, 3.474, 0.778, 3.634),
    ("multi_source", 3): (0.291, 3.442, 0.783, 3.739),
    ("multi_source", 5): (0.306, 3.444, 0.788, 3.814),
    ("multi_source", 7): (0.320, 3.613, 0.801, 3.567),
    ("multi_source", 10): (0.326, 3.442, 0.806, 3.514),
    ("average_undeformed", 2): (0.258, 3.182, 0.766, 3.658),
    ("average", 2): (0.294, 3.468, 0.779, 3.274),
    ("spatial", 2): (0.285, 3.460, 0.777, 3.632),
    ("average", 5): (0.299, 3.383, 0.782, 3.751),
    ("spatial", 5): (0.308, 3.159, 0.792, 3.606),
}

# Table 2 of the CVPR 2018 paper: (Rank-1, mAP), per cent, of a generator's embeddings as features.
FEATURES: dict[tuple[str, str], tuple[float, float]] = {
    ("whole_body", "foreground"): (30.7, 10.0),
    ("disentangled", "foreground"): (33.8, 10.7),
    ("disentangled", "foreground, PCA"): (35.5, 11.4),
}
