"""How much of each kind of logic a chip has, counted from its structure, module by module.

The counts follow ``rtl_gen``: bits of adders and comparators, of multiplexers, of registers that no
look-up table feeds. ``fpga/fit.py`` multiplies them by a family's coefficients.
"""

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from spikelet.description.checks import signed_bits, unsigned_bits
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.memory_map import core_regions, post_bits
from spikelet.description.chip.packets import destination_packet, flit_packet
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.transmission import TRANSMISSION_BITS
from spikelet.description.learning.devices import Devices
from spikelet.description.learning.rule import (
    LearningRule,
    TraceParams,
    factor_range,
    term_range,
    variable_range,
)
from spikelet.description.learning.short_term import AMPLITUDE_BITS, DEPLETED_BITS, U_BITS
from spikelet.description.learning.text import Comparison, Factor, SumOfProducts, Term
from spikelet.fpga.memories import router_queues
from spikelet.fpga.neuron_terms import draw_terms, neuron_products, update_terms

__all__ = ["LOGIC_TERMS", "logic_terms", "multiplications"]

LOGIC_TERMS = (
    "chip",
    "core",
    "plastic core",
    "router",
    "configuration",
    "address",
    "sum",
    "adder",
    "multiplexer",
    "random",
    "register",
)
"""Names of the terms; see :func:`logic_terms`."""

_Widths = tuple[int, int]


def logic_terms(chip: ChipParams) -> Counter[str]:
    """Return how much there is of what takes LUTs.

    ``chip``: 1; ``core``, ``plastic core``: cores; ``router``: ports of all routers, times the bits
    of a flit; ``configuration``: bits of a word of every region; ``address``: bits of what counts
    or adds addresses; ``sum``: bits of the sums of all lanes; ``adder``: bits of further adders and
    comparators; ``multiplexer``: bits of 2-to-1 multiplexers; ``random``: bits of the LFSRs;
    ``register``: bits of registers that hold what another register held.
    """
    terms = Counter({"chip": 1, "router": router_queues(chip) * flit_packet(chip).width})
    if not chip.tick_timer:  # which are of ``chip``: five numbers that count, and their reading
        terms["adder"] -= 5 * 32
        terms["multiplexer"] -= 6 * 32
    for core in chip.cores:
        terms.update(_core_terms(core, destination_packet(chip, core).width))
    return terms


@lru_cache(maxsize=1024)
def _core_terms(core: CoreParams, destination_bits: int) -> Counter[str]:
    regions = core_regions(core, destination_bits)
    stored = sum(core.state_bits.values())
    terms = Counter(
        {
            "core": 1,
            "configuration": sum(region.bits for region in regions.values()),
            "address": 4 * unsigned_bits(core.rows - 1),
            "multiplexer": (2 * core.pipelines - 1) * stored,
            "register": core.pipelines * 2 * core.current_bits,
        }
    )
    terms.update(core.synapse_format.logic(core))
    for name in core.update.parameters:
        if core.scope(name) == "neuron":
            terms["multiplexer"] += (core.pipelines - 1) * regions[name].bits
            terms["register"] += core.pipelines * 2 * regions[name].bits
    if core.spike_bits > 1:
        word = core.scan_bits * core.spike_bits
        terms["multiplexer"] += 3 * word  # the count that is held, the one listed, those written
        terms["register"] += 2 * word
        terms["adder"] += 4 * core.spike_bits
    if core.teacher_axons:  # a second sum in each lane, on its way out and to the update
        terms["adder"] += core.lanes * core.teacher_bits
        terms["register"] += 2 * core.pipelines * core.teacher_bits
        terms["multiplexer"] += core.lanes * core.teacher_bits
    if core.transmission:  # two keys and an LFSR, the chance to fail, the axon on its way to it
        terms["random"] += 3 * 32
        terms["adder"] += TRANSMISSION_BITS
        terms["register"] += unsigned_bits(core.n_axons - 1)
    if core.list_entries:
        terms["address"] += 4 * unsigned_bits(core.n_neurons + core.list_entries - 1)
    for name, number in update_terms(core).items():
        terms[name] += core.pipelines * number
    terms.update(draw_terms(core))
    if core.learning:
        terms.update(_learning_terms(core, core.learning))
    return terms


def _bank_multiplexers(row_bits: int) -> int:
    """Return the multiplexers that pick a word of the configuration port from a row."""
    return (-(-row_bits // 32) - 1) * 32


def _learning_terms(core: CoreParams, rule: LearningRule) -> Counter[str]:
    axon_bits = unsigned_bits(core.n_axons - 1)
    row_bits = unsigned_bits(core.weight_rows - 1)
    stages = max(_stages(term) for term in rule.terms)
    words = [core.weight_bits, rule.tag_bits] if rule.tag_bits else [core.weight_bits]
    terms = Counter(
        {
            "plastic core": 1,
            "address": 4 * row_bits + 4 * axon_bits + 2 * unsigned_bits(core.trace_rows - 1),
            "register": row_bits * (stages + 6),
        }
    )
    for bits in words:
        terms["multiplexer"] += core.lanes * bits  # written by the rule or the host
        terms["register"] += core.lanes * bits * (stages + 1)
    if rule.tag_bits:
        terms["multiplexer"] += _bank_multiplexers(core.lanes * rule.tag_bits)
        terms["register"] += core.lanes * rule.tag_bits
    if rule.reads_error:  # from the list of groups to the lanes
        terms["register"] += 5 * core.lanes * rule.error_bits
    if rule.stochastic:
        terms["random"] += 32 * core.lanes
    if rule.devices:
        terms.update(_device_terms(core, rule.devices, stages))
    terms.update(_pre_trace_terms(core, rule))
    terms.update(_post_trace_terms(core, rule))
    ranges = _ranges(core, rule)
    for target in (rule.weight, *([rule.tag] if rule.tag else [])):
        for name, number in _update_of_synapse(core, rule, target, ranges).items():
            terms[name] += core.lanes * number
    for bits, shared in _factors(rule, ranges):
        terms["adder"] += bits * (1 if shared else core.lanes)
    return terms


def _device_terms(core: CoreParams, devices: Devices, stages: int) -> Counter[str]:
    """Return the terms of what gives pulses to the devices of a row."""
    step = unsigned_bits(max(*devices.up, *devices.down)) + 1
    change = step + 5 if devices.draws else step
    lane = Counter(
        {
            "adder": change + 2 * devices.bits + core.weight_bits + devices.write_bits,
            "multiplexer": step + 3 * devices.bits + devices.code_bits,
            "register": (devices.code_bits + core.weight_bits) * (stages + 6) + step + change,
        }
    )
    if devices.draws:
        lane["random"] += 16  # a second draw
        lane["adder"] += 12 + unsigned_bits(devices.noise) // 2 * 7
        lane["register"] += 16 * 3
    if devices.variation:
        lane["adder"] += 3 * step
    curves = sum(len(set(steps)) > 1 for steps in (devices.up, devices.down))
    lane["multiplexer"] += curves * step * max(1, devices.levels // 8)
    terms = Counter({name: core.lanes * number for name, number in lane.items()})
    terms["address"] += 3 * unsigned_bits(devices.count * core.weight_rows - 1)
    return terms


def _trace_terms(trace: TraceParams, *, decays: bool = True) -> Counter[str]:
    """Return the terms of a trace that rises and decays."""
    terms: Counter[str] = Counter()
    terms["adder"] += trace.bits if trace.mode == "add" else 0
    terms["multiplexer"] += trace.bits
    if decays and trace.decay_shift:
        terms["adder"] += 2 * trace.bits
    return terms


def _pre_trace_terms(core: CoreParams, rule: LearningRule) -> Counter[str]:
    terms: Counter[str] = Counter()
    row = core.trace_lanes * sum(trace.bits for trace in rule.pre_traces.values())
    for trace in rule.pre_traces.values():
        for name, number in _trace_terms(trace).items():
            terms[name] += core.trace_lanes * number
        terms.update(_trace_terms(trace, decays=False))
    terms["multiplexer"] += row + row * 3 // 4 + _bank_multiplexers(row)
    terms["register"] += 2 * row
    return terms


def _post_trace_terms(core: CoreParams, rule: LearningRule) -> Counter[str]:
    terms: Counter[str] = Counter()
    group = core.lanes * post_bits(core)
    for trace in rule.post_traces.values():
        for name, number in _trace_terms(trace).items():
            terms[name] += core.pipelines * number
    terms["multiplexer"] += 2 * group + _bank_multiplexers(group)
    terms["register"] += 2 * group + core.pipelines * post_bits(core) * len(core.update.lines)
    return terms


def _ranges(core: CoreParams, rule: LearningRule) -> dict[str, _Widths]:
    names = rule.variables | {"w"} | ({"t"} if rule.tag_bits else set())
    return {
        name: variable_range(rule, name, core.weight_min, core.weight_max, core.potential_bits)
        for name in names
    }


def _update_of_synapse(
    core: CoreParams, rule: LearningRule, target: SumOfProducts, ranges: dict[str, _Widths]
) -> Counter[str]:
    """Return the terms of a lane that adds a rule's terms to a weight or tag and clamps it."""
    is_weight = target.target == "dw"
    fraction = target.fraction_bits
    low = high = 0
    terms: Counter[str] = Counter()
    for number, term in enumerate(target.terms):
        ends = term_range(term, ranges, fraction)
        low, high = low + min(0, ends[0]), high + max(0, ends[1])
        if all(isinstance(factor, Comparison) for factor in term.factors):
            terms["adder"] += abs(term.coefficient).bit_count()  # a constant, or nothing
            continue
        terms["multiplexer"] += signed_bits(*ends) - term.exponent - fraction
        terms["adder"] += signed_bits(low, high) if number or term.coefficient < 0 else 0
    bits = core.weight_bits if is_weight else rule.tag_bits
    width = max(bits + fraction + 1, signed_bits(low, high)) + 1
    rounding = rule.rounding if is_weight else rule.tag_rounding
    terms["adder"] += width + (width - fraction) * (1 + (rounding == "toward_zero"))
    terms["multiplexer"] += 2 * bits
    return terms


def _factors(rule: LearningRule, ranges: dict[str, _Widths]) -> Iterator[tuple[int, bool]]:
    """Yield the adder bits of each factor that is more than a variable, and if lanes share it."""
    for factor in dict.fromkeys(factor for term in rule.terms for factor in term.factors):
        if isinstance(factor, Comparison):
            yield _bits(ranges[factor.variable]) // 2, _shared(factor)
        elif _is_sum(factor):
            yield _bits(factor_range(factor, ranges)), _shared(factor)


def multiplications(core: CoreParams) -> Iterator[tuple[int, int, int]]:
    """Yield the multipliers of a core: bits of both operands, and how many there are."""
    for left, right in neuron_products(core):
        yield left, right, core.pipelines
    if short_term := core.short_term:
        yield core.weight_bits, AMPLITUDE_BITS + 1, core.lanes
        yield U_BITS, DEPLETED_BITS + 1, 2
        yield U_BITS + 1, _odd(short_term.utilisation).bit_length(), 2
        for bits, factor in (
            (U_BITS, short_term.facilitation),
            (DEPLETED_BITS, short_term.recovery),
        ):
            if factor:
                yield bits, _odd(factor).bit_length(), 1
    rule = core.learning
    if rule is None:
        return
    for number, traces in (
        (core.trace_lanes, rule.pre_traces),
        (core.pipelines, rule.post_traces),
    ):
        for trace in traces.values():
            if not trace.decay_shift:
                yield trace.bits, _odd(trace.decay).bit_length(), number
    ranges = _ranges(core, rule)
    for term in dict.fromkeys(rule.terms):
        yield from _term_multiplications(core, term, ranges)
    for target in (rule.weight, *([rule.tag] if rule.tag else [])):
        for term in target.terms:
            if term.variables and any(not isinstance(f, Comparison) for f in term.factors):
                width = _product_bits(term, ranges)
                yield width, _odd(abs(term.coefficient)).bit_length(), core.lanes


def _term_multiplications(
    core: CoreParams, term: Term, ranges: dict[str, _Widths]
) -> Iterator[tuple[int, int, int]]:
    """Yield the multipliers of a term: first of the factors that all lanes share, then the rest."""
    factors = [factor for factor in term.factors if not isinstance(factor, Comparison)]
    factors = [f for f in factors if _shared(f)] + [f for f in factors if not _shared(f)]
    low, high = 1, 1
    for number, factor in enumerate(factors):
        own = factor_range(factor, ranges)
        if number:
            signed = low < 0 or own[0] < 0
            left, right = (_bits(r) + (signed and r[0] >= 0) for r in ((low, high), own))
            yield left, right, 1 if _shared(factor) else core.lanes
        ends = [low * own[0], low * own[1], high * own[0], high * own[1]]
        low, high = min(ends), max(ends)


def _product_bits(term: Term, ranges: dict[str, _Widths]) -> int:
    low, high = 1, 1
    for factor in term.factors:
        own = factor_range(factor, ranges)
        ends = [low * own[0], low * own[1], high * own[0], high * own[1]]
        low, high = min(ends), max(ends)
    return _bits((low, high))


def _odd(value: int) -> int:
    """Return a constant without its trailing zeros, which are wires."""
    return value // (value & -value) if value else 0


def _bits(ends: _Widths) -> int:
    return unsigned_bits(ends[1]) if ends[0] >= 0 else signed_bits(*ends)


def _shared(factor: Factor) -> bool:
    """Return whether a factor is the same in all lanes: of the axon and the reward only."""
    if isinstance(factor, Comparison):
        return factor.variable in ("x1", "x2", "r", "b")
    return all(name in ("x1", "x2", "r", "b") for name, _ in factor.variables)


def _is_sum(factor: Factor) -> bool:
    return not isinstance(factor, Comparison) and (
        factor.constant != 0 or factor.variables != ((factor.variables[0][0], 1),)
    )


def _stages(term: Term) -> int:
    products = [factor for factor in term.factors if not isinstance(factor, Comparison)]
    summing = any(_is_sum(factor) for factor in products)
    comparing = len(products) < len(term.factors)
    return max(summing + max(0, len(products) - 1), int(comparing))
