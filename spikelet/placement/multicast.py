"""Which rectangles of cores a multicast packet goes to.

A rectangle costs one entry of a destination list, and never more links than a packet to each of its
cores: the packet's tree is the union of their ways. So rectangles are always used where they are
found; which ones is all there is to choose. They must hold no other core, whose axon of that number
means something else.
"""

import numpy as np
import numpy.typing as npt

__all__ = ["cover"]

IntArray = npt.NDArray[np.int64]


def cover(width: int, positions: IntArray) -> IntArray:
    """Return few rectangles that hold exactly the given positions, each once.

    Runs of positions are merged where they lie under each other and are equally long; once with
    the runs along rows, once along columns, and the fewer rectangles are kept.

    Parameters
    ----------
    width : int
        Of the floorplan.
    positions : array of int64
        Distinct, of any order.

    Returns
    -------
    array of int64, shape (rectangles, 4)
        x, y, columns, rows.
    """
    places = [divmod(position, width) for position in positions.tolist()]
    by_rows = _merged_runs(sorted(places))
    by_columns = _merged_runs(sorted((x, y) for y, x in places))
    if len(by_columns) < len(by_rows):
        by_rows = [(y, x, rows, columns) for x, y, columns, rows in by_columns]
    return np.array(by_rows, np.int64)


def _merged_runs(places: list[tuple[int, int]]) -> list[tuple[int, int, int, int]]:
    """Return (place, line, places, lines) of equal runs in consecutive lines of (line, place).

    In plain Python: sets are small, and numpy takes longer to begin than this to end.
    """
    runs: list[tuple[int, int, int]] = []  # line, first place, length
    for line, place in places:
        if runs and runs[-1][0] == line and runs[-1][1] + runs[-1][2] == place:
            runs[-1] = (line, runs[-1][1], runs[-1][2] + 1)
        else:
            runs.append((line, place, 1))
    tops: dict[tuple[int, int, int], int] = {}  # next line, place and length: where it began
    for line, place, length in runs:
        top = tops.pop((line, place, length), line)
        tops[line + 1, place, length] = top
    return [(place, top, length, end - top) for (end, place, length), top in tops.items()]
