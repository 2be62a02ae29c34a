"""The Verilated engine: the driver of ``host/``, linked to a chip in a shared library.

The library is built once for each design and kept by its content. The chip is used through its
ports only, so the same engine runs the generated RTL and a netlist that came out of synthesis.
"""

from pathlib import Path

from spikelet.description.chip.params import ChipParams
from spikelet.host.driver import Chip
from spikelet.sim.verilated_link import VerilatedLink
from spikelet.sim.verilator import Design

__all__ = ["VerilatedChip"]


class VerilatedChip(Chip):
    """A chip in compiled simulation.

    Parameters
    ----------
    chip : ChipParams
    design : Design
        Verilog of the chip, top module ``chip``.
    name : str
        Engine name for the Recordings, such as ``"rtl"``.
    optimise : str
        ``"run"`` or ``"build"``; see :func:`spikelet.sim.verilator.build_library`.
    power_on_seed : int or None
        As for :class:`VerilatedLink`.

    Raises
    ------
    SpikeletError
        If a tool is missing, or the design is not this chip.
    """

    def __init__(
        self,
        chip: ChipParams,
        design: Design,
        *,
        name: str = "rtl",
        optimise: str = "run",
        power_on_seed: int | None = None,
    ) -> None:
        self._verilated = VerilatedLink(design, optimise=optimise, power_on_seed=power_on_seed)
        super().__init__(chip, self._verilated, name=name)

    @property
    def library(self) -> Path:
        """The library's file, in the cache."""
        return self._verilated.library

    @property
    def cycles(self) -> int:
        """Clock cycles simulated so far."""
        return self._verilated.cycles
