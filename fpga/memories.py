"""The memories of a chip as they are built, and what synthesis makes of one.

Yosys (``memory_libmap``) weighs the kinds of RAM that a family has by a cost; :func:`place_memory`
weighs them likewise, so that its counts are exact.
"""

from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, replace
from functools import lru_cache, reduce
from math import inf
from operator import or_

from spikelet.description.checks import bits_of, unsigned_bits
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.memory_map import post_bits
from spikelet.description.chip.neuron_words import state_fields
from spikelet.description.chip.packets import destination_packet, flit_packet
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.teacher import error_bits
from spikelet.description.chip.transmission import TRANSMISSION_BITS
from spikelet.description.expression import looked_up
from spikelet.description.lanes import rows_in_word
from spikelet.description.learning.short_term import AMPLITUDE_BITS, DEPLETED_BITS, U_BITS
from spikelet.fpga.families.costs import RamKind

__all__ = [
    "Memory",
    "PlacedMemory",
    "chip_memories",
    "place_memory",
    "router_queues",
    "varying_bits",
]

_READ_PORT_COST = 2
_MULTIPLEXER_COST = 0.5
_REGISTER_COST, _TABLE_COST = 1.0, 1 / 16


@dataclass(frozen=True)
class Memory:
    """A memory of the design, in banks that synthesis places one by one.

    Parameters
    ----------
    name : str
    rows, bank_bits, banks : int
        Of a table, only bits that are not the same in all rows: see :func:`varying_bits`.
    kind : str
        ``"auto"`` (synthesis chooses), ``"block"``, ``"spram"``, or ``"unclocked"``: read without
        a clock.
    writable : bool
        False for a constant table.
    unread_bits : int
        Bits of a row's last bank that nothing reads: RAM cells for them alone are dropped.
    sharing : int
        Rows that share a word, each with banks of its own: see
        :func:`~spikelet.description.lanes.rows_in_word`.
    """

    name: str
    rows: int
    bank_bits: int
    banks: int = 1
    kind: str = "auto"
    writable: bool = True
    unread_bits: int = 0
    sharing: int = 1

    @property
    def bits(self) -> int:
        """Bits of all banks."""
        return self.rows * self.bank_bits * self.banks


@dataclass(frozen=True)
class PlacedMemory:
    """What a memory becomes.

    Parameters
    ----------
    resource : str
        As in :class:`RamKind`, or ``"registers"``, or ``"tables"`` of logic.
    cells : int
        RAM cells of all banks; bits if they are registers or a table.
    multiplexers : int
        2-to-1 multiplexers of a bit that join RAM cells to a deeper memory, or choose a row from
        a word.
    """

    resource: str
    cells: int
    multiplexers: int = 0


@lru_cache(maxsize=4096)
def place_memory(memory: Memory, rams: tuple[RamKind, ...]) -> PlacedMemory:
    """Return what synthesis makes of a memory where there are these RAM cells."""
    kind = memory.kind
    if kind == "spram" and not any(kind in ram.kinds for ram in rams):
        kind = "auto"
    bits = memory.rows * memory.bank_bits
    best = PlacedMemory("registers" if memory.writable else "tables", bits * memory.banks)
    least: float = inf
    if kind in ("auto", "unclocked"):
        least = int(bits * (_REGISTER_COST if memory.writable else _TABLE_COST))
    for ram in rams:
        if kind in ram.kinds and (memory.writable or ram.tables):
            cost, cells, multiplexers = _least_cost(memory, ram)
            if cost < least:
                least = int(cost)
                best = PlacedMemory(ram.resource, cells, multiplexers * memory.banks)
    row_bits = memory.bank_bits * memory.banks // memory.sharing
    return replace(best, multiplexers=best.multiplexers + (memory.sharing - 1) * row_bits)


def _least_cost(memory: Memory, ram: RamKind) -> tuple[float, int, int]:
    """Return cost and multiplexers of a bank in the best shape of a cell, and all banks' cells."""
    best: tuple[float, int, int] | None = None
    for shape, width in enumerate(ram.widths):
        written = (min(ram.byte, width) or width) if memory.writable else 1
        row_bits = -(-memory.bank_bits // written) * written
        depth = -(-memory.rows // (1 << (ram.address_bits - shape)))
        cells = -(-depth * row_bits // width)
        multiplexers = (depth - 1) * memory.bank_bits
        enables = depth if depth > 1 and memory.writable else 0
        cost = ram.cost * cells + _MULTIPLEXER_COST * (multiplexers + enables) + _READ_PORT_COST
        if best is None or cost < int(best[0]):
            read = range(memory.bank_bits - memory.unread_bits)
            last = {(row_bits * part + bit) // width for part in range(depth) for bit in read}
            whole = memory.banks - memory.sharing
            best = cost, cells * whole + len(last) * memory.sharing, multiplexers
    assert best is not None, "a RAM cell has a width"
    return best


def varying_bits(words: Iterable[int]) -> int:
    """Return the bits of a table's words that are not the same in all: the others need no RAM."""
    first, *rest = words
    return reduce(or_, (word ^ first for word in rest), 0).bit_count()


def chip_memories(chip: ChipParams) -> list[Memory]:
    """Return every memory of the cores and of the routers."""
    memories = []
    for number, core in enumerate(chip.cores):
        memories += [
            replace(memory, name=f"core {number} {memory.name}")
            for memory in _core_memories(core, destination_packet(chip, core).width)
        ]
    places = 1 << (chip.fifo_depth - 2).bit_length()
    queues = Memory(
        "router queues", places, flit_packet(chip).width, router_queues(chip), "unclocked"
    )
    return [*memories, queues]


def router_queues(chip: ChipParams) -> int:
    """Return the inputs of all routers: from cores, the host, and other routers."""
    if chip.topology == "tree":
        links = 2 * max(0, chip.width - 2)
    else:
        around = chip.topology in ("torus", "ring")
        along_row, along_column = (
            size if around and size > 1 else size - 1 for size in (chip.width, chip.height)
        )
        links = 2 * (chip.height * along_row + chip.width * along_column)
    return len(chip.cores) + 1 + links


def _rows_of_lanes(name: str, rows: int, bits: int, kind: str, bank_bits: int = 32) -> Memory:
    """Return a memory whose rows are cut into banks, and may share words."""
    banks = -(-bits // bank_bits)
    unread = -bits % bank_bits if banks > 1 else 0
    sharing = rows_in_word(rows)
    return Memory(
        *(name, -(-rows // sharing), min(bank_bits, bits), banks * sharing, kind),
        unread_bits=unread,
        sharing=sharing,
    )


@lru_cache(maxsize=1024)
def _core_memories(core: CoreParams, destination_bits: int) -> tuple[Memory, ...]:
    return (*_memories_of_all_cores(core, destination_bits), *_learning_memories(core))


def _memories_of_all_cores(core: CoreParams, destination_bits: int) -> Iterator[Memory]:
    bitmap_rows = core.delay_slots << (core.scan_words - 1).bit_length()
    for memory in core.synapse_format.memories(core):
        yield _rows_of_lanes(*astuple(memory))
    yield from _neuron_memories(core)
    yield Memory("destinations", core.n_neurons + core.list_entries, destination_bits)
    yield Memory("axon bitmap", bitmap_rows, core.scan_bits * core.spike_bits)
    fired_bits = core.pipelines * core.fired_bits
    yield Memory("fired queue", core.rows, fired_bits + unsigned_bits(core.rows - 1))
    if core.short_term:
        yield Memory("short-term states", core.n_axons, 1 + U_BITS + DEPLETED_BITS)
        yield Memory("amplitudes", core.n_axons, AMPLITUDE_BITS + 1)
        yield Memory("axons to scale", core.scan_words, core.scan_bits)
    if core.transmission:
        yield Memory("chances to fail", core.n_axons, TRANSMISSION_BITS)


def _neuron_memories(core: CoreParams) -> Iterator[Memory]:
    words: dict[int, int] = {}
    for name, field in state_fields(core).items():
        words[field.word] = words.get(field.word, 0) + core.state_bits[name]
    for word, bits in sorted(words.items()):
        yield Memory(f"state {word}" if word else "state", core.rows, bits, core.pipelines)
    for name in core.update.kept:
        yield Memory(name, core.rows, core.state_bits[name], core.pipelines)
    for name, ends in core.parameter_ranges.items():
        if core.scope(name) == "neuron":
            yield Memory(name, core.rows, bits_of(*ends), core.pipelines)
    for line in core.update.lines:
        for assignment in line:
            if table := looked_up(assignment.value, core.update.ranges):
                bits = max(table).bit_length()
                yield Memory(
                    f"table {assignment.name}", len(table), bits, core.pipelines, "block", False
                )
    if core.update.draws:
        yield Memory("draws", 2 << (core.rows - 1).bit_length(), 32, core.pipelines)


def _learning_memories(core: CoreParams) -> Iterator[Memory]:
    rule = core.learning
    if rule is None:
        return
    axon_bits = unsigned_bits(core.n_axons - 1)
    if rule.tag_bits:
        yield _rows_of_lanes(
            "tags", core.weight_rows, core.lanes * rule.tag_bits, core.weight_memory
        )
    if devices := rule.devices:
        rows = devices.count * core.weight_rows
        bits = core.lanes * devices.code_bits
        yield _rows_of_lanes("devices", rows, bits, core.weight_memory)
    paired = any("x0" in term.triggers for term in rule.terms if term.phase == "post")
    for name, used in (
        ("plastic axons", True),
        ("rule bits", "b" in rule.variables),
        ("axons with a spike", bool(rule.pre_traces) or paired),
        ("axons to visit", not rule.visits_silent_axons),
    ):
        if used:
            yield Memory(name, core.scan_words, core.scan_bits)
    if core.groups > 1:
        yield Memory("visited axons", core.n_axons, axon_bits)
    group_bits = (core.groups - 1).bit_length()
    row_bits = (core.weight_rows - 1).bit_length()
    if "post" in rule.phases and core.groups > 1:
        marks = core.lanes * (1 + error_bits(rule))
        yield Memory("fired groups", core.groups, marks + group_bits + row_bits, 1, "block")
    if bits := sum(trace.bits for trace in rule.pre_traces.values()):
        rows = 2 << (core.trace_rows - 1).bit_length()
        traces = _rows_of_lanes("pre traces", rows, core.trace_lanes * bits, "block")
        yield traces
        if any(t.variables & set(rule.pre_traces) for t in rule.terms if t.phase == "pre"):
            yield replace(traces, name="copy of the pre traces")
    if bits := post_bits(core):
        yield _rows_of_lanes("post traces", 2 << group_bits, core.lanes * bits, "block")
