"""Peers of :mod:`benchmarks.peers.scale`: the same networks in other simulators.

Each builds what it can beforehand and runs from the first potentials; the time is that of the ticks
alone.
"""

import os
import subprocess
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.peers.scale import SIDE, SLOTS, THRESHOLD, Network
from benchmarks.peers.tasks import Built, Run

__all__ = ["ENGINES"]


def brian2(network: Network, by_delay: bool = False) -> Run:
    """C++ standalone mode; the time is Brian2's own of the loop, without set-up.

    Each synapse has its delay, as Brian2 documents it; or, ``by_delay``, all synapses of the same
    delay are an object of their own, whose spikes need only one queue.
    """
    b2 = import_module("brian2")
    b2.device.reinit()
    b2.device.activate()
    folder = tempfile.mkdtemp(prefix="spikelet-brian2-")
    b2.set_device("cpp_standalone", directory=folder, build_on_run=False)
    b2.prefs.devices.cpp_standalone.openmp_threads = 0
    b2.defaultclock.dt = 1 * b2.ms
    neurons = b2.NeuronGroup(
        network.n_neurons,
        """dv/dt = drive / ms : 1
        core : integer (constant)
        ticks : integer (constant)""",
        threshold="v > threshold + 0.5",  # between two integers, whatever the last bit is
        reset="v -= threshold",
        method="euler",
        namespace={"drive": network.drive, "threshold": THRESHOLD},
    )
    neurons.v = network.potentials.astype(float)
    neurons.core = network.axons // SIDE
    neurons.ticks = network.delays
    parts = []
    rows = network.weights.reshape(-1, SIDE)[network.axons]  # of each neuron's axon
    for only_ticks in range(1, SLOTS) if by_delay else (0,):
        # Synapses follow the threshold in a step, so the next tick is the earliest they act in.
        fixed = {"delay": (only_ticks - 1) * b2.ms} if only_ticks else {}
        part = b2.Synapses(neurons, neurons, "w : 1", on_pre="v_post += w", **fixed)
        only = f" if ticks_pre == {only_ticks}" if only_ticks else ""
        part.connect(j=f"k for k in range({SIDE} * core_pre, {SIDE} * (core_pre + 1)){only}")
        chosen = network.delays == only_ticks if only_ticks else slice(None)
        part.w = rows[chosen].ravel().astype(float)
        if not only_ticks:
            part.delay = "(ticks_pre - 1) * ms"
        parts.append(part)
    rates = b2.PopulationRateMonitor(neurons)
    b2.Network(neurons, *parts, rates).run(network.ticks * b2.ms)
    b2.device.build(directory=folder, compile=True, run=False)
    b2.device.delete(data=False, code=False, directory=False, force=True)
    project, results = Path(folder), Path(folder) / "results"

    def run() -> tuple[float, npt.NDArray[np.int64]]:
        command = ["./main", "--results_dir", f"{results}/"]
        subprocess.run(command, cwd=project, check=True, stdout=subprocess.DEVNULL)
        (rate,) = results.glob("_dynamic_array_ratemonitor*_rate*")
        seconds = float((results / "last_run_info.txt").read_text().split()[0])
        counts = np.fromfile(rate, np.float64) * 1e-3 * network.n_neurons
        return seconds, counts.round().astype(np.int64)

    return run


def brian2_by_delay(network: Network) -> Run:
    """Brian2 with an object of synapses for each delay."""
    return brian2(network, by_delay=True)


def snntorch(network: Network, active_only: bool = False) -> Run:
    """Leaky without a leak, reset by subtraction; all cores in one batched matrix product a tick.

    Or, ``active_only``, only the rows of active axons are added, which torch can do by index.
    """
    snn, torch = import_module("snntorch"), import_module("torch")
    torch.set_num_threads(1)
    leaky = snn.Leaky(beta=1.0, threshold=float(THRESHOLD), reset_mechanism="subtract")
    weights = torch.tensor(network.weights, dtype=torch.float32)
    axons = torch.tensor(network.axons, dtype=torch.int64)
    delays = torch.tensor(network.delays, dtype=torch.int64)

    def currents(due: Any) -> Any:
        if not active_only:
            return torch.bmm(due.view(-1, 1, SIDE), weights).view(-1)
        active = due.nonzero().view(-1)
        sums = torch.zeros(network.n_cores, SIDE)
        return sums.index_add_(0, active // SIDE, weights.view(-1, SIDE)[active]).view(-1)

    def run() -> tuple[float, npt.NDArray[np.int64]]:
        potentials = torch.tensor(network.potentials, dtype=torch.float32)
        bitmaps = torch.zeros(SLOTS, network.n_neurons)
        counts = np.zeros(network.ticks, np.int64)
        start = time.perf_counter()
        with torch.inference_mode():
            for tick in range(network.ticks):
                due = bitmaps[tick % SLOTS]
                spikes, potentials = leaky(currents(due) + network.drive, potentials)
                due.zero_()
                fired = spikes.nonzero().view(-1)
                bitmaps[(tick + delays[fired]) % SLOTS, axons[fired]] = 1
                counts[tick] = len(fired)
        return time.perf_counter() - start, counts

    return run


def snntorch_active(network: Network) -> Run:
    """snnTorch's neurons behind sums of the active rows alone."""
    return snntorch(network, active_only=True)


def nest(network: Network) -> Run:
    """NEST's ``iaf_psc_delta``, all but without a leak; it resets to 0, so its spikes differ."""
    os.environ.setdefault("PYNEST_QUIET", "1")
    simulator: Any = import_module("nest")
    simulator.verbosity = simulator.VerbosityLevel.ERROR
    constants = {"E_L": 0.0, "V_reset": 0.0, "t_ref": 0.0, "C_m": 1.0, "tau_m": 1e9}
    model = {**constants, "V_th": THRESHOLD + 0.5, "I_e": float(network.drive)}

    def run() -> tuple[float, npt.NDArray[np.int64]]:
        simulator.ResetKernel()
        simulator.set(resolution=1.0, local_num_threads=1)
        neurons = simulator.Create("iaf_psc_delta", network.n_neurons, model)
        neurons.V_m = network.potentials.astype(float)
        first = neurons[0].global_id
        targets = (network.axons // SIDE * SIDE)[:, None] + np.arange(SIDE) + first
        simulator.Connect(
            np.repeat(np.arange(network.n_neurons) + first, SIDE),
            targets.ravel(),
            "one_to_one",
            {
                "weight": network.weights.reshape(-1, SIDE)[network.axons].ravel().astype(float),
                "delay": np.repeat(network.delays, SIDE).astype(float),
            },
        )
        recorder = simulator.Create("spike_recorder")
        simulator.Connect(neurons, recorder)
        simulator.Prepare()
        start = time.perf_counter()
        simulator.Run(float(network.ticks))
        seconds = time.perf_counter() - start
        simulator.Cleanup()
        times = np.asarray(recorder.events["times"]).round().astype(np.int64) - 1
        return seconds, np.bincount(times, minlength=network.ticks)[: network.ticks]

    return run


ENGINES: dict[str, Built] = {
    "Brian2": brian2,
    "Brian2, by delay": brian2_by_delay,
    "snnTorch": snntorch,
    "snnTorch, active rows": snntorch_active,
    "NEST": nest,
}
