"""Distances: `DISTANCES[name]().fit(features, identities, cameras).matrix(query, gallery) -> (Q, G)`.

Where `whole` is False, any part of queries and gallery gives that part of the matrix.
"""

from reid.distances.euclidean import Euclidean
from reid.distances.k_reciprocal import KReciprocal
from reid.distances.query_expansion import QueryExpansion

DISTANCES = {"euclidean": Euclidean, "k-reciprocal": KReciprocal, "query-expansion": QueryExpansion}

__all__ = ["DISTANCES", "Euclidean", "KReciprocal", "QueryExpansion"]
