"""AvgPool2d: averages over windows."""

from math import prod

from spikelet.nir.windows import PoolHandler

__all__ = ["AvgPool2d"]


class AvgPool2d(PoolHandler):
    """The average over each window of (channels, height, width), folded into the weights behind it.
    Zeros of the padding count, as in PyTorch by default.
    """

    kind = "AvgPool2d"

    def weight(self, window: tuple[int, ...]) -> float:
        """Return one part of the window."""
        return 1 / prod(window)
