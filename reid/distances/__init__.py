"""Distances: `DISTANCES[name]().fit(features, identities, cameras).matrix(query, gallery) -> (Q, G)`."""

from reid.distances.euclidean import Euclidean

DISTANCES = {"euclidean": Euclidean}

__all__ = ["DISTANCES", "Euclidean"]
