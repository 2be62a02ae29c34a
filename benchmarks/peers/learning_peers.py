"""Peers of :mod:`benchmarks.peers.learning`: the same in other simulators."""

import subprocess
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.peers.learning import (
    DEPRESSION,
    INPUTS,
    MEMBRANE,
    NEURONS,
    POTENTIATION,
    THRESHOLD,
    TRACE,
    Learning,
)
from benchmarks.peers.tasks import Built, Run

__all__ = ["ENGINES"]

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


def brian2(task: Learning, synapses: dict[str, str]) -> Run:
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

    def run() -> tuple[float, npt.NDArray[np.int64]]:
        command = ["./main", "--results_dir", f"{results}/"]
        subprocess.run(command, cwd=project, check=True, stdout=subprocess.DEVNULL)
        (spikes,) = results.glob("_dynamic_array_spikemonitor*_i*")
        seconds = float((results / "last_run_info.txt").read_text().split()[0])
        return seconds, np.array([spikes.stat().st_size // np.dtype(np.int32).itemsize])

    run()
    return run


def nest(task: Learning) -> Run:
    """NEST's ``stdp_synapse`` without dependence on the weight, between parrots and LIF neurons."""
    simulator: Any = import_module("nest")
    simulator.verbosity = simulator.VerbosityLevel.ERROR
    times = [np.flatnonzero(line) + 1.0 for line in task.spikes.T]

    def run() -> tuple[float, npt.NDArray[np.int64]]:
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
        return seconds, np.array([int(recorder.n_events)])

    run()
    return run


ENGINES: dict[str, Built] = {
    "Brian2": lambda task: brian2(task, BY_SYNAPSE),
    "Brian2, traces by neuron": lambda task: brian2(task, BY_NEURON),
    "NEST": nest,
}
