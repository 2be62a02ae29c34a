"""Two descriptions of a board in lock step: pins in every cycle, and registers by name.

The first is the design as it was written; the second what became of it, such as a netlist or the
circuit of a bitstream.
"""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spikelet.description.toolchain import load_library
from spikelet.sim.verilator import Design, build_library

__all__ = ["Paired", "PairedBoards"]

_HARNESS = Path(__file__).with_name("paired.cpp")
_AFTER = 64
"""Cycles that are run behind the verdict."""
_JOIN = ",\n"  # Verilator takes no line of more than 40,000 tokens


@dataclass(frozen=True)
class Paired:
    """What two descriptions of a board did.

    Parameters
    ----------
    cycles : int
        Clock cycles run.
    leds_differ, registers_differ : int or None
        Cycle of the first difference; None if there is none.
    register : str
        A register that differed first; empty if none did.
    verdicts : (int or None, int or None)
        Cycle in which each lit a LED that gives the verdict.
    lit : (int, int)
        The LEDs that each lit at the end, LED 0 the lowest bit.
    changed : int
        Registers that were compared and ever changed.
    touched : int
        Cycles in which something that the variant changes had another value.
    """

    cycles: int
    leds_differ: int | None
    registers_differ: int | None
    register: str
    verdicts: tuple[int | None, int | None]
    lit: tuple[int, int]
    changed: int
    touched: int

    @property
    def equal(self) -> bool:
        """Whether nothing differed in any cycle."""
        return self.leds_differ is None and self.registers_differ is None


class PairedBoards:
    """Two boards in one Verilated model.

    Parameters
    ----------
    first : str
        Verilog of module ``top`` with the ports ``clk``, ``button`` and ``led``.
    second : Design
        Verilog of module ``second`` with the same ports, and with ``variant`` and ``touched``, if
        there are variants; with the models of the cells of both. Without text the first runs alone.
    leds : int
        Number of LEDs.
    registers : sequence of (str, str, str)
        Name of each bit that is compared, and how Verilog refers to it from outside of instances
        ``first`` and ``second``.
    variants : bool
    optimise : str
        As for :func:`spikelet.sim.verilator.build_library`.

    Raises
    ------
    SpikeletError
        If a tool is missing or fails, or the second uses a cell that has no model.
    """

    def __init__(
        self,
        first: str,
        second: Design,
        *,
        leds: int,
        registers: Sequence[tuple[str, str, str]] = (),
        variants: bool = False,
        optimise: str = "build",
    ) -> None:
        self._names = [name for name, *_ in registers]
        wrapper = _wrapper(leds, registers, variants, alone=not second.text)
        design = Design("\n".join([first, second.text, wrapper]), second.models, second.include)
        self._library = load_library(build_library(design, "paired", _HARNESS, optimise=optimise))
        number = ctypes.c_int64
        self._library.paired_run.argtypes = [*[number] * 7, ctypes.c_void_p, ctypes.c_void_p]

    def run(
        self,
        *,
        limit: int,
        released: int,
        inverted: int,
        verdicts: int,
        variant: int = 0,
    ) -> Paired:
        """Run both from configuration until shortly after the verdict or a difference of LEDs.

        Parameters
        ----------
        limit : int
            Clock cycles at most.
        released, inverted : int
            Level of the button; LEDs that light at 0.
        verdicts : int
            LEDs that give the verdict, as bits.
        variant : int
            0, or which variant of the second.
        """
        changed = np.zeros(max(1, len(self._names)), np.uint8)
        results = np.zeros(9, np.int64)
        self._library.paired_run(
            *(variant, limit, _AFTER, released, inverted, verdicts, len(self._names)),
            *(changed.ctypes.data, results.ctypes.data),
        )
        cycles, leds, registers, first, second, lit, other, which, touched = results.tolist()
        return Paired(
            cycles=cycles,
            leds_differ=_cycle(leds),
            registers_differ=_cycle(registers),
            register=self._names[which] if which >= 0 else "",
            verdicts=(_cycle(first), _cycle(second)),
            lit=(lit, other),
            changed=int(changed.sum()),
            touched=touched,
        )


def _cycle(value: int) -> int | None:
    return None if value < 0 else value


def _wrapper(
    leds: int, registers: Sequence[tuple[str, str, str]], variants: bool, *, alone: bool
) -> str:
    """Return a module that holds both, and says what differs."""
    # at least three words, so that the port is an array in C++ whatever the number of registers
    width = max(65, len(registers))
    shared = "(.clk(clk), .button(button), .led(led_{}){});"
    more = ", .variant(variant), .touched(touched)" if variants else ""
    second = shared.format("second", more)
    other = "assign led_second = led_first;" if alone else f"second second {second}"
    return f"""\
module paired(clk, button, variant, led_first, led_second, values, differs, any, touched);
  input clk, button;
  input [15:0] variant;
  output [{leds - 1}:0] led_first, led_second;
  output [{width - 1}:0] values, differs;
  output any, touched;
  top first {shared.format("first", "")}
  {other}
  assign values = {_joined([first for _, first, _ in registers])};
  assign differs = values ^ {_joined([second for *_, second in registers])};
  assign any = |differs;
  {"" if variants else "assign touched = 1'b0;"}
endmodule
"""


def _joined(references: Sequence[str]) -> str:
    return f"{{{_JOIN.join(reversed(references))}}}" if references else "1'b0"
