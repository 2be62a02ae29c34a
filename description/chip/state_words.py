"""A snapshot as words of the configuration port, to be written or read."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import ChipImage, scan_rows
from spikelet.description.chip.memory_map import (
    COUNTERS,
    IDENTIFICATION,
    TICK_BITS,
    ChipMap,
    Region,
    chip_registers,
    post_bits,
    post_fields,
    register_number,
)
from spikelet.description.chip.neuron_words import (
    pack_states,
    state_offsets,
    unpack_kept,
    unpack_states,
)
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.short_term_words import short_term_states, short_term_words
from spikelet.description.chip.state import ChipState, CoreState
from spikelet.description.lanes import lane_banks, pack_lanes, unpack_lanes
from spikelet.description.learning.rule import TraceParams
from spikelet.description.neurons.draws import first_words, key_after, words_after

__all__ = [
    "LEARNED_REGIONS",
    "learned_words",
    "readable_words",
    "restore_program",
    "snapshot_of",
    "state_words",
    "words_behind",
]

_STATE = ("state", "arrivals", "pre_traces", "post_traces", "short_term")
_LEARNED = ("weights", "tags", "random", "devices", "selected")

LEARNED_REGIONS = (*_LEARNED, "pre_traces", "post_traces")
"""Regions of a core that learns, with what it learned and its traces."""


def restore_program(chip: ChipParams, state: ChipState) -> npt.NDArray[np.uint32]:
    """Return the configuration writes that restore a snapshot, after ``clear``.

    Parameters
    ----------
    chip : ChipParams
    state : ChipState
        Already checked against ``chip``.

    Returns
    -------
    array of uint32, shape (writes, 2)
        Address and data.
    """
    chip_map = ChipMap(chip)
    writes = [state.image.program(chip)]
    wraps = 1 << (TICK_BITS - 1)
    tick = state.ticks if state.ticks < wraps else wraps + state.ticks % wraps
    for index, (core, here) in enumerate(zip(chip.cores, state.cores, strict=True)):
        parts = [
            ("tick", np.zeros(1, np.int64), np.array([tick], np.uint32)),
            ("state", state_offsets(core), pack_states(core, here.states)),
            ("arrivals", *_arrivals(core, here, state.ticks)),
        ]
        if "pre_traces" in chip_map.cores[index]:
            parts.append(("pre_traces", *pack_lanes(_axon_rows(core, here), _pre_bits(core))))
        if "post_traces" in chip_map.cores[index]:
            parts.append(("post_traces", *pack_lanes(_neuron_rows(core, here), post_bits(core))))
        if core.short_term:
            axons = state.image.cores[index].short_term
            parts.append(("short_term", *short_term_words(axons, here.traces)))
        if core.update.draws:
            drawn = state.image.cores[index]
            drawn_words = words_after(first_words(drawn.draw_key, drawn.draw_indices), state.ticks)
            parts.append(("draws", 2 * np.arange(drawn_words.size) + 1, drawn_words))
        if core.transmission:
            key = key_after(state.image.cores[index].transmission_key, state.ticks)
            parts.append(("transmission_key", np.ones(1, np.int64), np.array([key], np.uint32)))
        if first := core.synapse_format.key(core, state.image.cores[index].weights):
            key = key_after(first, state.ticks)
            parts.append(("synapse_key", np.ones(1, np.int64), np.array([key], np.uint32)))
        for region, offsets, words in parts:
            addresses = chip_map.address(index, region, offsets)
            writes.append(np.stack([addresses, words.astype(np.uint32)], axis=1))
    return np.concatenate(writes)


def readable_words(
    chip: ChipParams,
    state: ChipState,
    active_axons: npt.NDArray[np.integer],
    merged_spikes: npt.NDArray[np.integer],
) -> npt.NDArray[np.uint32]:
    """Return what the configuration port reads after ticks that started from ``clear``.

    That is contents and state of every core, its counters, and the chip's registers, but for
    ``cycles``, which depends on when things happened, and rewards, which the host sets.

    Parameters
    ----------
    chip : ChipParams
    state : ChipState
        After the last tick; already checked against ``chip``.
    active_axons, merged_spikes : array of int, shape (cores,)
        Since ``clear``. No packet was dropped, and no tick or event was late.

    Returns
    -------
    array of uint32, shape (words, 2)
        Address and data, by address.
    """
    chip_map = ChipMap(chip)
    registers = dict.fromkeys(chip_registers(chip), 0) | {
        "identification": IDENTIFICATION,
        "structure": int(chip.digest[:8], 16),
        "ticks": state.ticks,
    }
    del registers["cycles"]
    places = [register_number(chip, name) for name in registers]
    words = [np.array([places, list(registers.values())]).T, restore_program(chip, state)]
    for index, counted in enumerate(zip(active_axons, merged_spikes, strict=True)):
        addresses = chip_map.address(index, "counters", np.arange(len(COUNTERS)))
        words.append(np.array([addresses, [*counted, 0]]).T)
    return _as_read(chip_map, np.concatenate([part.astype(np.uint32) for part in words]))


def words_behind(chip: ChipParams, program: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """Return what the configuration port reads behind a program, of each address that it writes.

    Parameters
    ----------
    chip : ChipParams
    program : array of uint32, shape (writes, 2)
        Address and data, as :meth:`ChipImage.program` returns them.

    Returns
    -------
    array of uint32, shape (words, 2)
        Address and data, by address.
    """
    written, places = np.unique(program[::-1, 0], return_index=True)
    return _as_read(ChipMap(chip), np.stack([written, program[::-1, 1][places]], axis=1))


def _as_read(chip_map: ChipMap, words: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """Return words by address, the last of each, without bits that their regions do not have."""
    found: npt.NDArray[np.uint32] = words[np.argsort(words[:, 0], kind="stable")]
    found = found[np.append(found[1:, 0] != found[:-1, 0], True)]
    for index, regions in enumerate(chip_map.cores):
        for region in regions.values():
            first = int(chip_map.address(index, region.name))
            here = slice(*np.searchsorted(found[:, 0], [first, first + region.span]))
            found[here, 1] &= np.uint32((1 << region.bits) - 1)
    return found


def state_words(
    chip: ChipParams, names: tuple[str, ...] | None = None
) -> list[dict[str, npt.NDArray[np.uint32]]]:
    """Return, for each core, the addresses to read for a snapshot, by region, each in order.

    Parameters
    ----------
    chip : ChipParams
    names : tuple of str, or None
        Regions of interest; all that change by default.
    """
    chip_map = ChipMap(chip)
    found = []
    for index, (core, regions) in enumerate(zip(chip.cores, chip_map.cores, strict=True)):
        wanted = (*_LEARNED, *core.update.kept, *_STATE) if names is None else names
        found.append(
            {
                name: chip_map.address(index, name, _offsets(core, regions[name]))
                for name in wanted
                if name in regions and (name != "weights" or core.learning)
            }
        )
    return found


def snapshot_of(
    chip: ChipParams,
    image: ChipImage,
    ticks: int,
    words: list[dict[str, npt.NDArray[np.uint32]]],
) -> ChipState:
    """Return the snapshot that the words of :func:`state_words` make.

    Parameters
    ----------
    chip : ChipParams
    image : ChipImage
        What was loaded: parameters, tables, and what does not learn.
    ticks : int
        Since ``clear``.
    words : list of dict of arrays of uint32
        For each core and region.
    """
    contents, states = [], []
    for core, loaded, read in zip(chip.cores, image.cores, words, strict=True):
        learned = learned_words(core, read)
        kept = {name: learned[name] for name in core.update.kept}
        changed: dict[str, Any] = {name: learned[name] for name in _LEARNED if name in learned}
        contents.append(replace(loaded, states=kept, **changed))
        cleared = CoreState.cleared(core)
        traces = {name: learned[name] for name in cleared.traces}
        arrivals = _unpacked_arrivals(core, read["arrivals"], ticks)
        states.append(CoreState(unpack_states(core, read["state"]), arrivals, traces))
    return ChipState(chip.digest, ticks, ChipImage(tuple(contents)), tuple(states))


def learned_words(
    core: CoreParams, read: dict[str, npt.NDArray[np.uint32]]
) -> dict[str, npt.NDArray[Any]]:
    """Return weights, tags, traces, kept states, LFSRs and devices, as far as they were read.

    Shapes are (..., n_axons, n_neurons), (..., n_axons), (..., n_neurons) and (..., lanes), for
    words of shape (..., words).
    """
    found: dict[str, npt.NDArray[Any]] = {}
    rule = core.learning
    for name in core.update.kept:
        if name in read:
            found[name] = unpack_kept(core, name, read[name])
    if "short_term" in read:
        found |= short_term_states(read["short_term"])
    if rule is None:
        return found
    if "weights" in read:
        signed = core.weight_format == "signed"
        found["weights"] = _synapses(core, read["weights"], core.weight_bits, signed, np.int16)
    if "tags" in read:
        found["tags"] = _synapses(core, read["tags"], rule.tag_bits, True, np.int8)
    if "pre_traces" in read:
        lanes = core.trace_lanes
        codes = unpack_lanes(read["pre_traces"].reshape(-1), lanes, _pre_bits(core))
        padded = (*read["pre_traces"].shape[:-1], core.trace_rows * lanes)
        found |= _traces(rule.pre_traces, codes.reshape(padded)[..., : core.n_axons])
    if "post_traces" in read and rule.post_traces:
        codes = unpack_lanes(read["post_traces"].reshape(-1), core.lanes, post_bits(core))
        rows = codes.reshape(*read["post_traces"].shape[:-1], core.n_neurons)
        found |= _traces(rule.post_traces, rows)
    if "random" in read:
        halves = read["random"].reshape(*read["random"].shape[:-1], core.lanes, 2)[..., ::-1, :]
        found["random"] = (halves[..., 0] << 16 | halves[..., 1]).astype(np.uint32)
    if "devices" in read and rule.devices:
        words, count = read["devices"], rule.devices.count
        words = words.reshape(*words.shape[:-1], count, -1)
        found["devices"] = _synapses(core, words, rule.devices.code_bits, False, np.int32)
    if "selected" in read:
        found["selected"] = read["selected"].astype(np.int32)
    return found


def _traces(
    traces: dict[str, TraceParams], rows: npt.NDArray[np.int64]
) -> dict[str, npt.NDArray[np.int32]]:
    """Return traces out of words that hold them side by side, the first in the lowest bits."""
    found, first = {}, 0
    for name, trace in traces.items():
        found[name] = ((rows >> first) & trace.largest).astype(np.int32)
        first += trace.bits
    return found


def _offsets(core: CoreParams, region: Region) -> npt.NDArray[np.int64]:
    """Return the offsets of the words in use, without those between banks and powers of two."""
    rule = core.learning
    shapes = {"weights": (core.weight_rows, core.lanes, core.weight_bits)}
    if rule:
        shapes["tags"] = (core.weight_rows, core.lanes, rule.tag_bits)
        shapes["pre_traces"] = (core.trace_rows, core.trace_lanes, _pre_bits(core))
        shapes["post_traces"] = (core.groups, core.lanes, post_bits(core))
    if rule and rule.devices:
        rows = rule.devices.count * core.weight_rows
        shapes["devices"] = (rows, core.lanes, rule.devices.code_bits)
    if region.name == "state":
        return state_offsets(core)
    if region.name not in shapes:
        return np.arange(region.words)
    rows, lanes, bits = shapes[region.name]
    banks = -(-lanes * bits // 32)
    return (np.arange(rows)[:, None] * lane_banks(lanes, bits) + np.arange(banks)).ravel()


def _pre_bits(core: CoreParams) -> int:
    return sum(trace.bits for trace in core.learning.pre_traces.values()) if core.learning else 0


def _synapses(
    core: CoreParams,
    words: npt.NDArray[np.uint32],
    bits: int,
    signed: bool,
    kind: type[np.signedinteger[Any]],
) -> npt.NDArray[Any]:
    codes = unpack_lanes(words.reshape(-1), core.lanes, bits, signed=signed)
    by_group = codes.reshape(*words.shape[:-1], core.groups, core.n_axons, core.lanes)
    rows = np.swapaxes(by_group, -3, -2)
    return rows.reshape(*words.shape[:-1], core.n_axons, core.n_neurons).astype(kind)


def _slots(core: CoreParams, ticks: int) -> npt.NDArray[np.int64]:
    """Return the slot of the coming tick, of the one after it, and so on."""
    return (ticks + np.arange(core.delay_slots)) % core.delay_slots


def _arrivals(
    core: CoreParams, state: CoreState, ticks: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint32]]:
    stride = 1 << (core.scan_words - 1).bit_length()
    offsets, words = [], []
    for slot, due in zip(_slots(core, ticks), state.arrivals, strict=True):
        at, data = pack_lanes(scan_rows(core, due), core.spike_bits)
        offsets.append(slot * stride + at)
        words.append(data)
    return np.concatenate(offsets), np.concatenate(words)


def _unpacked_arrivals(
    core: CoreParams, words: npt.NDArray[np.uint32], ticks: int
) -> npt.NDArray[Any]:
    shifts = np.arange(core.scan_bits) * core.spike_bits
    counts = (words.reshape(core.delay_slots, -1, 1) >> shifts) & core.most_spikes
    kind = np.uint8 if core.spike_bits > 1 else np.bool_
    by_slot: npt.NDArray[Any] = counts.reshape(core.delay_slots, -1)[:, : core.n_axons].astype(kind)
    return by_slot[_slots(core, ticks)]


def _axon_rows(core: CoreParams, state: CoreState) -> npt.NDArray[np.int64]:
    codes = np.zeros(core.trace_rows * core.trace_lanes, np.int64)
    first = 0
    for name, trace in (core.learning.pre_traces if core.learning else {}).items():
        codes[: core.n_axons] |= state.traces[name].astype(np.int64) << first
        first += trace.bits
    return codes.reshape(core.trace_rows, core.trace_lanes)


def _neuron_rows(core: CoreParams, state: CoreState) -> npt.NDArray[np.int64]:
    codes = np.zeros(core.n_neurons, np.int64)
    first = 0
    for name, bits in post_fields(core).items():
        values = state.states["v"] if name == "v" else state.traces[name]
        codes |= (values.astype(np.int64) & ((1 << bits) - 1)) << first
        first += bits
    return codes.reshape(core.groups, core.lanes)
