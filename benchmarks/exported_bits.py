"""What is left of exported networks at each weight width: ``python -m benchmarks.exported_bits``.

``--data`` is a folder of NAME.nir, each with what its framework recorded in NAME.npz (``expected``
of the outputs, ``layer_*`` of others), of the samples in digits.npz (``spikes``, ``labels``). Each
file is read by the convention under which the float network comes nearest to what was recorded. The
golden model is calibrated on every other sample and measured on those between, and the other way
round: no sample is measured on a chip that has seen it.
"""

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.table import Table

from benchmarks.support import (
    console,
    options_of,
    print_versions,
    run,
    verdict,
    versions,
    write_json,
)
from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.errors import SpikeletError, SpikeletWarning
from spikelet.network.network import Network
from spikelet.rtl_gen.chip import Chip
from spikelet.rtl_gen.emit import to_verilog
from spikelet.runs.recorded import Recorded, compare_recorded, readings
from spikelet.runs.run import run as spikelet_run
from spikelet.runs.verify import float_outputs
from spikelet.samples.decode import count
from spikelet.samples.samples import Samples
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.verilator import Design

__all__ = ["main"]

WIDTHS = (8, 6, 4, 3, 2)
GOALS = {8: 0.5, 4: 1.0}
"""Percentage points that may be lost on average, by weight bits."""

GOAL_EACH = 3.0
"""The same of each file, at those widths."""

RTL_BITS = 4
_HALVES = (slice(0, None, 2), slice(1, None, 2))


def main() -> int:
    """Run the benchmark; return 0, or 1 if RTL differs, or above a goal with ``--strict``."""
    options = options_of(
        __doc__,
        data={"type": Path, "required": True, "help": "folder of NAME.nir and NAME.npz"},
        inputs={"type": Path, "help": "samples (DATA/digits.npz)"},
        uncalibrated={"action": "store_true", "help": "measure without calibration"},
        neuron_scales={"action": "store_true", "help": "a weight scale for each neuron"},
        rtl_samples={"type": int, "default": 2, "help": "for the RTL at 4 bits; 0 for none"},
        strict={"action": "store_true", "help": "exit with 1 if a goal is not reached"},
    )
    tools = versions("amaranth", "verilator")
    print_versions(tools)
    with np.load(options.inputs or options.data / "digits.npz") as inputs:
        shown = Samples(inputs["spikes"], inputs["labels"].astype(np.int64))
    found: list[dict[str, Any]] = []
    refused: dict[str, str] = {}
    for path in sorted(options.data.glob("*.nir")):
        console.print(f"{path.stem:<40}", end="\r")
        try:
            samples = _with_recorded(shown, path.with_suffix(".npz"))
            network, read, recorded = _read(path, samples)
        except SpikeletError as error:
            refused[path.stem] = str(error)
            continue
        found.append(
            {
                "name": path.stem,
                "read": read,
                "equal": recorded.equal,
                **_measured(network, samples, options.uncalibrated, options.neuron_scales),
                **_rtl(network, samples, options.rtl_samples, options.uncalibrated),
            }
        )
    if not found:
        raise SpikeletError(f"{options.data} holds no network that can be read")
    means = {bits: float(np.mean([n["lost"][bits] for n in found])) for bits in WIDTHS}
    worst = {bits: max(n["lost"][bits] for n in found) for bits in WIDTHS}
    reached = {b: means[b] <= goal and worst[b] <= GOAL_EACH for b, goal in GOALS.items()}
    console.print(_readings_table(found, len(shown.spikes)))
    console.print(_bits_table(found, means, worst, reached))
    for name, why in refused.items():
        console.print(f"{name} is refused: {why}", markup=False, soft_wrap=True)
    result = {"networks": found, "refused": refused, "means": means, "worst": worst}
    write_json(options.json, {"versions": tools, **result, "reached": reached})
    differ = any(network["difference"] for network in found)
    return int(differ or (options.strict and not all(reached.values())))


def _with_recorded(shown: Samples, path: Path) -> Samples:
    """Return the samples with what a framework recorded on them."""
    if not path.is_file():
        raise SpikeletError(f"{path} is missing: what the framework recorded")
    with np.load(path) as file:
        expected = {n.removeprefix("layer_"): file[n] for n in file if n.startswith("layer_")}
        expected[""] = file["expected"]
    return Samples(shown.spikes, shown.labels, path, expected=expected)


def _read(path: Path, samples: Samples) -> tuple[Network, str, Recorded]:
    """Return the file as it is nearest to what was recorded, and the options that read it so."""
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SpikeletWarning)
        for options, network in readings(path, None):
            recorded = compare_recorded(replace(network, origin=None), samples)
            assert recorded is not None
            found.append((network, options, recorded))
        if not found:
            compile_network(path)
            raise SpikeletError(f"{path} can be read by no convention")
    return max(found, key=lambda one: (one[2].equal, _overlap_of(one[2])))


def _overlap_of(recorded: Recorded) -> float:
    common = sum(layer.common for layer in recorded.layers)
    return common / max(1, sum(x.recorded + x.found - x.common for x in recorded.layers))


def _measured(
    network: Network, samples: Samples, uncalibrated: bool, neuron_scales: bool
) -> dict[str, Any]:
    """Return points of accuracy lost against float, and overlap of outputs with the recorded."""
    total = len(samples.spikes)
    recorded = samples.expected[""]
    right = samples.score(count(float_outputs(network, samples.spikes))).correct
    of_framework = samples.score(recorded.sum(axis=1)).correct
    assert right is not None and of_framework is not None
    lost: dict[int, float] = {}
    overlaps: dict[int, float | None] = {}
    for bits in WIDTHS:
        hits, common, either = 0, 0, 0
        for taken, measured in (_HALVES, _HALVES[::-1]):
            compiled = compile_network(
                network,
                weight_bits=bits,
                neuron_scales=neuron_scales,
                calibration=None if uncalibrated else samples.spikes[taken],
            )
            ran = spikelet_run(compiled, samples.spikes[measured], record=())
            assert samples.labels is not None
            hits += int((ran.classify() == samples.labels[measured]).sum())
            if not network.readouts:
                common += int(np.minimum(ran.outputs, recorded[measured]).sum())
                either += int(np.maximum(ran.outputs, recorded[measured]).sum())
        lost[bits] = 100 * (right - hits) / total
        overlaps[bits] = common / either if either else None
    return {
        "accuracy": right / total,
        "recorded_accuracy": of_framework / total,
        "lost": lost,
        "overlap": overlaps,
    }


def _rtl(network: Network, samples: Samples, n: int, uncalibrated: bool) -> dict[str, Any]:
    """Return where the RTL first differs from golden on the first samples; "" for nowhere."""
    if not n:
        return {"difference": "", "compared": ()}
    calibration = None if uncalibrated else samples.spikes[_HALVES[1]]
    compiled = compile_network(network, weight_bits=RTL_BITS, calibration=calibration)
    return _difference(compiled, samples.spikes[:n])


def _difference(compiled: CompiledNetwork, spikes: npt.NDArray[np.uint8]) -> dict[str, Any]:
    expected = spikelet_run(compiled, spikes, record=("spikes", "states")).recording
    with VerilatedChip(compiled.chip, Design(to_verilog(Chip(compiled.chip), "chip"))) as chip:
        chip.load(compiled.image)
        trace = chip.run(compiled.events(spikes), neurons=compiled.neurons)
    return {
        "difference": str(trace.first_difference(expected) or ""),
        "compared": trace.compared(expected),
    }


def _readings_table(found: list[dict[str, Any]], total: int) -> Table:
    table = Table(title="how each file is read")
    for title in ("network", "read with"):
        table.add_column(title, no_wrap=True)
    for title in ("= recorded", "recorded", "float", "RTL to golden"):
        table.add_column(title, justify="right")
    for n in found:
        equal, rtl = f"{n['equal']} of {total}", n["difference"] or ("equal" * bool(n["compared"]))
        accuracies = (f"{n[name]:.2%}" for name in ("recorded_accuracy", "accuracy"))
        table.add_row(n["name"], n["read"], equal, *accuracies, rtl)
    return table


def _bits_table(
    found: list[dict[str, Any]],
    means: dict[int, float],
    worst: dict[int, float],
    reached: dict[int, bool],
) -> Table:
    table = Table(title="points lost against float; overlap of outputs with those recorded")
    table.add_column("network", no_wrap=True)
    for bits in WIDTHS:
        table.add_column(f"{bits} bits", justify="right")
    for n in found:
        overlaps = ("" if n["overlap"][b] is None else f"{n['overlap'][b]:.2f}" for b in WIDTHS)
        lost = (f"{n['lost'][bits]:.2f}" for bits in WIDTHS)
        table.add_row(n["name"], *(f"{a}  {b:>4}" for a, b in zip(lost, overlaps, strict=True)))
    for title, numbers in (("mean", means), ("worst", worst)):
        table.add_row(title, *(f"{numbers[bits]:.2f}      " for bits in WIDTHS))
    goals = [f"mean {GOALS[b]:g}, each {GOAL_EACH:g}" if b in GOALS else "" for b in WIDTHS]
    table.add_row("at most", *goals)
    table.add_row("", *(verdict(reached[b]) if b in reached else "" for b in WIDTHS))
    return table


if __name__ == "__main__":
    run(main)
