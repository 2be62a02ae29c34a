"""Stuck flip-flops in a netlist of a self-test image, each simulated in one Verilated model.

The netlist's top is ``watched``: a board with its self-test, and ports that show the spikes that
leave the chip and read the chip's words past the self-test.
"""

import ctypes
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError
from spikelet.sim.verilator import Design, build_library

__all__ = ["Observed", "StuckBoard", "flip_flops", "with_stuck_flip_flops"]

_HARNESS = Path(__file__).with_name("stuck_at.cpp")
_TOP = "watched"


def _pattern(kinds: Sequence[str]) -> re.Pattern[str]:
    """Return what matches a flip-flop as Yosys writes it, with its output net."""
    names = "|".join(map(re.escape, kinds))
    return re.compile(
        rf"^  (?:{names})\w* (?:#\([^;]*?\) )?\S+ +\([^;]*?\.Q\((\\\S+ |\w+)\)[^;]*?;", re.M
    )


def flip_flops(netlist: str, kinds: Sequence[str]) -> list[str]:
    """Return the output nets of all flip-flops of a netlist that Yosys wrote, in its order.

    Parameters
    ----------
    netlist : str
    kinds : sequence of str
        With which the types of the family's flip-flops begin.
    """
    return [net.strip().removeprefix("\\") for net in _pattern(kinds).findall(netlist)]


def with_stuck_flip_flops(netlist: str, kinds: Sequence[str], top: str, nets: Sequence[str]) -> str:
    """Return a netlist in which one flip-flop can be stuck.

    Its top gets two more inputs: ``stuck``, 16 bits, 1 for the first of ``nets`` and so on, 0 for
    none, and ``stuck_value``, 1 bit.

    Raises
    ------
    SpikeletError
        If a net is not the output of exactly one flip-flop.
    """
    places = {net: place for place, net in enumerate(nets, start=1)}
    found: list[str] = []

    def moved(match: re.Match[str]) -> str:
        net = match[1].strip().removeprefix("\\")
        if net not in places:
            return match[0]
        found.append(net)
        return match[0].replace(f".Q({match[1]})", f".Q(stuck_q[{places[net]}])")

    text = _pattern(kinds).sub(moved, netlist)
    wrong = [net for net in places if nets.count(net) != 1 or found.count(net) != 1]
    if wrong:
        raise SpikeletError(
            f"netlist {top}: {', '.join(wrong[:3])} must be the output of one flip-flop each",
            remedy="choose nets of flip_flops(), each once",
        )
    added = [f"  wire [{len(nets)}:0] stuck_q;"]
    added += [
        f"  assign \\{net} = stuck == {place} ? stuck_value : stuck_q[{place}];"
        for net, place in places.items()
    ]
    ports = "  input [15:0] stuck;\n  input stuck_value;\n"
    header = re.compile(rf"^module {re.escape(top)}\(", re.M)
    text, headers = header.subn(f"module {top}(stuck, stuck_value, ", text)
    if headers != 1:
        raise SpikeletError(f"the netlist has no module {top}")
    first = text.index(";\n", text.index(f"module {top}(")) + 2
    last = text.index("endmodule", first)
    return "".join([text[:first], ports, text[first:last], "\n".join(added), "\n", text[last:]])


@dataclass(frozen=True)
class Observed:
    """What a board with a stuck flip-flop did.

    Parameters
    ----------
    leds : int
        Those lit at the end, LED 0 the lowest bit.
    cycles : int
        Clock cycles until a verdict was lit, or the limit.
    spikes : array of int64, shape (n_outputs + 1,)
        Spikes that left the chip on each output line; the last: on lines that there are not.
    words : array of uint32
        The words asked for; fewer if the chip no longer answers.
    """

    leds: int
    cycles: int
    spikes: npt.NDArray[np.int64]
    words: npt.NDArray[np.uint32]


class StuckBoard:
    """A netlist with flip-flops that can be stuck, compiled once for all of them.

    Parameters
    ----------
    design : Design
        Verilog from Yosys, with the models of its cells, of a module ``watched`` with the ports
        ``clk``, ``button``, ``led``, ``take``, ``request_valid``, ``request_ready``,
        ``request_address``, ``response_valid``, ``response_data``, ``spike_valid`` and
        ``spike_line``.
    kinds : sequence of str
        As for :func:`flip_flops`.
    nets : sequence of str
        Outputs of the flip-flops, as :func:`flip_flops` names them.
    """

    def __init__(self, design: Design, kinds: Sequence[str], nets: Sequence[str]) -> None:
        text = with_stuck_flip_flops(design.text, kinds, _TOP, nets)
        stuck = replace(design, text=text)
        self._library = ctypes.CDLL(str(build_library(stuck, _TOP, _HARNESS, optimise="build")))
        self._library.stuck_run.restype = ctypes.c_int64

    def run(
        self,
        stuck: tuple[int, int] | None,
        *,
        released: int,
        inverted: int,
        verdicts: int,
        limit: int,
        n_outputs: int,
        addresses: npt.NDArray[np.uint32],
    ) -> Observed:
        """Run from configuration until a LED of ``verdicts`` is lit; then read words of the chip.

        Parameters
        ----------
        stuck : (int, int) or None
            Place in ``nets``, and 0 or 1; None for a board without a fault.
        released, inverted : int
            Level of the button; LEDs that light at 0.
        verdicts : int
            LEDs, as bits.
        limit : int
            Clock cycles.
        n_outputs : int
        addresses : array of uint32
            Of the words to read.
        """
        place, value = (stuck[0] + 1, stuck[1]) if stuck else (0, 0)
        spikes = np.zeros(n_outputs + 1, np.int64)
        asked = np.ascontiguousarray(addresses, np.uint32)
        words = np.zeros(len(asked), np.uint32)
        leds, cycles = ctypes.c_uint32(), ctypes.c_int64()

        def at(array: npt.NDArray[Any]) -> ctypes.c_void_p:
            return ctypes.c_void_p(array.ctypes.data)

        answered = self._library.stuck_run(
            *map(ctypes.c_int32, (place, value)),
            *map(ctypes.c_uint32, (released, inverted, verdicts)),
            *(ctypes.c_int64(limit), ctypes.c_int64(len(spikes)), at(spikes)),
            *(ctypes.c_int64(len(asked)), at(asked), at(words)),
            *(ctypes.byref(leds), ctypes.byref(cycles)),
        )
        return Observed(leds.value, cycles.value, spikes, words[:answered])
