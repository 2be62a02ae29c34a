"""What is loaded into a chip: weights, neuron parameters and destination tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.array_files import arrays_under
from spikelet.description.checks import check_range
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import HOST, check_destinations, destination_words
from spikelet.description.chip.memory_map import ChipMap
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.short_term_words import short_term_words
from spikelet.description.chip.transmission import CERTAIN, transmission_words
from spikelet.description.errors import SpikeletError
from spikelet.description.lanes import pack_lanes
from spikelet.description.neurons.draws import DRAW_INDEX_BITS, first_words
from spikelet.description.summary import summary
from spikelet.description.synapses.dense import synapse_rows

__all__ = [
    "ChipImage",
    "CoreImage",
    "random_states",
    "scan_rows",
]


MOST_OUTPUTS = 65535
"""Most spikes of an output line in a tick."""

LAST_INDEX = (1 << DRAW_INDEX_BITS) - 1
"""Largest number of a neuron in a network: 4,096 cores of 4,096."""

_DEVICES = ("devices", "selected")
_OF_AXONS = ("short_term", "rule_bits", "transmission")
"""What only cores with devices have."""


@dataclass(frozen=True)
class CoreImage:
    """Contents of one core.

    Parameters
    ----------
    weights : array of int16
        As the core's synapse format stores them; dense: shape (n_axons, n_neurons).
    destinations : array of int32, shape (n, 6)
        Sorted by neuron; see :func:`spikelet.description.chip.destinations.destinations`.
    parameters : mapping of str to array of int32, shape (1,) or (n_neurons,)
        Those of the core's model that are loaded: shape (1,) where the core has them ``"shared"``.
    states : mapping of str to array of int32, shape (n_neurons,)
        First values of the states that ``clear`` keeps.
    plastic : array of bool, shape (n_axons,), or (0,) in a core that does not learn
        Axons whose synapses learn.
    tags : array of int8, shape (n_axons, n_neurons), or (0, 0) where the core has none
    random : array of uint32, shape (lanes,), or (0,) where the core has none
        State of each lane's LFSR; not 0. See :func:`random_states`.
    devices : array of int32, shape (count, n_axons, n_neurons), or (0, 0, 0) without devices
        Codes of the devices of each synapse; see :class:`Devices`. 0 where axons are not plastic.
    selected : array of int32, shape (1,), or (0,) without devices
        The device of each synapse that the coming tick programs.
    draw_key : int
        What the draws of the neurons start from, 1..2**32 - 1; 0 where the model does not draw.
    draw_indices : array of int32, shape (n_neurons,), or (0,) where the model does not draw
        Each neuron's number in the network, 0..2**24 - 1.
    learning : bool
        Whether learning is on.
    short_term : array of bool, shape (n_axons,), or (0,) in a core without
        Axons that have short-term plasticity.
    rule_bits : array of bool, shape (n_axons,), or (0,) where the rule does not read ``b``
        ``b`` of each axon.
    transmission : array of int32, shape (n_axons,), or (0,) in a core without
        The chance of each axon's spikes to bring its weights, 1..256 in 1/256.
    transmission_key : int
        What the draws of the axons start from, 1..2**32 - 1; 0 in a core without.
    """

    __repr__ = summary

    weights: npt.NDArray[np.int16]
    destinations: npt.NDArray[np.int32]
    parameters: Mapping[str, npt.NDArray[np.int32]]
    states: Mapping[str, npt.NDArray[np.int32]] = field(default_factory=dict)
    plastic: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    tags: npt.NDArray[np.int8] = field(default_factory=lambda: np.zeros((0, 0), np.int8))
    random: npt.NDArray[np.uint32] = field(default_factory=lambda: np.zeros(0, np.uint32))
    devices: npt.NDArray[np.int32] = field(default_factory=lambda: np.zeros((0, 0, 0), np.int32))
    selected: npt.NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    draw_key: int = 0
    draw_indices: npt.NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    learning: bool = True
    short_term: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    rule_bits: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    transmission: npt.NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    transmission_key: int = 0

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return all of it as arrays by name."""
        groups = (("parameters", self.parameters), ("states", self.states))
        return {
            "weights": self.weights,
            "destinations": self.destinations,
            **{f"{group}.{name}": v for group, values in groups for name, v in values.items()},
            "plastic": self.plastic,
            "tags": self.tags,
            "random": self.random,
            **({name: getattr(self, name) for name in _DEVICES} if self.devices.size else {}),
            "draw_key": np.array(self.draw_key, np.uint32),
            "draw_indices": self.draw_indices,
            "learning": np.array(self.learning),
            **{name: getattr(self, name) for name in _OF_AXONS if getattr(self, name).size},
            **(
                {"transmission_key": np.array(self.transmission_key, np.uint32)}
                if self.transmission_key
                else {}
            ),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> "CoreImage":
        """Inverse of :meth:`to_arrays`; KeyError if one is missing."""
        names = ("weights", "destinations", "plastic", "tags", "random", "draw_indices")
        return cls(
            **{name: arrays[name] for name in names},
            **{name: arrays[name] for name in _DEVICES if name in arrays},
            parameters=arrays_under(arrays, "parameters."),
            states=arrays_under(arrays, "states."),
            draw_key=int(arrays["draw_key"]),
            learning=bool(arrays["learning"]),
            **{name: arrays[name] for name in _OF_AXONS if name in arrays},
            transmission_key=int(arrays.get("transmission_key", 0)),
        )

    def check(self, core: CoreParams, name: str) -> None:
        """Raise SpikeletError, naming the field and value, unless this fits ``core``."""
        core.synapse_format.check(core, self.weights, name)
        _check_named(f"{name}: parameters", self.parameters, tuple(core.parameter_ranges))
        for what, (low, high) in core.parameter_ranges.items():
            n_values = core.n_neurons if core.scope(what) == "neuron" else 1
            _check_values(f"{name}: {what}", self.parameters[what], n_values, low, high)
        _check_named(f"{name}: states", self.states, core.update.kept)
        for what in core.update.kept:
            low, high = core.state_ranges[what]
            _check_values(f"{name}: {what}", self.states[what], core.n_neurons, low, high)
        draws = core.update.draws
        n_indices = core.n_neurons if draws else 0
        _check_values(f"{name}: draw_indices", self.draw_indices, n_indices, 0, LAST_INDEX)
        low, high = (1, (1 << 32) - 1) if draws else (0, 0)
        check_range(f"{name}: draw_key", np.array([self.draw_key]), low, high)
        n_chances = core.n_axons if core.transmission else 0
        _check_values(f"{name}: transmission", self.transmission, n_chances, 1, CERTAIN)
        low, high = (1, (1 << 32) - 1) if core.transmission else (0, 0)
        check_range(f"{name}: transmission_key", np.array([self.transmission_key]), low, high)
        self._check_learning(core, name)

    def _check_learning(self, core: CoreParams, name: str) -> None:
        rule = core.learning
        tagged = rule is not None and rule.tag_bits > 0
        devices = rule.devices if rule else None
        synapses = (core.n_axons, core.n_neurons)
        for what, shape in (
            ("plastic", (core.n_axons if rule else 0,)),
            ("short_term", (core.n_axons if core.short_term else 0,)),
            ("rule_bits", (core.n_axons if rule and "b" in rule.variables else 0,)),
            ("tags", synapses if tagged else (0, 0)),
            ("random", (core.lanes if rule and rule.stochastic else 0,)),
            ("devices", (devices.count, *synapses) if devices else (0, 0, 0)),
            ("selected", (1 if devices else 0,)),
        ):
            if getattr(self, what).shape != shape:
                raise SpikeletError(
                    f"{name}: {what} must have shape {shape}, not {getattr(self, what).shape}"
                )
        for what in ("plastic", "short_term", "rule_bits"):
            if getattr(self, what).dtype != np.bool_:
                raise SpikeletError(f"{name}: {what} must be bool, not {getattr(self, what).dtype}")
        if self.short_term[core.n_axons - core.teacher_axons :].any():
            raise SpikeletError(f"{name}: axons of teachers have no short-term plasticity")
        if rule:
            plastic = self.weights[self.plastic]
            check_range(f"{name}: weights of plastic axons", plastic, rule.w_min, rule.w_max)
            largest = (1 << rule.tag_bits >> 1) - 1
            check_range(f"{name}: tags", self.tags, -largest - 1, largest)
            check_range(f"{name}: random", self.random, 1, (1 << 32) - 1)
        if devices:
            check_range(f"{name}: selected", self.selected, 0, devices.count - 1)
            devices.check(self.devices, self.weights, self.plastic, name)


def _check_named(
    what: str, values: Mapping[str, npt.NDArray[np.int32]], names: tuple[str, ...]
) -> None:
    if set(values) != set(names):
        given, wanted = (", ".join(sorted(group)) or "none" for group in (values, names))
        raise SpikeletError(f"{what} must be {wanted}, not {given}")


def _check_values(
    what: str, values: npt.NDArray[np.int32], n_values: int, low: int, high: int
) -> None:
    if values.shape != (n_values,):
        raise SpikeletError(f"{what} must have shape ({n_values},), not {values.shape}")
    check_range(what, values, low, high)


@dataclass(frozen=True)
class ChipImage:
    """Contents of a chip, core by core."""

    __repr__ = summary

    cores: tuple[CoreImage, ...]

    def check(self, chip: ChipParams) -> None:
        """Raise SpikeletError, naming core, field and value, unless this fits ``chip``."""
        if len(self.cores) != len(chip.cores):
            raise SpikeletError(f"image: {len(self.cores)} cores for a chip of {len(chip.cores)}")
        for index, (image, core) in enumerate(zip(self.cores, chip.cores, strict=True)):
            image.check(core, f"core {index}")
            check_destinations(chip, index, image.destinations)
        if chip.count_bits > 1:
            self._check_outputs(chip)

    def _check_outputs(self, chip: ChipParams) -> None:
        """Check that no output line can be sent more spikes in a tick than its count holds."""
        most = np.zeros(chip.n_outputs, np.int64)
        for image, core in zip(self.cores, chip.cores, strict=True):
            lines = image.destinations[image.destinations[:, 1] == HOST, 2]
            most += np.bincount(lines, minlength=chip.n_outputs) * ((1 << core.fired_bits) - 1)
        if most.size and most.max() > MOST_OUTPUTS:
            line = int(most.argmax())
            raise SpikeletError(
                f"output line {line} can be sent {most[line]} spikes in a tick, and counts up to "
                f"{MOST_OUTPUTS}",
                remedy="send fewer neurons to a line, or build fewer bits of spikes",
            )

    def program(self, chip: ChipParams) -> npt.NDArray[np.uint32]:
        """Return the configuration writes that load this: (writes, 2), address and data."""
        self.check(chip)
        chip_map = ChipMap(chip)
        writes = []
        for index, (image, core) in enumerate(zip(self.cores, chip.cores, strict=True)):
            for region, offsets, words in _core_words(chip, core, image):
                if region in chip_map.cores[index]:
                    addresses = chip_map.address(index, region, offsets)
                    writes.append(np.stack([addresses, words.astype(np.uint32)], axis=1))
        return np.concatenate(writes)


def _core_words(
    chip: ChipParams, core: CoreParams, image: CoreImage
) -> list[tuple[str, npt.NDArray[np.int64], npt.NDArray[np.uint32]]]:
    """Return (region, offsets, words) of each region of a core."""
    words = core.synapse_format.words(core, image.weights)
    for name, values in (*image.parameters.items(), *image.states.items()):
        words.append((name, np.arange(len(values)), values.astype(np.int32).view(np.uint32)))
    if core.update.draws:
        drawn = first_words(image.draw_key, image.draw_indices)
        words.append(("draws", 2 * np.arange(drawn.size), drawn))
    destinations = destination_words(chip, core, image.destinations)
    words.append(("destinations", np.arange(destinations.size), destinations))
    if core.short_term:
        words.append(("short_term", *short_term_words(image.short_term)))
    if core.transmission:
        chances = transmission_words(image.transmission)
        words.append(("transmission", np.arange(chances.size), chances))
        key = np.array([image.transmission_key], np.uint32)
        words.append(("transmission_key", np.arange(1), key))
    rule = core.learning
    if rule:
        words.append(("plastic", *pack_lanes(scan_rows(core, image.plastic), 1)))
        if "b" in rule.variables:
            words.append(("rule_bits", *pack_lanes(scan_rows(core, image.rule_bits), 1)))
        words.append(("learning", np.arange(1), np.array([image.learning], np.uint32)))
        if rule.tag_bits:
            words.append(("tags", *pack_lanes(synapse_rows(core, image.tags), rule.tag_bits)))
        if rule.stochastic:
            halves = np.stack([image.random >> 16, image.random & 0xFFFF], axis=1)[::-1]
            words.append(("random", np.arange(halves.size), halves.ravel()))
        if rule.devices:
            rows = np.concatenate([synapse_rows(core, codes) for codes in image.devices])
            words.append(("devices", *pack_lanes(rows, rule.devices.code_bits)))
            words.append(("selected", np.arange(1), image.selected.astype(np.uint32)))
    return words


def random_states(lanes: int, seed: int) -> npt.NDArray[np.uint32]:
    """Return first states of the lanes' LFSRs, none of them 0, from a seed."""
    states = np.random.SeedSequence(seed).generate_state(lanes, np.uint32)
    return np.where(states == 0, np.uint32(1), states)


def scan_rows(core: CoreParams, marks: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Return marks, or counts, of the axons as words of ``scan_bits``: (scan_words, scan_bits)."""
    rows = np.zeros(core.scan_words * core.scan_bits, np.uint8)
    rows[: core.n_axons] = marks
    return rows.reshape(core.scan_words, core.scan_bits)
