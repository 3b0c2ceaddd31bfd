"""Distances: `DISTANCES[name](**options).fit(features, identities, cameras).matrix(query, gallery) -> (Q, G)`.

Two attributes of each class say how it is used. `learns`: whether `fit` learns from the training features. `whole`:
whether `matrix` needs all queries and the whole gallery at once; where it is False, the matrix can be computed block by
block, with the same values but for rounding.

The constructor's signature gives a distance's options with their types, bounds and defaults. A distance that learns
also takes a `seed`, of the pairs that it draws.
"""

from typing import Any

from reid.distances.euclidean import Euclidean
from reid.distances.k_reciprocal import KReciprocal
from reid.distances.kissme import KISSME
from reid.distances.query_expansion import QueryExpansion
from reid.distances.xqda import XQDA

DISTANCES: dict[str, Any] = {
    "euclidean": Euclidean,
    "xqda": XQDA,
    "kissme": KISSME,
    "k-reciprocal": KReciprocal,
    "query-expansion": QueryExpansion,
}

__all__ = ["DISTANCES", "KISSME", "XQDA", "Euclidean", "KReciprocal", "QueryExpansion"]
