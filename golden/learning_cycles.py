"""Cost model: the clock cycles that a plastic core takes to learn, from what it visits.

No twin in rtl_gen, whose cycles it predicts.
"""

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import CoreImage
from spikelet.description.learning.tree import Comparison, Term
from spikelet.description.synapses.scan import scan_cycles, word_counts
from spikelet.golden.pre_traces import PreTraces

__all__ = ["learned_until"]

_SETTLED = 2
"""Cycles from the last neuron's update until it is known that there is nothing more to do."""

_POST_TRACES = 3
"""Further ones until the traces of the last group have been written; one, where axons alone have
traces."""

_LOOP = 6
"""Cycles of the post phase, or of a sweep, besides those of its groups and the rule's stages; one
less where the axons are those with a trace or a spike. As measured on random cores."""

_LAST_VISIT = 4
"""Cycles of the last visit besides the stages of the rule."""

_STAGES = 3
"""Stages of a rule's datapath besides those of its products; of devices another 3, or 4."""

_WALK = 13
"""Cycles from the start of a tick until the traces of all axons have been updated, besides a cycle
for each row of them."""


def learned_until(
    core: CoreParams,
    contents: CoreImage,
    active: npt.NDArray[np.bool_],
    fired: npt.NDArray[np.bool_],
    rewards: npt.NDArray[np.integer],
    updated: npt.NDArray[np.int64],
    *,
    clear: bool = True,
) -> npt.NDArray[np.int64]:
    """Return the clock cycles of each tick of a plastic core, learning included.

    Visits are counted; of what is between them, constants stand for what depends on the rule's
    stages: see docs/throughput.md for how far it is off. Where a rule visits neurons that err,
    all groups are taken to have one.

    Parameters
    ----------
    core : CoreParams
    contents : CoreImage
        Which axons are plastic, and whether learning is on.
    active : array of bool, shape (samples, ticks, n_axons)
    fired : array of bool, shape (samples, ticks, n_neurons)
    rewards : array of int, shape (samples, ticks)
    updated : array of int64, shape (samples, ticks)
        Cycles until the last neurons have been updated.
    clear : bool
        Whether traces are 0 before each sample.

    Returns
    -------
    array of int64, shape (samples, ticks)
    """
    rule = core.learning
    assert rule is not None
    one_port = core.weight_memory == "spram"
    number = np.count_nonzero(active, axis=2)
    end = updated.copy()
    if contents.learning and one_port and "pre" in rule.phases:  # each axon takes two cycles
        rows = core.lanes // core.pipelines
        further = np.maximum(2 * number + 1, rows) - np.maximum(number + 1, rows)
        counts = word_counts(active.reshape(-1, core.n_axons), core.scan_bits)
        end += scan_cycles(counts).reshape(number.shape) + (core.groups - 1) * further
    end += _SETTLED + (_POST_TRACES if rule.post_traces else bool(rule.pre_traces))
    if rule.pre_traces:
        end = np.maximum(end, core.trace_rows + _WALK)
    if not contents.learning:
        return end
    eligible = _eligible(core, contents, active, clear=clear)
    groups = fired.reshape(*number.shape, core.groups, core.lanes).any(axis=3).sum(axis=2)
    if rule.visits_errors:
        groups = np.full(number.shape, core.groups)
    if "post" in rule.phases:
        end += _visits(core, eligible, groups, one_port=one_port)
    plastic = np.broadcast_to(contents.plastic, active.shape)
    sweeps = core.groups * _sweeps(core, rewards)
    return end + _visits(core, plastic, sweeps, one_port=one_port)


def _eligible(
    core: CoreParams, contents: CoreImage, active: npt.NDArray[np.bool_], *, clear: bool
) -> npt.NDArray[np.bool_]:
    """Return the axons that the post phase of each tick visits."""
    rule = core.learning
    assert rule is not None
    if rule.visits_silent_axons:
        return np.broadcast_to(contents.plastic, active.shape)
    samples, ticks, n_axons = active.shape
    runs = active if clear else active.reshape(1, samples * ticks, n_axons)
    zero = np.zeros((len(runs), n_axons), np.int64)
    traces = PreTraces(rule, dict.fromkeys(rule.pre_traces, zero))
    found = runs.copy()
    for tick in range(runs.shape[1]):
        traces.rise(runs[:, tick])
        for values in traces.values.values():
            found[:, tick] |= values != 0
        traces.decay()
    return found.reshape(active.shape) & contents.plastic


def _sweeps(core: CoreParams, rewards: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
    """Return the ticks with a sweep, (samples, ticks)."""
    rule = core.learning
    assert rule is not None
    ticks = np.arange(1, rewards.shape[1] + 1)
    rewarded = any(term.phase == "sweep" and term.period is None for term in rule.terms)
    due: npt.NDArray[np.bool_] = np.asarray((rewards != 0) & rewarded)
    for period in rule.periods:
        due |= ticks % (1 << period) == 0
    return due


def _visits(
    core: CoreParams,
    axons: npt.NDArray[np.bool_],
    groups: npt.NDArray[np.integer],
    *,
    one_port: bool,
) -> npt.NDArray[np.int64]:
    """Return the cycles of a phase: the scan of the axons in the first group, then the others."""
    rule = core.learning
    assert rule is not None
    flat = axons.reshape(-1, core.n_axons)
    counts = word_counts(flat, core.scan_bits)
    visited = counts.sum(axis=1).reshape(groups.shape)
    scan = scan_cycles(counts).reshape(groups.shape)
    pace = 2 if one_port else 1
    others = (groups - 1) * np.maximum(pace * visited + 1, 2)
    by_traces = "post" in rule.phases and not rule.visits_silent_axons
    last = np.where(visited > 0, _latency(core) + _LAST_VISIT, 0)  # until it is written back
    loop = _LOOP - by_traces + last
    found: npt.NDArray[np.int64] = np.where(groups > 0, loop + pace * scan + others, 0)
    return found


def _latency(core: CoreParams) -> int:
    """Return the cycles from a row of synapses to the row that is written back."""
    rule = core.learning
    assert rule is not None
    found = _STAGES + max(_product_stages(term) for term in rule.terms)
    if rule.devices:
        found += 4 if rule.devices.refresh else 3
    return found + (found % 2 if core.weight_memory == "spram" else 0)


def _product_stages(term: Term) -> int:
    """Return the stages of a term: one for its sums, one for each multiplication."""
    products = [factor for factor in term.factors if not isinstance(factor, Comparison)]
    sums = any(
        factor.constant != 0 or factor.variables != ((factor.variables[0][0], 1),)
        for factor in products
    )
    return max(sums + max(0, len(products) - 1), int(len(products) < len(term.factors)))
