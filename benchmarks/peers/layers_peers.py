"""Peers of :mod:`benchmarks.peers.layers`: the same networks in other simulators.

Each is a function that builds and warms up what it can beforehand, with the input in its own
natural form, and returns what runs it once.
"""

import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.peers.layers import Layers
from benchmarks.peers.tasks import Built, Run

__all__ = ["ENGINES"]


def _timed(simulate: Callable[[], Any], count: Callable[[Any], Any]) -> Run:
    """Return a Run that times ``simulate`` and counts the spikes of its result outside the time."""

    def run() -> tuple[float, npt.NDArray[np.int64]]:
        start = time.perf_counter()
        result = simulate()
        seconds = time.perf_counter() - start
        return seconds, np.array([int(count(result))])

    simulate()
    return run


def snntorch(layers: Layers) -> Run:
    """Leaky, reset by subtraction, step by step; input (ticks, samples, inputs) of float32."""
    snn, torch = import_module("snntorch"), import_module("torch")
    torch.set_num_threads(1)
    linears = [_torch_linear(weights) for weights in layers.weights]
    neurons = [
        snn.Leaky(beta=layers.beta, threshold=float(threshold), reset_mechanism="subtract")
        for threshold in layers.thresholds
    ]
    spikes = torch.tensor(layers.spikes.swapaxes(0, 1), dtype=torch.float32)

    def simulate() -> Any:
        with torch.inference_mode():
            states = [neuron.init_leaky() for neuron in neurons]
            outputs = []
            for inputs in spikes:
                x = inputs
                for layer, (linear, neuron) in enumerate(zip(linears, neurons, strict=True)):
                    x, states[layer] = neuron(linear(x), states[layer])
                outputs.append(x)
            return torch.stack(outputs)

    return _timed(simulate, lambda outputs: outputs.sum())


def sinabs(layers: Layers) -> Run:
    """LIF, reset by subtraction, layer by layer; input (samples, ticks, inputs) of float32."""
    torch, activation = import_module("torch"), import_module("sinabs.activation")
    lif = import_module("sinabs.layers").LIF
    torch.set_num_threads(1)
    modules: list[Any] = []
    for weights, threshold in zip(layers.weights, layers.thresholds, strict=True):
        modules.append(_torch_linear(weights))
        modules.append(
            lif(
                tau_mem=float(-1 / np.log(layers.beta)),
                spike_threshold=torch.tensor(float(threshold)),
                spike_fn=activation.SingleSpike,
                reset_fn=activation.MembraneSubtract(),
                norm_input=False,
            )
        )
    model = torch.nn.Sequential(*modules)
    spikes = torch.tensor(layers.spikes, dtype=torch.float32)

    def simulate() -> Any:
        with torch.inference_mode():
            for neuron in modules[1::2]:
                neuron.reset_states()
            return model(spikes)

    return _timed(simulate, lambda outputs: outputs.sum())


def _torch_linear(weights: Any) -> Any:
    torch = import_module("torch")
    linear = torch.nn.Linear(*weights.shape, bias=False)
    with torch.no_grad():
        linear.weight.copy_(torch.tensor(weights.T, dtype=torch.float32))
    return linear


def spyx(layers: Layers) -> Run:
    """A Sequential of Linear and LIF, compiled by JAX; input (ticks, samples, inputs) of float32.

    As Spyx documents it: all layers in each step of one loop over the ticks.
    """
    jax, nn, nnx = import_module("jax"), import_module("spyx.nn"), import_module("flax.nnx")
    modules: list[Any] = []
    for weights, neuron in zip(layers.weights, _spyx_neurons(layers), strict=True):
        linear = nnx.Linear(*weights.shape, use_bias=False, rngs=nnx.Rngs(0))
        linear.kernel[...] = jax.numpy.asarray(weights, jax.numpy.float32)
        modules += [linear, neuron]
    graph, state = nnx.split(nn.Sequential(*modules))
    spikes = jax.numpy.asarray(layers.spikes.swapaxes(0, 1), jax.numpy.float32)
    forward = jax.jit(lambda state, x: nn.run(nnx.merge(graph, state), x)[0])
    return _timed(lambda: forward(state, spikes).block_until_ready(), lambda x: x.sum())


def spyx_by_layer(layers: Layers) -> Run:
    """Spyx as its user could rearrange it: each layer over all ticks, after one matrix product."""
    jax, nn = import_module("jax"), import_module("spyx.nn")
    neurons = _spyx_neurons(layers)
    weights = [jax.numpy.asarray(layer, jax.numpy.float32) for layer in layers.weights]
    spikes = jax.numpy.asarray(layers.spikes.swapaxes(0, 1), jax.numpy.float32)

    @jax.jit  # type: ignore[untyped-decorator]
    def forward(x: Any, weights: Any) -> Any:
        for layer, neuron in zip(weights, neurons, strict=True):
            x, _ = nn.run(neuron, x @ layer)
        return x

    return _timed(lambda: forward(spikes, weights).block_until_ready(), lambda x: x.sum())


def _spyx_neurons(layers: Layers) -> list[Any]:
    nn, nnx = import_module("spyx.nn"), import_module("flax.nnx")
    return [
        nn.LIF((size,), beta=layers.beta, threshold=threshold, rngs=nnx.Rngs(0))
        for size, threshold in zip(layers.sizes[1:], layers.thresholds, strict=True)
    ]


def brian2(layers: Layers) -> Run:
    """C++ standalone mode, one core; the time is Brian2's own of the loop, without set-up."""
    b2 = import_module("brian2")
    (weights,), (threshold,) = layers.weights, layers.thresholds
    folder = tempfile.mkdtemp(prefix="spikelet-brian2-")
    b2.set_device("cpp_standalone", directory=folder, build_on_run=False)
    b2.prefs.devices.cpp_standalone.openmp_threads = 0
    b2.defaultclock.dt = 1 * b2.ms
    tick, line = np.nonzero(layers.spikes[0])
    inputs = b2.SpikeGeneratorGroup(weights.shape[0], line, tick * b2.ms)
    neurons = b2.NeuronGroup(
        weights.shape[1],
        "dv/dt = -v / tau : 1",
        threshold=f"v > {threshold}",
        reset=f"v -= {threshold}",
        method="exact",
        namespace={"tau": -1 / np.log(layers.beta) * b2.ms},
    )
    synapses = b2.Synapses(inputs, neurons, "w : 1", on_pre="v_post += w")
    synapses.connect()
    synapses.w = weights.ravel().astype(float)
    monitor = b2.SpikeMonitor(neurons)
    network = b2.Network(inputs, neurons, synapses, monitor)
    network.run(layers.ticks * b2.ms)
    b2.device.build(directory=folder, compile=True, run=False)

    def run() -> tuple[float, npt.NDArray[np.int64]]:
        b2.device.run(folder, with_output=False, run_args=[])
        return float(b2.device._last_run_time), np.array([int(monitor.num_spikes)])

    run()
    return run


ENGINES: dict[str, Built] = {
    "Brian2": brian2,
    "Spyx": spyx,
    "Spyx, by layer": spyx_by_layer,
    "sinabs": sinabs,
    "snnTorch": snntorch,
}
