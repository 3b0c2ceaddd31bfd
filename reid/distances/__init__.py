"""Distances: `DISTANCES[name]().fit(features, identities, cameras).matrix(query, gallery) -> (Q, G)`."""

from reid.distances.euclidean import Euclidean
from reid.distances.kissme import KISSME
from reid.distances.xqda import XQDA

DISTANCES = {"euclidean": Euclidean, "xqda": XQDA, "kissme": KISSME}

__all__ = ["DISTANCES", "KISSME", "XQDA", "Euclidean"]
