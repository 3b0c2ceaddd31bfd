"""Distances: `DISTANCES[name]().fit(features, identities, cameras).matrix(query, gallery) -> (Q, G)`.

Where `whole` is False, any part of queries and gallery gives, but for rounding, that part of the matrix. The
constructor's signature says which options a distance has, of what types, within which bounds, and their defaults; one
that learns has a `seed` too, of what it draws.
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
