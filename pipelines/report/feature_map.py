"""A scatter plot of a network's features of real and generated images of some people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.figure import Figure
from numpy.typing import NDArray

from reid.files.samples import REAL
from reid.pictures.figures import save


def feature_map(places: NDArray[np.float32], table: pd.DataFrame, network: str, path: Path) -> None:
    """Draw each image's feature as a dot (real) or a cross (generated), in the colour of its person.

    Args:
        places: (N, 2) x and y of the features on the plane, as `reid.pictures.maps.on_a_plane` gives them.
        table: sample table of the same N images.
        network: name of the network, for the title.
        path: of the PNG.
    """
    figure = Figure(figsize=(8, 6), layout="constrained")
    axes = figure.subplots()
    real = (table["origin"] == REAL).to_numpy()
    for number, identity in enumerate(sorted(table["identity"].unique())):
        own, colour = (table["identity"] == identity).to_numpy(), colormaps["tab10"](number % 10)
        for kind, marker in ((real, "o"), (~real, "x")):
            x, y = places[own & kind].T
            axes.scatter(x, y, s=28, color=colour, marker=marker, linewidths=1, label=str(identity) * (marker == "o"))
    title = f"{network}: features of training images (t-SNE); dots: real, crosses: generated"
    axes.set(xticks=[], yticks=[], title=title)
    axes.legend(title="person", loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    save(figure, path)
