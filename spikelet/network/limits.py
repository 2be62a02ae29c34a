"""How large cores may become, and how they are built."""

from dataclasses import dataclass

from spikelet.description.errors import SpikeletError
from spikelet.description.synapses.formats import synapse_format
from spikelet.placement.core_limits import CoreLimits

__all__ = ["AUTO", "PlacementLimits"]

AUTO = "auto"
"""Synapses in whatever format takes least; see :mod:`spikelet.compiler.synapses`."""


@dataclass(frozen=True)
class PlacementLimits(CoreLimits):
    """The largest core to generate.

    Parameters
    ----------
    max_axons, max_neurons, lanes, layer_cores
        As for :class:`CoreLimits`. What a stochastic rule draws depends on ``lanes``.
    pipelines : int
        Neuron-update pipelines, at most ``lanes``; a power of two.
    weight_memory : str
        As for :class:`CoreParams`: ``"block"`` or ``"spram"``.
    synapses : str
        ``"auto"``: cores share the kernel of a convolution, or store rows of the weights that are
        not 0, where that takes less than dense synapses; ``"shared"``, ``"gather"``, ``"sparse"``:
        wherever they can; or a format for all cores, as for :class:`CoreParams`.
    block_ram : int
        Bits of a block RAM, by which ``"auto"`` compares memories; a power of two. Where they are
        as small as 4096 bits, ``"gather"`` is compared too.
    fifo_depth : int
        Flits that wait at each input of a router, 2..16. They are registers in a family
        without distributed RAM.
    early_stop : bool
        As for :class:`ChipParams`: whether the chip can stop at the first output spike.
    tick_timer : bool
        As for :class:`ChipParams`: whether the chip can start ticks by itself.
    narrow : bool
        As for :class:`CoreLimits`; and whether a core's potentials have only the bits that they can
        need, as far as weights and leak bound them: see :mod:`spikelet.compiler.narrow`.
    rest : bool
        As for :class:`CoreParams`: whether cores cut silent ticks short, of those that can.
    """

    lanes: int = 16
    pipelines: int = 1
    weight_memory: str = "block"
    synapses: str = AUTO
    block_ram: int = 16384
    fifo_depth: int = 4
    early_stop: bool = False
    tick_timer: bool = True
    rest: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check("pipelines", 1, self.lanes, power_of_two=True)
        self.check("block_ram", 512, 1 << 20, power_of_two=True)
        self.check("fifo_depth", 2, 16)
        for name in ("early_stop", "tick_timer", "rest", "narrow"):
            if type(value := getattr(self, name)) is not bool:
                raise SpikeletError(f"limits: {name} must be true or false, not {value!r}")
        if self.synapses != AUTO:
            synapse_format(self.synapses)
