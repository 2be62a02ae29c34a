"""What the nodes of a network file are to a chip, before anything is made of them."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spikelet.compiler.place import place
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.model import NeuronModel
from spikelet.description.neurons.update import sends_counts
from spikelet.description.summary import summary
from spikelet.fpga.families import devices
from spikelet.fpga.fit import FitReport, check_fit
from spikelet.network.graded import graded_inputs
from spikelet.network.integers import IntegerNetwork
from spikelet.network.layer_quantisation import LayerQuantisation
from spikelet.network.leaks import Leak
from spikelet.network.limits import PlacementLimits
from spikelet.network.network import Network, Population
from spikelet.network.quantise import COUNT_BITS, Bits, quantise
from spikelet.nir.handler import NodeHandler
from spikelet.nir.support import FileSupport, NodeSupport, support_of
from spikelet.placement.core_limits import LARGEST_CORE

__all__ = ["APPROXIMATE", "EXACT", "NOT_JUDGED", "UNSUPPORTED", "Check", "CheckedNode", "check"]

EXACT, APPROXIMATE, UNSUPPORTED, NOT_JUDGED = "exact", "approximate", "unsupported", "not judged"
"""Verdicts: the chip computes what the file says in every bit of its spikes; it computes something
near, and it is said how; it cannot; what comes behind something that it cannot."""


@dataclass(frozen=True)
class CheckedNode:
    """A node of the file.

    Parameters
    ----------
    name, kind : str
    shape : tuple of int or None
        Of what leaves it; None where it is not known.
    verdict : str
    reasons : tuple of str
        How it is approximate, or why it is unsupported.
    remedy : str
    """

    name: str
    kind: str
    shape: tuple[int, ...] | None
    verdict: str
    reasons: tuple[str, ...] = ()
    remedy: str = ""


@dataclass(frozen=True, eq=False)
class Check:
    """What a file is to a chip.

    Parameters
    ----------
    path : str
    nodes : tuple of CheckedNode
        In the order of the signals.
    problems : tuple of (str, str)
        What of the file as a whole is unsupported, each with its remedy.
    reading : tuple of str
        What the file's numbers are taken for.
    doubts : tuple of str
        What may be wrong, and what would tell.
    leaks : tuple of str
        Each layer's time constants, as the file has them and as the bits hold them.
    chip : ChipParams or None
        That the network would take, None where something is unsupported.
    devices : tuple of FitReport
        What it needs of each device that is known.
    """

    __repr__ = summary

    path: str
    nodes: tuple[CheckedNode, ...]
    problems: tuple[tuple[str, str], ...] = ()
    reading: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    leaks: tuple[str, ...] = ()
    chip: ChipParams | None = None
    devices: tuple[FitReport, ...] = ()

    @property
    def verdict(self) -> str:
        """The worst of all."""
        found = {node.verdict for node in self.nodes}
        if self.problems or found & {UNSUPPORTED, NOT_JUDGED}:
            return UNSUPPORTED
        return APPROXIMATE if APPROXIMATE in found else EXACT

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-compatible values."""
        cores = self.chip.cores if self.chip else ()
        return {
            "path": self.path,
            "verdict": self.verdict,
            "nodes": [asdict(node) for node in self.nodes],
            "problems": [dict(zip(("problem", "remedy"), p, strict=True)) for p in self.problems],
            "reading": list(self.reading),
            "doubts": list(self.doubts),
            "leaks": list(self.leaks),
            "cores": [{"axons": c.n_axons, "neurons": c.n_neurons} for c in cores],
            "devices": [{**asdict(report), "fits": report.fits} for report in self.devices],
        }


def check(
    path: str | Path,
    neuron: NeuronModel | str | Path | None = None,
    dt: float | None = None,
    *,
    framework: str | None = None,
    weight_bits: Bits | None = None,
    potential_bits: Bits | None = None,
    spike_bits: Bits | None = None,
    input_levels: int | None = None,
    input_counts: int | None = None,
    handlers: Iterable[NodeHandler] = (),
) -> Check:
    """Say of each node of a NIR file what a chip makes of it, and write nothing.

    Parameters
    ----------
    path : path
    neuron, dt, framework, handlers
        As for :func:`load_network`.
    weight_bits, potential_bits, spike_bits : int, mapping of str to int, or None
        As for :func:`quantise`; None: the usual ones.
    input_levels, input_counts : int or None
        As for :func:`spikelet.compile`.

    Raises
    ------
    SpikeletError
        If the file cannot be read as a NIR graph, or an option has no such value.
    """
    support = support_of(path, neuron, dt, framework=framework, handlers=handlers)
    problems, network = list(support.problems), support.network
    integers, chip, larger = None, None, ""
    if network is not None:
        network = graded_inputs(network, input_levels, input_counts)
        try:
            integers = quantise(network, weight_bits or {}, potential_bits, spike_bits=spike_bits)
            chip, larger = _placed(integers)
        except SpikeletError as error:
            problems.append((str(error.args[0]), error.remedy))
    origin = network.origin if network else None
    return Check(
        str(path),
        tuple(_checked(node, support, integers) for node in support.nodes),
        tuple(problems),
        (*origin.reading, *(f"not in the file, and taken: {u}" for u in origin.unsaid))
        if origin
        else (),
        (*(origin.doubts if origin else ()), *support.doubts, *([larger] if larger else [])),
        tuple(_leaks(integers)) if integers else (),
        chip,
        tuple(check_fit(chip, device) for device in devices().values()) if chip else (),
    )


def _placed(integers: IntegerNetwork) -> tuple[ChipParams, str]:
    """Return the chip that a network takes, and what it says of cores larger than the usual."""
    try:
        return place(integers, PlacementLimits()).chip, ""
    except SpikeletError as usual:
        chip = place(integers, PlacementLimits(max_axons=LARGEST_CORE)).chip
        return chip, f"with usual cores it is refused: {usual.args[0]}; {usual.remedy}"


def _checked(
    node: NodeSupport, support: FileSupport, integers: IntegerNetwork | None
) -> CheckedNode:
    """Return a node with its verdict."""
    if node.problem:
        reasons: tuple[str, ...] = (node.problem,)
        return CheckedNode(node.name, node.kind, None, UNSUPPORTED, reasons, node.remedy)
    if not node.reached or integers is None:
        return CheckedNode(node.name, node.kind, node.shape, NOT_JUDGED)
    layers = {stats.name: stats for stats in integers.quantisation}
    if node.name in layers:
        reasons = tuple(_neuron_reasons(support, integers, layers[node.name]))
    elif node.kind in _NO_NUMBERS:
        reasons = ()
    else:
        reasons = tuple(
            reason
            for layer in support.feeds[node.name]
            for reason in _weight_reasons(layers[layer])
        )
    verdict = APPROXIMATE if reasons else EXACT
    return CheckedNode(node.name, node.kind, node.shape, verdict, reasons)


_NO_NUMBERS = ("Input", "Output", "Flatten")
"""Node kinds that hold no number that could be rounded."""


def _weight_reasons(layer: LayerQuantisation) -> Iterator[str]:
    """Yield how far the weights into a layer are rounded."""
    if not layer.rms_error:
        return
    lost = f", {layer.vanished:,} become 0" if layer.vanished else ""
    yield (
        f"rounding: weights into {layer.name!r} to {layer.weight_bits} bits, root mean square "
        f"error {layer.rms_error / layer.scale:.2g} of a step{lost}"
    )


def _neuron_reasons(
    support: FileSupport, integers: IntegerNetwork, layer: LayerQuantisation
) -> Iterator[str]:
    """Yield what neurons do otherwise than the file says."""
    assert support.network is not None
    if support.network.origin:
        yield from support.network.origin.approximate
    for leak in layer.leaks:  # what is left of a potential is rounded in every tick
        yield f"rounding in every tick: {_leak_words(leak)}"
    rounded = _rounded_parameters(support.network, integers, layer)
    if rounded:
        yield f"rounding: {', '.join(rounded)} to whole potential LSBs"
    floats, ours = _population(support.network, layer.name), integers.population(layer.name)
    if sends_counts(ours.neuron) and ours.fired_bits < floats.constants[COUNT_BITS]:
        most = (1 << ours.fired_bits) - 1
        yield (
            f"spikes: at most {most} in a tick, in {ours.fired_bits} bits; what is above follows "
            "in the ticks after (--spike-bits)"
        )


def _rounded_parameters(
    network: Network, integers: IntegerNetwork, layer: LayerQuantisation
) -> list[str]:
    """Return the parameters that are membrane values and not whole LSBs."""
    floats = _population(network, layer.name)
    ours = next(p for p in integers.populations if p.name == layer.name)
    found = []
    for parameter in floats.neuron.parameters:
        if parameter.kind == "membrane" and parameter.name in floats.parameters:
            wanted = floats.values(parameter.name) / layer.lsb
            held = ours.parameters.get(parameter.name, parameter.default or 0)
            if not np.allclose(wanted, held, rtol=1e-9, atol=1e-9):
                found.append(parameter.name)
    return found


def _population(network: Network, name: str) -> Population:
    return next(p for p in network.populations if p.name == name)


def _leak_words(leak: Leak) -> str:
    if leak.found is None:
        return f"{leak.parameter}: a time constant of {leak.wanted:.4g} ticks, which never acts"
    return (
        f"{leak.parameter}: a time constant of {leak.wanted:.4g} ticks is {leak.found:.4g} in "
        f"{leak.bits} bits"
    )


def _leaks(integers: IntegerNetwork) -> Iterator[str]:
    for layer in integers.quantisation:
        for leak in layer.leaks:
            yield f"{layer.name}: {_leak_words(leak)}"
