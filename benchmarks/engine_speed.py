"""Speed of a Verilated chip and of cocotb: ``python -m benchmarks.engine_speed``.

Both run the same Verilog of the chip of one 256x256 core with 16 lanes, with 10 % of its inputs
active. cocotb's driver in Python awaits every rising edge of the clock; there are two of it: a lean
one, which reads two wires in a cycle and writes where something changes, and by which the goal is
judged, and one that reads every output and writes every input of the event streams in each cycle.
Seconds are those of the processor, so that other work counts little.
"""

import json
import statistics
import sys
import tempfile
import time
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from benchmarks.support import (
    SIZE,
    console,
    options_of,
    print_versions,
    single_core_chip,
    single_core_image,
    verdict,
    versions,
    write_json,
)
from spikelet.description.chip.packets import flit_packet
from spikelet.description.errors import SpikeletError
from spikelet.description.run.events import Events
from spikelet.description.run.recording import Recording
from spikelet.golden.chip import run as run_golden
from spikelet.rtl_gen.chip import Chip
from spikelet.rtl_gen.emit import to_verilog
from spikelet.sim import run as sim_run
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.verilator import Design

__all__ = ["main"]

GOAL_CYCLES, GOAL_RATIO = 5e6, 30.0

COCOTB_OPTIMISE = "-Os"
"""Of the C++ compiler, for ``optimise="size"``: what Verilator's makefile takes by itself."""

INPUT_RATE, FIRING = 0.1, 13

Measured = tuple[float, int]
"""Seconds of the processor, and clock cycles."""


def main() -> int:
    """Run the benchmark; return 0, or 1 if a goal is not reached and ``--strict`` was given."""
    options = options_of(
        __doc__,
        rounds={"type": int, "default": 5, "help": "measurements of each engine, in turn"},
        ticks={"type": int, "default": 10_000, "help": "for the Verilated chip"},
        cocotb_ticks={"type": int, "default": 200},
        strict={"action": "store_true", "help": "exit with 1 if a goal is not reached"},
    )
    tools = versions("amaranth", "cocotb", "verilator")
    print_versions(tools)
    chip, image = single_core_chip(16), single_core_image(FIRING)
    verilog = to_verilog(Chip(chip), "chip", share=True)
    many, few = _events(options.ticks), _events(options.cocotb_ticks)
    expected = {events.ticks: run_golden(chip, image, events) for events in (many, few)}
    console.print("compiling the engine")
    given = {
        "program": image.program(chip).tolist(),
        "flits": few.flits(chip).tolist(),
        "offsets": few.offsets.tolist(),
        "ticks": few.ticks,
        "axon_mask": (1 << flit_packet(chip).fields[0].width) - 1,
    }
    rounds: list[dict[str, Measured]] = []
    with (
        VerilatedChip(chip, Design(verilog)) as engine,
        tempfile.TemporaryDirectory(prefix="spikelet-bench-") as folder,
    ):
        engine.load(image)
        console.print(f"compiling for cocotb, {COCOTB_OPTIMISE}")
        simulation = sim_run.build(verilog, "chip", waves=False, optimise="size")
        for _ in range(max(1, options.rounds)):
            rounds.append(
                {
                    "compiled": _compiled(engine, many, expected[many.ticks], ()),
                    "recording": _compiled(engine, few, expected[few.ticks], ("states",)),
                    **{
                        name: _cocotb(
                            simulation,
                            {**given, "every_wire": name == "every wire"},
                            expected[few.ticks],
                            Path(folder),
                        )
                        for name in ("cocotb", "every wire")
                    },
                }
            )
            console.print(
                "  ".join(f"{name} {n / s / 1e6:.3f} M/s" for name, (s, n) in rounds[-1].items())
            )
    result = _result(rounds)
    console.print(_table(rounds, result))
    write_json(options.json, {"versions": tools, "cocotb_optimise": COCOTB_OPTIMISE, **result})
    return int(options.strict and not result["reached"])


def _events(ticks: int) -> Events:
    """Return one sample of random input."""
    rng = np.random.default_rng(1)
    spikes = (rng.random((1, ticks, SIZE), np.float32) < INPUT_RATE).astype(np.uint8)
    axon, zero = np.arange(SIZE), np.zeros(SIZE, np.int64)
    return Events.from_spikes(spikes, np.stack([axon, zero, axon, zero], 1))


def _compiled(
    engine: VerilatedChip, events: Events, expected: Recording, record: tuple[str, ...]
) -> Measured:
    before, began = engine.cycles, time.process_time()
    trace = engine.run(events, record=record)
    seconds, cycles = time.process_time() - began, engine.cycles - before
    difference = trace.first_difference(expected)
    if difference:
        raise SpikeletError(f"RTL differs from golden: {difference}")
    return seconds, cycles


def _cocotb(
    simulation: sim_run.Simulation, given: dict[str, Any], expected: Recording, folder: Path
) -> Measured:
    results = folder / "every_cycle.json"
    results.unlink(missing_ok=True)
    given = {**given, "results": str(results)}
    with redirect_stdout(StringIO()):
        sim_run.run(simulation, "benchmarks.bench_every_cycle", given, seed=1, folder=folder)
    report: dict[str, Any] = json.loads(results.read_text())
    lines = [np.flatnonzero(counts).tolist() for counts in expected.outputs[0]]
    if report["outputs"] != lines:
        raise SpikeletError("cocotb's outputs differ from golden")
    return report["seconds"], report["cycles"]


def _result(rounds: list[dict[str, Measured]]) -> dict[str, Any]:
    """Return medians over rounds; the ratio is taken in each round."""

    def speed(name: str) -> list[float]:
        return [cycles / seconds for seconds, cycles in (r[name] for r in rounds)]

    def over(name: str) -> float:
        pairs = zip(speed("compiled"), speed(name), strict=True)
        return statistics.median(ours / theirs for ours, theirs in pairs)

    ratio = over("cocotb")
    medians = {name: statistics.median(speed(name)) for name in rounds[0]}
    return {
        "rounds": len(rounds),
        "cycles_per_s": medians,
        "cycles_per_s_by_round": {name: speed(name) for name in rounds[0]},
        "cycles": {name: rounds[0][name][1] for name in rounds[0]},
        "ratio": ratio,
        "ratio_every_wire": over("every wire"),
        "goal": {"cycles_per_s": GOAL_CYCLES, "ratio": GOAL_RATIO},
        "reached": medians["compiled"] >= GOAL_CYCLES and ratio >= GOAL_RATIO,
    }


def _table(rounds: list[dict[str, Measured]], result: dict[str, Any]) -> Table:
    table = Table(title=f"chip of one {SIZE}x{SIZE} core, 16 lanes, 10 % of inputs active")
    for title in ("engine", "clock cycles", "cycles/s (median)", "lowest", "highest", "goal"):
        table.add_column(title, justify="left" if title == "engine" else "right")
    names = {
        "compiled": "Verilated chip, outputs and counters recorded",
        "recording": "Verilated chip, every potential read in every tick",
        "cocotb": "cocotb, Python in every clock cycle",
        "every wire": "cocotb, every wire in every clock cycle",
    }
    for name, title in names.items():
        speeds = [f"{value:,.0f}" for value in sorted(result["cycles_per_s_by_round"][name])]
        table.add_row(
            *(title, f"{result['cycles'][name]:,}", f"{result['cycles_per_s'][name]:,.0f}"),
            *(speeds[0], speeds[-1], f">= {GOAL_CYCLES:,.0f}" if name == "compiled" else ""),
        )
    table.add_row(
        "Verilated chip to cocotb, median of the rounds",
        *("", f"{result['ratio']:.1f} times", "", "", f">= {GOAL_RATIO:g}"),
    )
    table.add_row("the same, every wire", "", f"{result['ratio_every_wire']:.1f} times", "", "", "")
    table.add_row("", "", "", "", "", verdict(result["reached"]))
    table.caption = (
        f"cocotb's model compiled with {COCOTB_OPTIMISE}, only ports visible; {len(rounds)} rounds"
    )
    return table


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (SpikeletError, sim_run.BenchError) as error:
        sys.exit(f"error: {error}")
