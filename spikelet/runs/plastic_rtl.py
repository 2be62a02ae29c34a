"""The engine ``"rtl"`` of plastic networks: the generated Verilog in compiled simulation."""

from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.params import ChipParams
from spikelet.rtl_gen.chip import Chip
from spikelet.rtl_gen.emit import to_verilog
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.verilator import Design

__all__ = ["loaded"]


def loaded(chip: ChipParams, image: ChipImage) -> VerilatedChip:
    """Return a chip's Verilog, compiled, with its contents loaded."""
    compiled = VerilatedChip(chip, Design(to_verilog(Chip(chip), "chip")), name="rtl")
    compiled.load(image)
    return compiled
