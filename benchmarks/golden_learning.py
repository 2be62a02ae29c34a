"""Speed of golden learning beside its peers: ``python -m benchmarks.golden_learning``.

One fully connected layer, 784 to 400 LIF neurons, with pair STDP at every synapse; one sample, one
thread. The inputs are as one would feed MNIST at ticks of 1 ms: for 350 ticks at a time a fifth of
the pixels spike at random, at 10 to 60 Hz each.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.table import Table

from benchmarks.golden_speed import ONE_THREAD, Engine
from benchmarks.support import (
    console,
    options_of,
    print_versions,
    run,
    verdict,
    versions,
    write_json,
)
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import joined
from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.description.neurons.models import neuron_model
from spikelet.golden.chip import GoldenChip
from spikelet.golden.dense_spikes import DenseSpikes
from spikelet.golden.native import available, why_not

__all__ = ["main"]

Run = Callable[[], tuple[float, int]]
"""Runs once; returns the seconds it took, and the output spikes, to show that the work is alike."""

INPUTS, NEURONS = 784, 400
PRESENTATION = 350
"""Ticks of one image."""

MEMBRANE, TRACE = 100.0, 20.0
"""Time constants, in ticks."""

THRESHOLD = 30_000
POTENTIATION, DEPRESSION = 1.0, 1.1
"""Largest change of a weight by a pair of spikes; weights are 0..255."""

MEASURE, GOAL = "Brian2, as documented", 10.0
"""How many times as fast as which peer the native path is to be."""


class Task:
    """Inputs and first weights, for all engines.

    Parameters
    ----------
    ticks : int
    """

    def __init__(self, ticks: int) -> None:
        self.ticks = ticks

    @cached_property
    def spikes(self) -> npt.NDArray[np.bool_]:
        """Input spikes, shape (ticks, inputs)."""
        rng = np.random.default_rng(1)
        images = -(-self.ticks // PRESENTATION)
        rates = rng.uniform(0.010, 0.060, (images, INPUTS)) * (rng.random((images, INPUTS)) < 0.2)
        rates = np.repeat(rates, PRESENTATION, axis=0)[: self.ticks]
        return np.asarray(rng.random(rates.shape) < rates)

    @cached_property
    def weights(self) -> npt.NDArray[np.int16]:
        """First weights, shape (inputs, neurons)."""
        return np.random.default_rng(2).integers(0, 120, (INPUTS, NEURONS)).astype(np.int16)


def golden(task: Task, backend: str) -> Run:
    """The golden model, from dense inputs to every spike."""

    def trace(change: float) -> TraceParams:
        decay = round(4096 * np.exp(-1 / TRACE))
        return TraceParams(round(64 * change), decay=decay, bits=10)

    rule = LearningRule(
        "2^-6*x1*y0 - 2^-6*x0*y1", x1=trace(POTENTIATION), y1=trace(DEPRESSION), w_max=255
    )
    core = CoreParams(
        INPUTS,
        NEURONS,
        neuron_model("nir-euler"),
        weight_bits=8,
        weight_format="unsigned",
        potential_bits=20,
        parameters={"decay": "shared"},
        learning=rule,
    )
    image = CoreImage(
        task.weights,
        joined(),
        {
            "threshold": np.array([THRESHOLD], np.int32),
            "decay": np.array([round(4096 * np.exp(-1 / MEMBRANE))], np.int32),
        },
        plastic=np.ones(INPUTS, np.bool_),
    )
    chip = GoldenChip(ChipParams((core,)), ChipImage((image,)), backend=backend)
    first = chip.snapshot()
    routes = np.zeros((INPUTS, 4), np.int64)
    routes[:, 0] = routes[:, 2] = np.arange(INPUTS)
    inputs = DenseSpikes(task.spikes[None], routes)

    def run() -> tuple[float, int]:
        chip.restore(first)
        start = time.perf_counter()
        spikes = chip.run(inputs, record=("spikes",)).spikes
        seconds = time.perf_counter() - start
        assert spikes is not None
        return seconds, int(spikes[0].sum())

    run()
    return run


BY_SYNAPSE = {
    "model": """w : 1
        dx/dt = -x / trace : 1 (event-driven)
        dy/dt = -y / trace : 1 (event-driven)""",
    "on_pre": """v_post += w
        x += potentiation
        w = clip(w - y, 0, 255)""",
    "on_post": """y += depression
        w = clip(w + x, 0, 255)""",
}
"""STDP as Brian2 documents it: traces in the synapses, brought up to date at each spike."""

BY_NEURON = {
    "model": "w : 1",
    "on_pre": """v_post += w
        w = clip(w - y_post, 0, 255)""",
    "on_post": "w = clip(w + x_pre, 0, 255)",
}
"""The same with the traces in the neurons, where every synapse of a neuron finds the same one."""


def brian2(task: Task, synapses: dict[str, str]) -> Run:
    """C++ standalone mode; the time is Brian2's own of the loop, without set-up."""
    b2 = import_module("brian2")
    b2.device.reinit()
    b2.device.activate()
    folder = tempfile.mkdtemp(prefix="spikelet-brian2-")
    b2.set_device("cpp_standalone", directory=folder, build_on_run=False)
    b2.prefs.devices.cpp_standalone.openmp_threads = 0
    b2.defaultclock.dt = 1 * b2.ms
    names = {
        "membrane": MEMBRANE * b2.ms,
        "trace": TRACE * b2.ms,
        "potentiation": POTENTIATION,
        "depression": DEPRESSION,
    }
    trace = "" if synapses is BY_SYNAPSE else "dy/dt = -y / trace : 1"
    neurons = b2.NeuronGroup(
        NEURONS,
        f"dv/dt = -v / membrane : 1\n{trace}",
        threshold=f"v > {THRESHOLD}",
        reset="v = 0" if synapses is BY_SYNAPSE else "v = 0; y += depression",
        method="exact",
        namespace=names,
    )
    if synapses is BY_SYNAPSE:
        tick, line = np.nonzero(task.spikes)
        inputs = b2.SpikeGeneratorGroup(INPUTS, line, tick * b2.ms)
    else:
        given = b2.TimedArray(task.spikes.astype(float), dt=1 * b2.ms)
        inputs = b2.NeuronGroup(
            INPUTS,
            "dx/dt = -x / trace : 1",
            threshold="given(t, i) > 0",
            reset="x += potentiation",
            method="exact",
            namespace={**names, "given": given},
        )
    connections = b2.Synapses(inputs, neurons, **synapses, namespace=names, method="exact")
    connections.connect()
    connections.w = task.weights.ravel().astype(float)
    monitor = b2.SpikeMonitor(neurons)
    network = b2.Network(inputs, neurons, connections, monitor)
    network.run(task.ticks * b2.ms)
    b2.device.build(directory=folder, compile=True, run=False)
    return _standalone(Path(folder))


def _standalone(project: Path) -> Run:
    """Return what runs a project that Brian2 has built; several can be built after each other."""
    results = project / "results"

    def run() -> tuple[float, int]:
        command = ["./main", "--results_dir", f"{results}/"]
        subprocess.run(command, cwd=project, check=True, stdout=subprocess.DEVNULL)
        (spikes,) = results.glob("_dynamic_array_spikemonitor*_i*")
        seconds = float((results / "last_run_info.txt").read_text().split()[0])
        return seconds, spikes.stat().st_size // np.dtype(np.int32).itemsize

    run()
    return run


def nest(task: Task) -> Run:
    """NEST's ``stdp_synapse`` without dependence on the weight, between parrots and LIF neurons."""
    simulator: Any = import_module("nest")
    simulator.verbosity = simulator.VerbosityLevel.ERROR
    times = [np.flatnonzero(line) + 1.0 for line in task.spikes.T]

    def run() -> tuple[float, int]:
        simulator.ResetKernel()
        simulator.set(resolution=1.0, local_num_threads=1)
        generators = simulator.Create("spike_generator", INPUTS)
        for generator, spikes in zip(generators, times, strict=True):
            generator.set(spike_times=spikes)
        parrots = simulator.Create("parrot_neuron", INPUTS)
        constants = {"tau_m": MEMBRANE, "E_L": 0.0, "V_m": 0.0, "V_reset": 0.0, "t_ref": 1.0}
        neurons = simulator.Create(
            "iaf_psc_delta",
            NEURONS,
            {**constants, "V_th": float(THRESHOLD), "tau_minus": TRACE},
        )
        recorder = simulator.Create("spike_recorder")
        simulator.Connect(generators, parrots, "one_to_one", {"delay": 1.0})
        rule = {"lambda": POTENTIATION / 255, "alpha": DEPRESSION / POTENTIATION, "Wmax": 255.0}
        plasticity = {"tau_plus": TRACE, "mu_plus": 0.0, "mu_minus": 0.0}
        synapse = {"synapse_model": "stdp_synapse", "delay": 1.0, **rule, **plasticity}
        weights = task.weights.T.astype(float)
        simulator.Connect(parrots, neurons, "all_to_all", {**synapse, "weight": weights})
        simulator.Connect(neurons, recorder)
        simulator.Prepare()
        start = time.perf_counter()
        simulator.Run(float(task.ticks))
        seconds = time.perf_counter() - start
        simulator.Cleanup()
        return seconds, int(recorder.n_events)

    run()
    return run


PEERS: dict[str, tuple[Callable[[Task], Run], str]] = {
    MEASURE: (lambda task: brian2(task, BY_SYNAPSE), "brian2"),
    "Brian2, traces by neuron": (lambda task: brian2(task, BY_NEURON), "brian2"),
    "NEST": (nest, "nest-simulator"),
}
"""Each peer and the distribution it comes in."""


def main() -> int:
    """Run the benchmark; return 0, or 1 if the goal is not reached and ``--strict`` was given."""
    options = options_of(
        __doc__,
        rounds={"type": int, "default": 5, "help": "measurements of each engine"},
        ticks={"type": int, "default": 20 * PRESENTATION, "help": "ticks of a run"},
        cpu={"type": int, "help": "processor to run on; the last by default"},
        strict={"action": "store_true", "help": "exit with 1 if the goal is not reached"},
    )
    _use_one_thread(options.cpu)
    tools = versions("brian2", "nest-simulator")
    print_versions(tools)
    task = Task(options.ticks)
    engines, missing = _engines(task)
    for _ in range(max(1, options.rounds)):
        for engine in engines:
            engine.measure()
    ours = engines[0]
    ratios = {
        engine.name: statistics.median(
            b / a for a, b in zip(ours.seconds, engine.seconds, strict=True)
        )
        for engine in engines[1:]
    }
    ratio = ratios.get(MEASURE)
    reached = ratio is not None and ours.name == "golden compiled" and ratio >= GOAL
    console.print(_table(task, engines, ratios))
    for name, reason in missing.items():
        console.print(f"[yellow]{name} left out: {reason}")
    if ratio is not None:
        console.print(f"{ratio:.1f} times {MEASURE} (goal {GOAL:.0f}: {verdict(reached)}[/])")
    report = {
        "tools": tools,
        "ticks": task.ticks,
        "rounds": options.rounds,
        "input_spikes_a_tick": float(task.spikes.sum() / task.ticks),
        "ticks_per_s": {engine.name: task.ticks / engine.median for engine in engines},
        "output_spikes": {engine.name: engine.spikes for engine in engines},
        "ratios": ratios,
        "left_out": missing,
        "goal": GOAL,
        "reached": reached,
    }
    write_json(options.json, report)
    return int(options.strict and ratio is not None and not reached)


def _use_one_thread(cpu: int | None) -> None:
    """Start again on one processor and with one thread, since libraries look only once."""
    if all(os.environ.get(name) == value for name, value in ONE_THREAD.items()):
        return
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0)) if cpu is None else cpu})
    arguments = [sys.executable, "-m", "benchmarks.golden_learning", *sys.argv[1:]]
    os.execve(sys.executable, arguments, {**os.environ, **ONE_THREAD, "PYNEST_QUIET": "1"})


def _engines(task: Task) -> tuple[list[Engine], dict[str, str]]:
    """Return the engines that can run, warmed up, and why the others cannot."""
    backends = ("native", "numpy") if available() else ("numpy",)
    missing = {} if available() else {"golden compiled": why_not()}
    engines = [Engine(f"golden {backend}", golden(task, backend)) for backend in backends]
    for name, (build, _) in PEERS.items():
        try:
            engines.append(Engine(name, build(task)))
        except ImportError as error:
            missing[name] = f"{error} (it comes with the extra 'bench')"
        except Exception as error:  # a peer that breaks must not cost the other results
            missing[name] = f"{type(error).__name__}: {error}"
    return engines, missing


def _table(task: Task, engines: list[Engine], ratios: dict[str, float]) -> Table:
    active = task.spikes.sum() / task.ticks
    table = Table(
        title=f"{INPUTS} to {NEURONS} with pair STDP, {task.ticks} ticks, "
        f"{active:.1f} input spikes a tick"
    )
    for title in ("engine", "ms a run", "thousand ticks/s", "slower than ours", "output spikes"):
        table.add_column(title, justify="left" if title == "engine" else "right")
    for engine in engines:
        speed = f"{task.ticks / engine.median / 1e3:.1f}"
        ratio = f"{ratios.get(engine.name, 1):.1f}"
        table.add_row(engine.name, f"{engine.median * 1e3:.2f}", speed, ratio, f"{engine.spikes}")
    return table


if __name__ == "__main__":
    run(main)
