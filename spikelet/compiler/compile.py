"""From whatever describes a network to a compiled one."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from spikelet.compiler.compiled import CompiledNetwork
from spikelet.compiler.place import place
from spikelet.compiler.spread import check_spread
from spikelet.compiler.spread import spread as spread_layers
from spikelet.description.artefact import RECORD
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.rule import LearningRule
from spikelet.description.neurons.model import NeuronModel
from spikelet.description.neurons.models import neuron_model
from spikelet.golden import chip as golden_chip
from spikelet.network.builder import PlasticNetwork
from spikelet.network.graded import graded_inputs
from spikelet.network.integers import IntegerNetwork
from spikelet.network.limits import PlacementLimits
from spikelet.network.network import FloatArray, Network
from spikelet.network.quantise import Bits, quantise
from spikelet.network.toml_file import NetworkFile, load_toml
from spikelet.nir.importer import load_network

__all__ = [
    "Source",
    "compile_network",
    "compiled_folder",
    "compiled_from",
    "graded",
    "measured_rates",
    "opened_source",
]

Source = str | Path | Network | PlasticNetwork | IntegerNetwork | NetworkFile | CompiledNetwork
"""What describes a network: a NIR or TOML file, a saved folder, or an object."""

_MEASURED_SAMPLES = 16
"""Calibration samples on which the golden model shows who spikes how often."""


class _Widths(NamedTuple):
    """What is asked of :func:`quantise`; None: the usual, or as before."""

    weight_bits: Bits | None
    potential_bits: Bits | None
    neuron_scales: bool | None
    decay_bits: Bits | None
    spike_bits: Bits | None


def compile_network(
    source: Source,
    neuron: NeuronModel | str | Path | None = None,
    dt: float | None = None,
    *,
    framework: str | None = None,
    weight_bits: Bits | None = None,
    potential_bits: Bits | None = None,
    neuron_scales: bool | None = None,
    decay_bits: Bits | None = None,
    spike_bits: Bits | None = None,
    plastic: Mapping[str, LearningRule] | None = None,
    seed: int | None = None,
    preset: str | Path | None = None,
    limits: PlacementLimits | Mapping[str, Any] | None = None,
    calibration: npt.ArrayLike | None = None,
    topology: str | None = None,
    multicast: bool | None = None,
    placement_seed: int = 0,
    draw_key: int | None = None,
    input_levels: int | None = None,
    input_counts: int | None = None,
    spread: int | str | None = None,
    fits: Callable[[CompiledNetwork], bool] = lambda compiled: True,
) -> CompiledNetwork:
    """Import a network if it is a file, quantise it if it was trained, and place it on a chip.

    Parameters
    ----------
    source : path or network
        A NIR file; a TOML file; the folder of a compiled network, or of a project with one; or one
        of the objects that these become.
    neuron, dt, framework
        As for :func:`load_network`; other networks bring their own.
    weight_bits, potential_bits, decay_bits : int, mapping of str to int, or None
        As for :func:`quantise`, of a trained network; layers for which none are given have the
        usual ones, or those of one that is quantised.
    neuron_scales : bool or None
        As for :func:`quantise`; None: False, or as before.
    spike_bits : int, mapping of str to int, or None
        As for :func:`quantise`; None: as before, unless there is a calibration.
    plastic : mapping of str to LearningRule, or None
        Layers that learn, and how; see :meth:`IntegerNetwork.make_plastic`.
    seed : int or None
        In the place of that of a TOML file.
    preset : str, Path or None
        The same, of :func:`spikelet.description.presets.presets.preset`.
    calibration : array of 0 and 1, shape (samples, ticks, n_inputs), or None
        As for :func:`quantise`; a network on several cores is placed by the spikes that the golden
        model emits on the first samples.
    limits : PlacementLimits, or dict of some of its fields
        The others, or all if None, are those of a TOML file or compiled network, or the usual.
    topology, multicast, placement_seed
        As for :func:`place`; None for a topology is a mesh, or as compiled before.
    draw_key : int or None
        What the draws of neurons start from, 1..2**32 - 1; None: 1, or as before.
    input_levels : int or None
        Steps of graded inputs (direct coding), 1..255: an input of so many is what 1 is to the
        network that was trained. None: inputs spike or not, or as before.
    input_counts : int or None
        Largest count of an input in a tick, 1..255, each as it was trained on; one of the two.
    spread : int, str or None
        Cores over which the slowest layer is spread, or ``"auto"``: see
        :func:`spikelet.compiler.spread.spread`. It needs a calibration.
    fits : callable
        Whether a device holds the chip that is spread.

    Raises
    ------
    SpikeletError
        As these do.
    """
    check_spread(spread, calibration)
    opened = opened_source(source, neuron, dt, seed, framework, preset)
    widths = _Widths(weight_bits, potential_bits, neuron_scales, decay_bits, spike_bits)
    asked = (*widths, calibration, topology, multicast, draw_key, input_levels, input_counts)
    own = PlacementLimits()
    if isinstance(opened, CompiledNetwork):
        if all(option is None for option in asked) and not (plastic or limits or placement_seed):
            return opened
        own, topology = opened.limits, topology or opened.chip.topology
        opened = opened.network
    elif isinstance(opened, NetworkFile):
        own, opened = opened.limits, opened.network
    elif isinstance(opened, PlasticNetwork) and opened.preset:
        own = PlacementLimits(**opened.preset.limits)
    opened = graded(opened, input_levels, input_counts)
    chosen = limits if isinstance(limits, PlacementLimits) else replace(own, **(limits or {}))
    network = _integers(opened, widths, calibration)
    if draw_key is not None:
        network = replace(network, draw_key=draw_key)
    for layer, rule in (plastic or {}).items():
        network = network.make_plastic(layer, rule)

    def placed(
        rates: dict[str, FloatArray] | None, limits: PlacementLimits = chosen
    ) -> CompiledNetwork:
        return place(
            network,
            limits,
            topology=topology or "mesh",
            multicast=multicast,
            seed=placement_seed,
            rates=rates,
        )

    found, rates = placed(None), None
    if calibration is not None and (spread is not None or len(found.chip.cores) > 1):
        shown = network.check_spikes(calibration)[:_MEASURED_SAMPLES]
        rates = measured_rates(found, shown)
        found = placed(rates) if len(found.chip.cores) > 1 else found
        if spread is not None:
            found = spread_layers(found, spread, shown, lambda limits: placed(rates, limits), fits)
    return found


def compiled_from(source: Source) -> CompiledNetwork:
    """Return a compiled network as it is, and anything else compiled."""
    return source if isinstance(source, CompiledNetwork) else compile_network(source)


def compiled_folder(path: str | Path) -> Path:
    """Return the folder of the compiled network, in a project folder or that folder itself."""
    folder = Path(path)
    inner = folder / "compiled"
    return folder if (folder / RECORD).exists() and not inner.is_dir() else inner


def measured_rates(compiled: CompiledNetwork, spikes: npt.ArrayLike) -> dict[str, FloatArray]:
    """Return the spikes a tick of each input and neuron that the golden model emits.

    Each counts as if it had spiked once more, so that the silent ones are not forgotten.

    Parameters
    ----------
    compiled : CompiledNetwork
    spikes : array of 0 and 1, shape (samples, ticks, n_inputs)
    """
    network, latency = compiled.network, compiled.output_latency
    dense = network.check_spikes(spikes)
    samples, ticks, _ = dense.shape
    trace = golden_chip.run(
        compiled.chip,
        compiled.image,
        compiled.dense_spikes(dense, latency),
        record=("spikes",),
    )
    assert trace.spikes is not None
    emitted: dict[str, npt.NDArray[np.generic]] = {}
    first = 0
    for group in network.inputs:
        emitted[group.name] = dense[..., first : first + group.size]
        first += group.size
    for layer in compiled.layers:
        here = slice(layer.depth, layer.depth + ticks)
        parts = [trace.spikes[part.core][:, here, : part.count] for part in layer.slices]
        emitted[layer.name] = layer.assembled(parts)
    places = samples * ticks
    return {
        name: (1 + found.sum(axis=(0, 1), dtype=np.int64)) / (1 + places)
        for name, found in emitted.items()
    }


def graded(
    source: Network | PlasticNetwork | IntegerNetwork, levels: int | None, counts: int | None
) -> Network | PlasticNetwork | IntegerNetwork:
    """Return a trained network with graded inputs; SpikeletError for another."""
    if levels is None and counts is None:
        return source
    if isinstance(source, Network):
        return graded_inputs(source, levels, counts)
    raise SpikeletError(
        f"network {source.name!r}: inputs of a network that was built by hand, or is compiled "
        "already, cannot be made graded",
        remedy="give --input-levels or --input-counts where a trained network is compiled first",
    )


def opened_source(
    source: Source,
    neuron: NeuronModel | str | Path | None,
    dt: float | None,
    seed: int | None,
    framework: str | None,
    preset: str | Path | None = None,
) -> Network | PlasticNetwork | IntegerNetwork | NetworkFile | CompiledNetwork:
    """Return what a source holds; SpikeletError if an option is given that it has no use for."""
    if isinstance(source, str | Path):
        path = Path(source)
        if path.is_dir():
            source = CompiledNetwork.load(compiled_folder(path))
        elif path.suffix.lower() == ".toml":
            source = load_toml(path, seed, preset)
            seed = preset = None
        else:
            if seed is not None:
                raise SpikeletError(f"{path} has no seed; only a TOML file has one")
            _no_preset(preset)
            return load_network(path, neuron, dt, framework=framework)
    if seed is not None:
        raise SpikeletError("a seed can be given for a TOML file only")
    _no_preset(preset)
    if isinstance(source, Network):
        models, own_dt = source.neurons, source.dt
        names = ", ".join(model.name for model in models)
        words = f"neurons of {names} and dt {own_dt}"
    else:
        models, own_dt = (), None
        words = "neuron models and a time step of its own"
    if framework is not None:
        raise SpikeletError(
            "a framework can be given for a NIR file only",
            remedy="leave --framework out: what is compiled already is not read anew",
        )
    other = neuron is not None and (neuron_model(neuron),) != models
    if other or dt not in (None, own_dt):
        name = source.network.name if isinstance(source, NetworkFile) else source.name
        raise SpikeletError(f"network {name!r} has {words}; others cannot be given")
    return source


def _no_preset(preset: str | Path | None) -> None:
    """Raise SpikeletError if a preset is given for what is no TOML file."""
    if preset is not None:
        raise SpikeletError(
            f"a preset, {str(preset)!r}, can be given for a TOML file only: a trained network "
            "brings its neurons",
            remedy="leave it out, or give widths and limits by --weight-bits, --max-axons and "
            "others; in Python, PlasticNetwork(..., preset=...)",
        )


def _integers(
    source: Network | PlasticNetwork | IntegerNetwork,
    asked: _Widths,
    calibration: npt.ArrayLike | None,
) -> IntegerNetwork:
    """Return a network in integers, quantised if it was trained and is not, or otherwise so."""
    network = source.integers() if isinstance(source, PlasticNetwork) else source
    none = all(option is None for option in asked)
    if isinstance(network, IntegerNetwork):
        if network.floats is None and not none:
            raise network.error(
                "its populations have weight and potential bits of their own",
                "leave --weight-bits, --potential-bits, --decay-bits, --spike-bits and "
                "--neuron-scales out, or change its description",
            )
        if network.floats is None or (calibration is None and none):
            return network
        own = any(q.neuron_scales for q in network.quantisation)
        learned = {p.target: p.rule for p in network.projections if p.rule}
        layers = network.quantisation
        spikes = {} if calibration is not None else network.spike_bits
        again = quantise(
            network.floats,
            _other(asked.weight_bits, {q.name: q.weight_bits for q in layers}),
            _other(asked.potential_bits, {p.name: p.potential_bits for p in network.populations}),
            calibration,
            neuron_scales=own if asked.neuron_scales is None else asked.neuron_scales,
            decay_bits=_other(asked.decay_bits, {q.name: q.decay_bits for q in layers}),
            spike_bits=_other(asked.spike_bits, spikes),
        )
        for layer, rule in learned.items():
            again = again.make_plastic(layer, rule)
        return replace(again, seed=network.seed, draw_key=network.draw_key)
    return quantise(
        network,
        _other(asked.weight_bits, {}),
        _other(asked.potential_bits, {}),
        calibration,
        neuron_scales=bool(asked.neuron_scales),
        decay_bits=asked.decay_bits,
        spike_bits=asked.spike_bits,
    )


def _other(given: Bits | None, own: Mapping[str, int | None]) -> Bits:
    """Return the widths that are given, and for all other layers their own."""
    if isinstance(given, int):
        return given
    return {**{name: bits for name, bits in own.items() if bits is not None}, **(given or {})}
