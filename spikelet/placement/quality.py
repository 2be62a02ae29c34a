"""How good a placement is, which a compiled network remembers without what found it."""

from dataclasses import dataclass

from spikelet.placement.link_loads import LinkLoads

__all__ = ["PlacementQuality", "RandomPlacements"]


@dataclass(frozen=True)
class RandomPlacements:
    """What random placements of the same parts come to, with the same multicasts.

    Parameters
    ----------
    objective, largest : float
        Means of the objective and of the largest link load.
    best : float
        The lowest objective among them.
    count : int
    """

    objective: float
    largest: float
    best: float
    count: int


@dataclass(frozen=True, eq=False)
class PlacementQuality:
    """How good a placement is, beside random ones.

    Parameters
    ----------
    loads : LinkLoads
    random : RandomPlacements
    measured : bool
        Whether rates are those of samples; otherwise every line and neuron counts as one packet a
        tick to each of its destinations.
    """

    loads: LinkLoads
    random: RandomPlacements
    measured: bool
