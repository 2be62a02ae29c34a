"""Weight matrices, dense or sparse: those of a convolution are nearly all 0, and are not stored.

A sparse matrix is a scipy ``csr_array`` in canonical form: in each row, columns in ascending order
and none twice. scipy is imported where one is made, since it takes long to import.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from spikelet.description.artefact import ArrayBlocks
from spikelet.description.installation import require

__all__ = [
    "Matrix",
    "as_sparse",
    "blocks",
    "by_column",
    "dense",
    "from_arrays",
    "from_places",
    "is_sparse",
    "same_places",
    "some_columns",
    "stacked",
    "stored",
    "to_arrays",
    "zeros_of",
]

SparseMatrix: TypeAlias = Any
"""A scipy ``csr_array``."""

Matrix: TypeAlias = npt.NDArray[Any] | SparseMatrix
"""Shape (n_source, n_target)."""

_BLOCK = 1 << 20
"""Values of a sparse matrix that are written out at once."""

_COLUMNS = 256
"""The same, in columns."""


def as_sparse(weights: Matrix) -> SparseMatrix:
    """Return a matrix in canonical form, without stored zeros."""
    found = _sparse().csr_array(weights)
    found.sum_duplicates()
    found.eliminate_zeros()
    return found


def from_places(
    values: npt.NDArray[Any],
    sources: npt.NDArray[np.int64],
    targets: npt.NDArray[np.int64],
    shape: tuple[int, int],
) -> SparseMatrix:
    """Return a sparse matrix of some values and their places; those of one place are added."""
    return as_sparse(_sparse().coo_array((values, (sources, targets)), shape=shape))


def is_sparse(weights: Matrix) -> bool:
    """Return whether a matrix is sparse."""
    return not isinstance(weights, np.ndarray)


def dense(weights: Matrix) -> npt.NDArray[Any]:
    """Return a matrix as an array, shape (n_source, n_target)."""
    if isinstance(weights, np.ndarray):
        return weights
    found: npt.NDArray[Any] = weights.toarray()
    return found


def stored(weights: Matrix) -> npt.NDArray[Any]:
    """Return the values that are stored, row by row: all that are not 0 are among them."""
    if isinstance(weights, np.ndarray):
        return weights.ravel()
    found: npt.NDArray[Any] = weights.data
    return found


def zeros_of(weights: Matrix) -> int:
    """Return how many values are 0 without being stored."""
    return int(np.prod(weights.shape)) - stored(weights).size


def same_places(weights: Matrix, values: npt.NDArray[Any]) -> Matrix:
    """Return other values at the places of :func:`stored`."""
    if isinstance(weights, np.ndarray):
        return values.reshape(weights.shape)
    return _sparse().csr_array((values, weights.indices, weights.indptr), shape=weights.shape)


def by_column(
    weights: Matrix, operation: Callable[..., npt.NDArray[Any]], each: npt.NDArray[Any]
) -> Matrix:
    """Return what an operation, such as ``np.divide``, makes of each value and one of its column.

    0 must stay 0. ``each`` has shape (n_target,) or (1,).
    """
    if isinstance(weights, np.ndarray):
        return operation(weights, each)
    values = np.broadcast_to(each, weights.shape[1:])[weights.indices]
    return same_places(weights, operation(weights.data, values))


def some_columns(weights: Matrix) -> Iterator[npt.NDArray[Any]]:
    """Yield all columns as arrays (n_source, columns), of a sparse matrix a few at a time."""
    if isinstance(weights, np.ndarray):
        yield weights
        return
    columns = _sparse().csc_array(weights)
    for first in range(0, weights.shape[1], _COLUMNS):
        yield columns[:, first : first + _COLUMNS].toarray()


def stacked(parts: Sequence[Matrix]) -> Matrix:
    """Return matrices of as many columns, one below the other: dense if all are."""
    if any(is_sparse(part) for part in parts):
        return as_sparse(_sparse().vstack([_sparse().csr_array(part) for part in parts]))
    return np.concatenate(parts)


def blocks(weights: Matrix) -> npt.NDArray[Any] | ArrayBlocks:
    """Return a matrix for :func:`digest_of`, which is that of the dense matrix."""
    if isinstance(weights, np.ndarray):
        return weights
    rows = max(1, _BLOCK // max(1, weights.shape[1]))
    starts = range(0, weights.shape[0], rows)
    return ArrayBlocks(
        weights.dtype, weights.shape, (weights[i : i + rows].toarray() for i in starts)
    )


def to_arrays(name: str, weights: Matrix) -> dict[str, npt.NDArray[Any]]:
    """Return a matrix as arrays of a file: one of its name, or the parts of a sparse one."""
    if isinstance(weights, np.ndarray):
        return {name: weights}
    return {
        f"{name}.data": weights.data,
        f"{name}.indices": weights.indices,
        f"{name}.indptr": weights.indptr,
        f"{name}.shape": np.array(weights.shape),
    }


def from_arrays(name: str, arrays: Mapping[str, npt.NDArray[Any]]) -> Matrix:
    """Return a matrix; inverse of :func:`to_arrays`. ValueError if the parts are none."""
    if name in arrays:
        return arrays[name]
    data, indices, indptr, shape = (
        arrays[f"{name}.{part}"] for part in ("data", "indices", "indptr", "shape")
    )
    found = _sparse().csr_array((data, indices, indptr), shape=tuple(shape.tolist()))
    found.check_format()
    return found


def _sparse() -> Any:
    require("scipy", "a sparse matrix of weights, such as a convolution's")
    from scipy import sparse  # noqa: PLC0415

    return sparse
