"""SumPool2d: sums over windows."""

from spikelet.nir.windows import PoolHandler

__all__ = ["SumPool2d"]


class SumPool2d(PoolHandler):
    """The sum over each window of (channels, height, width), folded into the weights behind it."""

    kind = "SumPool2d"
