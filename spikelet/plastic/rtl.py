"""The engine ``"rtl"`` of plastic networks: the generated Verilog in compiled simulation."""

from rtl_gen.chip import Chip
from rtl_gen.emit import to_verilog
from sim.engine import CompiledChip
from sim.verilator import Design
from spikelet.description.image import ChipImage
from spikelet.description.params import ChipParams

__all__ = ["loaded"]


def loaded(chip: ChipParams, image: ChipImage) -> CompiledChip:
    """Return a chip's Verilog, compiled, with its contents loaded."""
    compiled = CompiledChip(chip, Design(to_verilog(Chip(chip), "chip")), name="rtl")
    compiled.load(image)
    return compiled
