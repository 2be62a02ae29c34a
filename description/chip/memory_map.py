"""Where everything in a chip is found through its configuration port: 32-bit words, word addresses.

The address space is divided into equal windows: window 0 holds the chip's registers, window
``1 + i`` belongs to core ``i``. The generator decodes these addresses, the loaders write to them,
and the tables in the documentation are printed from them.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.checks import bits_of, unsigned_bits
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.neuron_words import state_fields, state_span
from spikelet.description.chip.packets import destination_packet
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.transmission import TRANSMISSION_BITS
from spikelet.description.errors import SpikeletError
from spikelet.description.lanes import lane_banks

__all__ = [
    "CHIP_REGISTERS",
    "COUNTERS",
    "EARLY_STOP_REGISTERS",
    "FLAGS",
    "IDENTIFICATION",
    "LEARNING_REGISTERS",
    "TICK_BITS",
    "TIMER_REGISTERS",
    "WRITABLE_REGISTERS",
    "ChipMap",
    "Region",
    "chip_registers",
    "core_regions",
    "describe",
    "post_bits",
    "post_fields",
    "register_number",
]

IDENTIFICATION = 0x53504B03
"""Chip register 0: "SPK" and the version of this map."""

CHIP_REGISTERS = (
    "identification",
    "structure",
    "ticks",
    "cycles",
    "run_ticks",
    "period",
    "overruns",
    "late_events",
    "dropped_packets",
    "flags",
)
"""Window 0: identification; first 32 bits of the structure digest; ticks since clear; clock cycles
of the last tick, from its start to the barrier; ticks that the chip still runs by itself, all ones
for ever; clock cycles from one of these to the next, 0 for as few as possible; ticks that could not
start in time; host events that missed the tick they were offered for; packets to positions without
a core; and :data:`FLAGS`."""

EARLY_STOP_REGISTERS = ("stop_at_output", "stopped")
"""What follows in chips with ``early_stop``, each one bit: the host sets the first; then the second
is 1 from the end of a tick in which a spike reached the host, until clear, and no tick begins."""

TIMER_REGISTERS = ("run_ticks", "period", "overruns", "late_events")
"""Those of :data:`CHIP_REGISTERS` that only chips with ``tick_timer`` have; others keep their
addresses."""

WRITABLE_REGISTERS = ("run_ticks", "period", "stop_at_output")
"""Those that the host writes."""

FLAGS = ("overrun", "late_event", "dropped_packet")
"""Bits of the register ``flags``, set since clear; a packet dropped by a core counts too."""

COUNTERS = ("active_axons", "merged_spikes", "dropped_packets")
"""Counters of a core since clear: axons found active, each as often as its count of spikes; spikes
that merged into an arrival already due at the same axon and tick, of counts what was above their
largest; packets to axons or delays that the core does not have. All wrap at 2**32."""

LEARNING_REGISTERS = ("enable", "reward")
"""Registers of a plastic core: bit 0 switches learning on; the reward of the coming ticks."""

_SHORT_TERM = "axon; u from bit 0, bit 15: has short-term plasticity, depleted from bit 16"

_TRANSMISSION = "axon; the chance of a spike to fail, in 1/256"

_DRAWS = "of each neuron: first word after clear; word of the coming tick"

_KEY = "key after clear, whose writing sets both; key of the coming tick"

TICK_BITS = 9
"""Width of a core's count of ticks, whose highest bit stays once it is set."""


@dataclass(frozen=True)
class Region:
    """A memory or register group of a core.

    Parameters
    ----------
    name : str
    base : int
        Word address within the core's window; a multiple of ``span``.
    words : int
        Words in use.
    span : int
        Words decoded, a power of two.
    bits : int
        Bits in use in each word, from bit 0.
    access : str
        ``"rw"`` or ``"r"``.
    layout : str
        How an index becomes an offset, for the tables.
    """

    name: str
    base: int
    words: int
    span: int
    bits: int
    access: str
    layout: str


def _ceil_power_of_two(value: int) -> int:
    return 1 << (value - 1).bit_length()


def chip_registers(chip: ChipParams) -> tuple[str, ...]:
    """Return the names of a chip's registers, in the order of their addresses."""
    names = CHIP_REGISTERS + (EARLY_STOP_REGISTERS if chip.early_stop else ())
    return tuple(name for name in names if chip.tick_timer or name not in TIMER_REGISTERS)


def register_number(chip: ChipParams, name: str) -> int:
    """Return the address of a chip's register; SpikeletError if it has none of that name."""
    if name in chip_registers(chip):
        return (CHIP_REGISTERS + EARLY_STOP_REGISTERS).index(name)
    remedies = {
        **dict.fromkeys(TIMER_REGISTERS, "compile the network with --tick-timer"),
        **dict.fromkeys(EARLY_STOP_REGISTERS, "compile the network with --early-stop"),
    }
    there = ", ".join(chip_registers(chip))
    raise SpikeletError(
        f"the chip has no register {name!r}, only {there}", remedy=remedies.get(name, "")
    )


def core_regions(core: CoreParams, destination_bits: int) -> dict[str, Region]:
    """Return the regions of a core by name, largest first, each aligned to its span."""
    synapse = f"(group * {core.n_axons} + axon)"
    wanted = [
        *((r.name, r.words, r.bits, "rw", r.layout) for r in core.synapse_format.regions(core)),
        ("state", core.n_neurons * state_span(core), 32, "rw", _state_layout(core)),
        (
            "destinations",
            core.n_neurons + core.list_entries,
            destination_bits,
            "rw",
            f"neuron; its list, if any, from {core.n_neurons} on",
        ),
        (
            "arrivals",
            core.delay_slots * _ceil_power_of_two(core.scan_words),
            core.scan_bits * core.spike_bits,
            "rw",
            f"slot * {_ceil_power_of_two(core.scan_words)} + axon / {core.scan_bits}; "
            f"axon a at bit {_arrival_bit(core)}; slot: tick % {core.delay_slots}",
        ),
        ("tick", 1, TICK_BITS, "rw", "coming tick since clear; from 256 on, 256 + tick % 256"),
        ("counters", len(COUNTERS), 32, "r", ", ".join(COUNTERS)),
        *_learning_regions(core, synapse),
    ]
    if core.short_term:
        wanted.append(("short_term", core.n_axons, 32, "rw", _SHORT_TERM))
    if core.transmission:
        wanted.append(("transmission", core.n_axons, TRANSMISSION_BITS, "rw", _TRANSMISSION))
        wanted.append(("transmission_key", 2, 32, "rw", _KEY))
    for name in core.update.kept:
        wanted.append((name, core.n_neurons, core.state_bits[name], "rw", "neuron"))
    for name, ends in core.parameter_ranges.items():
        each = core.scope(name) == "neuron"
        words = core.n_neurons if each else 1
        layout = "neuron" if each else "one for all neurons"
        wanted.append((name, words, bits_of(*ends), "rw", layout))
    if core.update.draws:
        wanted.append(("draws", 2 * core.n_neurons, 32, "rw", _DRAWS))
    regions = {}
    base = 0
    for name, words, bits, access, layout in sorted(wanted, key=lambda item: -item[1]):
        span = _ceil_power_of_two(words)
        base = -(-base // span) * span
        regions[name] = Region(name, base, words, span, bits, access, layout)
        base += span
    return regions


def _arrival_bit(core: CoreParams) -> str:
    place = f"a % {core.scan_bits}"
    bits = core.spike_bits
    return place if bits == 1 else f"({place}) * {bits}, a count of {bits} bits"


def _state_layout(core: CoreParams) -> str:
    places = [
        f"{name} in word {f.word} from bit {f.first_bit}"
        if state_span(core) > 1
        else f"{name} from bit {f.first_bit}"
        for name, f in state_fields(core).items()
    ]
    span = state_span(core)
    return f"neuron{f' * {span} + word' if span > 1 else ''}; {', '.join(places)}"


def _packed(
    name: str, rows: int, lanes: int, bits: int, row: str, access: str = "rw"
) -> tuple[str, int, int, str, str]:
    """Return a region of rows of lanes in banks of 32 bits; see :func:`pack_lanes`."""
    banks = lane_banks(lanes, bits)
    layout = f"{row} * {banks} + bank; lane l of the row at bit l * {bits}, 32 bits a bank"
    return name, rows * banks, min(32, lanes * bits), access, layout


def _learning_regions(core: CoreParams, synapse: str) -> list[tuple[str, int, int, str, str]]:
    """Return the regions that only a plastic core has."""
    rule = core.learning
    if rule is None:
        return []
    lane = f"axon / {core.trace_lanes}; lanes are axons,"
    regions = [
        ("plastic", core.scan_words, core.scan_bits, "rw", f"axon / {core.scan_bits}"),
        ("learning", len(LEARNING_REGISTERS), max(rule.reward_bits, 1), "rw", "register"),
    ]
    if "b" in rule.variables:
        layout = f"axon / {core.scan_bits}"
        regions.append(("rule_bits", core.scan_words, core.scan_bits, "rw", layout))
    if rule.tag_bits:
        regions.append(_packed("tags", core.weight_rows, core.lanes, rule.tag_bits, synapse))
    if bits := sum(trace.bits for trace in rule.pre_traces.values()):
        name = f"({lane} {', '.join(rule.pre_traces)})"
        regions.append(_packed("pre_traces", core.trace_rows, core.trace_lanes, bits, name))
    if bits := post_bits(core):
        name = f"(group; lanes are neurons, {', '.join(post_fields(core))})"
        regions.append(_packed("post_traces", core.groups, core.lanes, bits, name))
    if rule.stochastic:
        layout = "all words, in order; see docs/learning.md"
        regions.append(("random", 2 * core.lanes, 16, "rw", layout))
    if devices := rule.devices:
        place = f"(device * {core.weight_rows} + {synapse})"
        rows = devices.count * core.weight_rows
        regions.append(_packed("devices", rows, core.lanes, devices.code_bits, place))
        bits = unsigned_bits(devices.count - 1)
        regions.append(("selected", 1, bits, "rw", "the device that the coming tick programs"))
    return regions


def post_fields(core: CoreParams) -> dict[str, int]:
    """Return the widths of what a plastic core keeps of each neuron for its rule, lowest first."""
    rule = core.learning
    if rule is None:
        return {}
    fields = {name: trace.bits for name, trace in rule.post_traces.items()}
    return fields | ({"v": core.potential_bits} if "v" in rule.variables else {})


def post_bits(core: CoreParams) -> int:
    """Return the sum of the widths of :func:`post_fields`."""
    return sum(post_fields(core).values())


class ChipMap:
    """The memory map of one chip.

    Attributes
    ----------
    window : int
        Words of a window, a power of two.
    address_bits : int
    cores : list of dict of Region
        Per core, by region name.
    """

    def __init__(self, chip: ChipParams) -> None:
        kinds = {
            core: core_regions(core, destination_packet(chip, core).width)
            for core in dict.fromkeys(chip.cores)
        }
        self.cores = [kinds[core] for core in chip.cores]
        used = [max(r.base + r.span for r in regions.values()) for regions in self.cores]
        registers = 1 + register_number(chip, chip_registers(chip)[-1])
        self.window = _ceil_power_of_two(max(registers, *used))
        self.address_bits = (self.window * (1 + len(self.cores)) - 1).bit_length()
        if self.address_bits > 32:
            raise SpikeletError(f"chip: {self.address_bits} address bits exceed 32")

    def address(self, core: int, region: str, offset: npt.ArrayLike = 0) -> npt.NDArray[np.uint32]:
        """Return word addresses in a region of a core."""
        base = self.window * (1 + core) + self.cores[core][region].base
        return (np.asarray(offset, np.int64) + base).astype(np.uint32)


def describe(chip: ChipParams) -> dict[str, Any]:
    """Return the whole map as JSON-compatible values: windows, registers, regions of every core."""
    chip_map = ChipMap(chip)
    return {
        "word_bits": 32,
        "address_bits": chip_map.address_bits,
        "window_words": chip_map.window,
        "chip_registers": {name: register_number(chip, name) for name in chip_registers(chip)},
        "structure": int(chip.digest[:8], 16),
        "cores": [
            {
                "core": index,
                "window": chip_map.window * (1 + index),
                "regions": [vars(region) for region in regions.values()],
            }
            for index, regions in enumerate(chip_map.cores)
        ],
    }
