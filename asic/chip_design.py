"""A chip for standard cells: Verilog without initial values, memories as macros, constraints."""

from collections.abc import Mapping
from dataclasses import dataclass

from spikelet.asic.memories import memory_files
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.rtl_gen.emit import check_top, to_verilog
from spikelet.rtl_gen.joined_chips import whole_chip
from spikelet.rtl_gen.memory_macros import MacroShape, MemoryMacros

__all__ = ["SMALLEST_MACRO_BITS", "AsicDesign", "asic_design", "constraints"]

SMALLEST_MACRO_BITS = 1024
"""Memories of fewer bits become registers, unless another number is asked for."""

_OUTSIDE = 0.2
"""Share of a clock cycle that is left to what is outside the chip, at each side."""


@dataclass(frozen=True)
class AsicDesign:
    """A chip for standard cells.

    Parameters
    ----------
    top : str
    files : dict of str to str
        ``chip.v``, and those of :func:`~spikelet.asic.memories.memory_files`.
    macros : mapping of MacroShape to int
        How many of each.
    """

    top: str
    files: dict[str, str]
    macros: Mapping[MacroShape, int]


def asic_design(
    chip: ChipParams, *, top: str = "chip", smallest_macro_bits: int = SMALLEST_MACRO_BITS
) -> AsicDesign:
    """Return a chip for standard cells.

    Its registers and memories hold anything after power-on; two cycles of reset, and the loading
    program, are all that it needs.

    Parameters
    ----------
    chip : ChipParams
    top : str
        With which the names of all modules begin.
    smallest_macro_bits : int
        1 or more: memories of fewer bits, and those of one word, become registers.
    """
    check_top(top)
    if smallest_macro_bits < 1:
        raise SpikeletError(f"smallest_macro_bits must be 1 or more, not {smallest_macro_bits}")
    macros = MemoryMacros(top, smallest_macro_bits)
    verilog = to_verilog(whole_chip(chip), top, initial_values=False, platform=macros)
    files = {"chip.v": verilog, **memory_files(top, macros.instances)}
    return AsicDesign(top, files, dict(macros.instances))


def constraints(clock_mhz: float) -> str:
    """Return the constraints (SDC) of a chip: one clock, and ports that take a fifth of its cycle.

    Parameters
    ----------
    clock_mhz : float
        Above 0.
    """
    period = 1000 / clock_mhz
    return f"""\
# Spikelet: one clock; times in ns. Ports leave {_OUTSIDE:.0%} of a cycle to what is outside.
create_clock -name clk -period {period:.3f} [get_ports clk]
set_clock_uncertainty {period / 50:.3f} [get_clocks clk]
set_input_delay {period * _OUTSIDE:.3f} -clock clk [all_inputs]
set_output_delay {period * _OUTSIDE:.3f} -clock clk [all_outputs]
"""
