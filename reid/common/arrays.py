"""Arrays from outside: lists, tensors and columns of tables are taken, what would give silent nonsense is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reid.common.errors import InputError


def features(values: Any, name: str, like: NDArray[Any] | None = None) -> NDArray[Any]:
    """Features (N, D) as an array of floating point numbers; other numbers become float32.

    Args:
        values: an array, nested lists, a tensor or a table.
        name: of the argument, for the message.
        like: (M, D), other features that they are compared with.

    Raises:
        InputError: they are no numbers, or not finite, or not two-dimensional, or D is another.

    Example:
        >>> features([[1, 2], [3, 4]], "query").dtype
        dtype('float32')
    """
    array = _plain(values)
    if array.dtype.kind not in "fiub" or array.ndim != 2 or not array.shape[1]:
        raise InputError(f"{name}: expected features (N, D), numbers in two dimensions; got {_described(array)}")
    if like is not None and array.shape[1] != like.shape[1]:
        raise InputError(
            f"{name}: expected features of {like.shape[1]} dimensions, as those that they are compared with have; got "
            f"{array.shape[1]}"
        )
    array = array if array.dtype.kind == "f" and array.dtype.itemsize > 2 else array.astype(np.float32)
    # A sum first, which holds no mask of a large gallery.
    with np.errstate(invalid="ignore", over="ignore"):
        total = array.sum(dtype=np.float64)
    if not np.isfinite(total) and not np.isfinite(array).all():
        wrong = int((~np.isfinite(array)).any(1).sum())
        raise InputError(f"{name}: {wrong} of {len(array)} features have values that are not finite (NaN or infinite)")
    return array


def labels(values: Any, name: str) -> NDArray[np.int64]:
    """Labels (N,), identities or cameras, as whole numbers.

    Args:
        values: an array, a list, a tensor or a column of a table.
        name: of the argument, for the message.

    Raises:
        InputError: they are no whole numbers, or not one-dimensional.

    Example:
        >>> labels([7, 7, 8.0], "identities")
        array([7, 7, 8])
    """
    array = _plain(values)
    if array.ndim == 1 and array.size == 0:
        return np.zeros(0, np.int64)
    if array.dtype.kind not in "fiu" or array.ndim != 1:
        raise InputError(f"{name}: expected whole numbers in one dimension; got {_described(array)}")
    if array.dtype.kind == "f" and not (np.isfinite(array) & (array == np.round(array))).all():
        wrong = array[~(np.isfinite(array) & (array == np.round(array)))]
        raise InputError(f"{name}: expected whole numbers, {len(wrong)} of {len(array)} are none, e.g. {wrong[0]}")
    return array.astype(np.int64)


def pair(query: Any, gallery: Any, dimensions: int | None = None) -> tuple[NDArray[Any], NDArray[Any]]:
    """Features (Q, D) of queries and (G, D) of a gallery, by `features`.

    Args:
        query: (Q, D).
        gallery: (G, D).
        dimensions: D, where something was learnt from features of so many.
    """
    gallery = features(gallery, "gallery")
    if dimensions == 0:
        raise InputError("the distance has learnt nothing yet: call `fit` first")
    if dimensions is not None and gallery.shape[1] != dimensions:
        raise InputError(f"gallery: expected features of {dimensions} dimensions, as in `fit`; got {gallery.shape[1]}")
    return features(query, "query", gallery), gallery


def training(values: Any, identities: Any, cameras: Any) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int64]]:
    """Features (N, D) to learn from, with their identities (N,) and cameras (N,), by `features` and `labels`.

    Raises:
        InputError: as these, and where the lengths differ.
    """
    array = features(values, "features")
    told = [labels(own, name) for own, name in ((identities, "identities"), (cameras, "cameras"))]
    if any(len(own) != len(array) for own in told):
        raise InputError(
            f"expected as many identities and cameras as features; got {len(array)} features, {len(told[0])} "
            f"identities and {len(told[1])} cameras"
        )
    return array, told[0], told[1]


def matrix(values: Any, name: str) -> NDArray[Any]:
    """A matrix of numbers, which may be infinite or none, as an array; raises InputError where it is something else."""
    array = _plain(values)
    if array.dtype.kind not in "fiub" or array.ndim != 2:
        raise InputError(f"{name}: expected numbers in two dimensions; got {_described(array)}")
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def _plain(values: Any) -> NDArray[Any]:
    """The values as an array, whatever their type; a tensor's from wherever it is."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        values = (values.float() if values.dtype.is_floating_point and values.element_size() < 4 else values).numpy()
    try:
        return np.asarray(values)
    except ValueError:  # lists of several lengths
        return np.asarray(values, object)


def _described(array: NDArray[Any]) -> str:
    return f"an array of shape {array.shape} and type {array.dtype}"
