"""From a NIR file to the float network: time step, Euler constants, and folded weights.

NIR describes neurons by differential equations; what a tick computes is settled here:

* LIF, ``tau dv/dt = (v_leak - v) + r I``, by forward Euler: ``decay = 1 - dt/tau``; the input gain
  ``r dt/tau`` and the constant ``v_leak dt/tau`` move into weights and bias.
* IF, ``dv/dt = r I``: ``v' = v + r I``, without dt. So read snnTorch, Norse, sinabs and Spyx, which
  write ``r = 1``. SpikingJelly writes ``r = 1/dt`` and multiplies by dt; with a known dt such a
  file is refused rather than driven ``1/dt`` times too hard.
* A spike is 1 for one tick, not ``1/dt``: the weight of a synapse is what one spike adds (times the
  gain). That is the convention of all of these simulators.
* Potentials start at 0, also where ``v_leak`` is not 0.
* Row-major order is kept, so Flatten changes nothing but the declared shape.
* What leads a neuron node's spikes back to it sees those of the tick before, none in the first, as
  in snnTorch's ``RLeaky``. A bias on the way acts in every tick.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

from spikelet.description.chip.profile import PROFILES, ExecutionProfile, profile_named
from spikelet.description.errors import SpikeletError
from spikelet.network.network import INPUT, FloatArray, Network, Population, Projection
from spikelet.nir.file import read_graph
from spikelet.nir.graph import NEURONS, NirGraph, NirNode
from spikelet.nir.time_step import time_step
from spikelet.nir.units import question_units

__all__ = ["load_network"]

_MOST_VALUES = 1 << 24
"""Of an Input or Output."""

_LARGEST_DIAGONAL = 1 << 15
"""Values that pass one to one from layer to layer."""


@dataclass(frozen=True, eq=False)
class _Signal:
    """A vector as a linear function of spikes: ``sum_s spikes_s @ parts[s] + bias``.

    A part of shape (n,) stands for a diagonal matrix, so that large layers wired one to one stay
    small.
    """

    parts: dict[str, FloatArray]
    bias: FloatArray

    @classmethod
    def spikes(cls, source: str, size: int) -> "_Signal":
        return cls({source: np.ones(size)}, np.zeros(size))

    @property
    def size(self) -> int:
        return len(self.bias)

    def scaled(self, gain: FloatArray) -> "_Signal":
        return _Signal({s: part * gain for s, part in self.parts.items()}, self.bias * gain)

    def plus(self, bias: FloatArray) -> "_Signal":
        return _Signal(self.parts, self.bias + bias)

    def through(self, weight: FloatArray) -> "_Signal":
        """Return ``weight`` (outputs, inputs) applied to the signal."""
        parts = {
            source: part[:, None] * weight.T if part.ndim == 1 else part @ weight.T
            for source, part in self.parts.items()
        }
        return _Signal(parts, weight @ self.bias)

    def matrix(self, source: str) -> FloatArray:
        """Return the part of a source as a matrix (n_source, n)."""
        part = self.parts[source]
        if part.ndim == 1 and len(part) > _LARGEST_DIAGONAL:
            raise SpikeletError(
                f"{len(part):,} values pass one to one, which takes a matrix; at most "
                f"{_LARGEST_DIAGONAL:,} can"
            )
        return np.diag(part) if part.ndim == 1 else part

    @classmethod
    def sum(cls, signals: list["_Signal"]) -> "_Signal":
        if len(signals) == 1:
            return signals[0]
        sources = dict.fromkeys(source for signal in signals for source in signal.parts)
        parts = {
            source: np.sum([s.matrix(source) for s in signals if source in s.parts], axis=0)
            for source in sources
        }
        return cls(parts, np.sum([signal.bias for signal in signals], axis=0))


def load_network(
    path: str | Path, profile: ExecutionProfile | str | None = None, dt: float | None = None
) -> Network:
    """Read a NIR file as a float network.

    Parameters
    ----------
    path : path
        HDF5 file written by ``nir.write``: a graph of Input, Output, Linear, Affine, LIF, IF,
        Flatten and Scale nodes, feed-forward but for layers that feed back to themselves. Signals
        that meet in a node add. Nested graphs are dissolved.
    profile : ExecutionProfile or str or None
        How a tick is computed. None takes it from the file, if that says ``simulator`` snntorch,
        ``reset_mechanism`` and ``reset_delay`` in its metadata.
    dt : float or None
        Seconds per tick. None takes it from the file's metadata key ``dt``; a network without LIF
        needs none. Where neither says it, a profile of snnTorch and constants that are those of
        snnTorch's exporter mean its 1e-4 s, with a warning.

    Warns
    -----
    SpikeletWarning
        If the time step of snnTorch's exporter is assumed.

    Raises
    ------
    SpikeletError
        For a file that is missing, damaged, not NIR, or beyond what is supported; for an unknown
        time step; for a reset that contradicts the profile, or a profile that is not of recurrent
        layers.
    """
    graph = read_graph(Path(path))
    profile = _profile(graph, profile)
    _check_reset(graph, profile)
    _check_recurrent(graph, profile)
    importer = _Importer(graph, profile, time_step(graph, profile, dt))
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused by name
            return importer.network()
    except SpikeletError as error:
        if error.args[0].startswith(str(path)):
            raise
        remedy = error.remedy or "correct the node of this name in the file"
        raise SpikeletError(f"{path}: {error.args[0]}", remedy=remedy) from error


class _Importer:
    """One walk through a graph in topological order; ways back are walked at their neuron node."""

    def __init__(self, graph: NirGraph, profile: ExecutionProfile, dt: float | None) -> None:
        self.graph = graph
        self.profile = profile
        self.dt = dt
        self.n_inputs = 0
        self.populations: list[Population] = []
        self.projections: list[Projection] = []
        self.outputs: list[str] = []
        self.signals: dict[str, _Signal] = {}

    def network(self) -> Network:
        for name in self.graph.forward:
            node = self.graph.nodes[name]
            if node.kind == "Input":
                self.n_inputs = self._declared(node)
                self.signals[name] = _Signal.spikes(INPUT, self.n_inputs)
                continue
            incoming = self._incoming(node)
            if node.kind in NEURONS:
                self._neurons(node, self._with_way_back(node, incoming))
            elif node.kind == "Output":
                self._output(node, incoming)
            else:
                self.signals[name] = self._linear(node, incoming)
        return Network(
            self.graph.path.stem,
            self.n_inputs,
            self.dt,
            self.profile,
            tuple(self.populations),
            tuple(self.projections),
            tuple(self.outputs),
        )

    def _with_way_back(self, node: NirNode, forward: _Signal) -> _Signal:
        """Return all that arrives at a neuron node, from what others send; note its spikes."""
        self.signals[node.name] = _Signal.spikes(node.name, forward.size)
        way_back = self.graph.ways_back.get(node.name, [])
        for name in way_back:
            back = self.graph.nodes[name]
            self.signals[name] = self._linear(back, self._incoming(back))
        return self._incoming(node) if way_back else forward

    def _incoming(self, node: NirNode) -> _Signal:
        """Return the sum of what arrives at a node over nodes that were walked already."""
        before = [name for name in self.graph.predecessors(node.name) if name in self.signals]
        sizes = {name: self.signals[name].size for name in before}
        if len(set(sizes.values())) > 1:
            found = " and ".join(f"{size} from {name!r}" for name, size in sizes.items())
            raise self.graph.error(
                node.name,
                f"signals of different sizes meet: {found}",
                remedy="signals that meet in a node are added and must be of one size",
            )
        return _Signal.sum([self.signals[name] for name in before])

    def _check_size(self, node: NirNode, what: str, size: int, incoming: _Signal) -> None:
        if size != incoming.size:
            raise self.graph.error(
                node.name,
                f"{what} is for {size} values but {incoming.size} arrive",
                remedy="check the layer sizes; they must chain from the Input to the Output",
            )

    def _linear(self, node: NirNode, incoming: _Signal) -> _Signal:
        """Return the signal behind a Linear, Affine, Scale or Flatten node."""
        if node.kind == "Flatten":
            shape = node.fields.get("input_type", np.array("none"))
            if shape.dtype.kind in "iuf":  # some exporters write no shape, or the text None
                self._check_size(node, f"shape {shape.tolist()}", int(np.prod(shape)), incoming)
            return incoming
        if node.kind == "Scale":
            return incoming.scaled(self._parameter(node, "scale", incoming.size))
        weight = node.fields["weight"].astype(np.float64)
        if weight.ndim != 2:
            raise self.graph.error(
                node.name,
                f"weight must be a matrix (outputs, inputs), not of shape {weight.shape}",
                remedy="batched weights are not supported; flatten them to one matrix",
            )
        self._check_size(node, f"weight of shape {weight.shape}", weight.shape[1], incoming)
        signal = incoming.through(weight)
        if node.kind == "Affine":
            signal = signal.plus(self._parameter(node, "bias", len(weight)))
        return signal

    def _output(self, node: NirNode, incoming: _Signal) -> None:
        before = self.graph.predecessors(node.name)
        while len(before) == 1 and self.graph.nodes[before[0]].kind == "Flatten":
            before = self.graph.predecessors(before[0])
        if len(before) != 1 or self.graph.nodes[before[0]].kind not in NEURONS:
            found = ", ".join(f"{name!r} ({self.graph.nodes[name].kind})" for name in before)
            raise self.graph.error(
                node.name,
                f"an Output must be fed by one neuron node, not by {found}",
                remedy=f"end the network with a {' or '.join(NEURONS)} node for each Output",
            )
        declared = self._declared(node)
        if declared != 1:  # a scalar neuron parameter makes exporters declare one value
            shape = node.fields["shape"].tolist()
            self._check_size(node, f"shape {shape}", declared, incoming)
        self.outputs.append(before[0])

    def _declared(self, node: NirNode) -> int:
        """Return the number of values that the shape of an Input or Output declares."""
        shape = node.fields["shape"].ravel()
        whole = [int(n) for n in shape]
        if any(n < 1 for n in whole) or whole != shape.tolist() or prod(whole) > _MOST_VALUES:
            raise self.graph.error(
                node.name,
                f"shape must be of whole numbers from 1, with a product of at most "
                f"{_MOST_VALUES:,}, not {shape.tolist()[:8]}",
                remedy="write the shape of one sample in one tick, without batch and time",
            )
        return prod(whole)

    def _parameter(self, node: NirNode, field: str, size: int) -> FloatArray:
        """Return a field as shape (size,) or, where it is one value for all, (1,)."""
        values = node.fields[field].astype(np.float64).ravel()
        if values.size not in (1, size):
            raise self.graph.error(
                node.name,
                f"{field} has {values.size} values but the layer has {size}",
                remedy=f"give {field} one value, or one for each of the {size}",
            )
        return values

    def _neurons(self, node: NirNode, incoming: _Signal) -> None:
        size = incoming.size
        constants = self._leaky if node.kind == "LIF" else self._ideal
        decay, gain, constant = constants(node, size)
        driven = incoming.scaled(gain).plus(constant)
        population = Population(
            node.name,
            size,
            decay,
            driven.bias,
            self._threshold(node, size),
            self._reset_potential(node, size),
        )
        self.populations.append(population)
        drive = np.sum([_excitation(part) for part in driven.parts.values()], axis=0)
        question_units(self.graph, node, population, drive, self.dt)
        for source in driven.parts:
            self.projections.append(Projection(source, node.name, driven.matrix(source)))

    def _leaky(self, node: NirNode, size: int) -> tuple[FloatArray | None, FloatArray, FloatArray]:
        """Return decay, input gain and constant input of a LIF node."""
        tau, r, v_leak = (self._parameter(node, field, size) for field in ("tau", "r", "v_leak"))
        dt = self.dt
        assert dt is not None  # time_step has it for a network with LIF nodes
        with np.errstate(divide="ignore"):
            rate = _without_noise(dt / tau, node, ("tau",))
        wrong = ~((rate > 0) & (rate <= 1))
        if wrong.any():
            neuron = int(np.argmax(wrong))
            raise self.graph.error(
                node.name,
                f"dt/tau must be above 0 and at most 1, found {rate[neuron]:g} "
                f"(dt {dt:g} s, tau {tau[neuron]:g} s)",
                remedy="give the time step the network was trained with: --dt SECONDS "
                "(snnTorch's exporter implies 1e-4)",
            )
        gain = _without_noise(r * (dt / tau), node, ("tau", "r"))
        return 1 - rate, gain, v_leak * rate

    def _ideal(self, node: NirNode, size: int) -> tuple[FloatArray | None, FloatArray, FloatArray]:
        """Return no decay, the input gain and no constant input of an IF node."""
        r = self._parameter(node, "r", size)
        if self.dt is not None and np.any((r != 1) & np.isclose(r * self.dt, 1, rtol=1e-5)):
            raise self.graph.error(
                node.name,
                f"r is 1/dt ({r[0]:g}): its exporter (SpikingJelly does so) multiplies r by dt, "
                "here an IF neuron adds r times its input in each tick",
                remedy="write r = 1 (r times dt) for this node",
            )
        return None, r, np.zeros(1)

    def _threshold(self, node: NirNode, size: int) -> FloatArray:
        threshold = self._parameter(node, "v_threshold", size)
        if not (threshold > 0).all():
            raise self.graph.error(
                node.name,
                f"v_threshold must be above 0, found {threshold.min():g}{self._rest(node)}",
                remedy="potentials start at 0: subtract the rest from v_leak, v_reset and "
                "v_threshold, or leave the neuron out",
            )
        return threshold

    def _rest(self, node: NirNode) -> str:
        v_leak = node.fields.get("v_leak", np.zeros(1)).ravel()
        return f", where v_leak is {v_leak[0]:g}" if v_leak.any() else ""

    def _reset_potential(self, node: NirNode, size: int) -> FloatArray:
        if "v_reset" not in node.fields:
            return np.zeros(1)
        v_reset = self._parameter(node, "v_reset", size)
        if self.profile.reset == "value":
            return v_reset
        if v_reset.any():
            raise self.graph.error(
                node.name,
                f"v_reset is {v_reset[np.argmax(v_reset != 0)]:g}, but profile "
                f"{self.profile.name} resets {_HOW[self.profile.reset]}",
                remedy="use a profile that resets to a value: --profile nir-euler",
            )
        return np.zeros(1)


_HOW = {"zero": "to 0", "subtract": "by subtracting the threshold", "value": "to v_reset"}


def _excitation(part: FloatArray) -> FloatArray:
    """Return what the positive weights of a part add where all of its sources spike."""
    positive = np.maximum(part, 0)
    return positive if part.ndim == 1 else positive.sum(axis=0)


def _without_noise(values: FloatArray, node: NirNode, fields: Iterable[str]) -> FloatArray:
    """Return constants derived from stored ``fields``, less their last two, unsure bits.

    snnTorch's export stores ``tau = dt / (1 - beta)`` in float32: ``r * dt / tau`` comes back as
    0.99999994 or 1.0000001. Left alone, a potential that should equal its threshold exactly is
    just above it in float and not in integers, or the other way round.
    """
    dtypes = [node.fields[name].dtype for name in fields]
    bits = min(np.finfo(d).nmant if d.kind == "f" else 52 for d in dtypes) - 1
    mantissa, exponent = np.frexp(values)
    rounded: FloatArray = np.ldexp(np.round(np.ldexp(mantissa, bits)), exponent - bits)
    return rounded


def _reset_metadata(graph: NirGraph) -> tuple[str | None, bool | None]:
    """Return the file's reset mechanism and reset delay, None where it does not say."""
    mechanism = graph.metadata.get("reset_mechanism", graph.metadata.get("reset"))
    delay = graph.metadata.get("reset_delay")
    return None if mechanism is None else str(mechanism), None if delay is None else bool(delay)


def _profile(graph: NirGraph, profile: ExecutionProfile | str | None) -> ExecutionProfile:
    if isinstance(profile, ExecutionProfile):
        return profile
    if profile is not None:
        return profile_named(profile)
    if str(graph.metadata.get("simulator", "")).lower().startswith("snntorch"):
        for preset in PROFILES.values():
            wanted = (preset.reset, preset.reset_delay)
            if preset.name.startswith("snntorch") and wanted == _reset_metadata(graph):
                return preset
    raise SpikeletError(
        f"{graph.path}: how a tick is computed is not known: the file's metadata does not name "
        "simulator, reset_mechanism and reset_delay",
        remedy=f"pass --profile with one of {', '.join(PROFILES)}",
    )


def _check_reset(graph: NirGraph, profile: ExecutionProfile) -> None:
    mechanism, delay = _reset_metadata(graph)
    # reset to a value covers reset to zero: an exporter that says "zero" writes v_reset 0
    same = mechanism in (None, profile.reset) or (mechanism, profile.reset) == ("zero", "value")
    if not same:
        raise SpikeletError(
            f"{graph.path}: its metadata says reset {mechanism!r}, but profile {profile.name} "
            f"resets {_HOW[profile.reset]}",
            remedy=f"choose the profile it was trained with: one of {', '.join(PROFILES)}",
        )
    if delay is not None and delay != profile.reset_delay:
        raise SpikeletError(
            f"{graph.path}: its metadata says reset_delay {delay}, but profile {profile.name} has "
            f"reset_delay {profile.reset_delay}",
            remedy=f"choose the profile it was trained with: one of {', '.join(PROFILES)}",
        )


def _check_recurrent(graph: NirGraph, profile: ExecutionProfile) -> None:
    if graph.ways_back and profile == PROFILES["snntorch-zero"]:
        raise graph.error(
            next(iter(graph.ways_back)),
            f"profile {profile.name} is that of snnTorch's Leaky; its recurrent layer RLeaky also "
            "drops the input of the tick in which it is reset",
            remedy="train it with reset_mechanism='subtract', or with reset_delay=False, and pass "
            "that profile",
        )
