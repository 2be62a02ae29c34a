"""Golden model of learning: phases, visits, draws. Twin of ``rtl_gen/learning.py``.

The hardware visits one axon and group after the other. Within a phase no synapse is visited twice,
so here all visits of a phase are one array operation, and only the draws are in order.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import CoreImage
from spikelet.description.chip.state import CoreState
from spikelet.description.learning.rule import LearningRule
from spikelet.description.learning.text import Term
from spikelet.golden.devices import DeviceArray
from spikelet.golden.learning_rule import visit
from spikelet.golden.lfsr import draw
from spikelet.golden.post_traces import PostTraces
from spikelet.golden.pre_traces import PreTraces

__all__ = ["Learning", "sweep_terms"]

_Bool = npt.NDArray[np.bool_]
_Int = npt.NDArray[np.int64]


def sweep_terms(rule: LearningRule, tick: int, reward: int) -> list[Term]:
    """Return the sweep terms that are evaluated in a tick; the sweep is due if there is one.

    Parameters
    ----------
    rule : LearningRule
    tick : int
        Counted from 0 at ``clear``.
    reward : int
    """
    return [
        term
        for term in rule.terms
        if term.phase == "sweep"
        and (reward != 0 if term.period is None else (tick + 1) % (1 << term.period) == 0)
    ]


class Learning:
    """Synapses, traces and LFSRs of a plastic core.

    Parameters
    ----------
    core : CoreParams
    rule : LearningRule
        The core's.
    image : CoreImage
    states : sequence of CoreState
        One for each sample; while learning is on, a single one.

    Attributes
    ----------
    weights : array of int16, shape (n_axons, n_neurons)
    tags : array of int8, shape (n_axons, n_neurons), or (0, 0)
    random : array of uint32, shape (lanes,), or (0,)
    devices : DeviceArray or None
    pre, post : PreTraces, PostTraces
    """

    def __init__(
        self,
        core: CoreParams,
        rule: LearningRule,
        image: CoreImage,
        states: Sequence[CoreState],
    ) -> None:
        self.core = core
        self.rule = rule
        self.on = image.learning
        self.plastic = image.plastic
        self.rule_bits = image.rule_bits
        self.weights = image.weights.copy()
        self.tags = image.tags.copy()
        self.random = image.random.copy()
        self.devices = DeviceArray(rule.devices, image) if rule.devices else None
        self.pre = PreTraces(rule, {name: _batch(states, name) for name in rule.pre_traces})
        self.post = PostTraces(rule, {name: _batch(states, name) for name in rule.post_traces})

    def before_update(self, active: _Bool, v: _Int, reward: int) -> None:
        """Do what precedes the neuron update of a tick: the pre phase; pre traces rise.

        Parameters
        ----------
        active : array of bool, shape (samples, n_axons)
            S of this tick, whose sums have been taken.
        v : array of int64, shape (samples, n_neurons)
            Potentials after the tick before.
        reward : int
        """
        terms = [term for term in self.rule.terms if term.phase == "pre"]
        if self.on and terms:
            others = {"v": v, "r": np.array(reward)}
            self._visit(terms, active[0] & self.plastic, self._all_groups(), active, others)
        self.pre.rise(active)

    def after_update(
        self, tick: int, active: _Bool, fired: _Bool, reward: int, error: _Int | None = None
    ) -> None:
        """Do what follows the neuron update of a tick: post phase, sweep, traces.

        Parameters
        ----------
        tick : int
            Counted from 0 at ``clear``.
        active : array of bool, shape (samples, n_axons)
        fired : array of bool, shape (samples, n_neurons)
            Who fired in this tick.
        reward : int
        error : array of int64, shape (samples, n_neurons), or None
            ``e`` of the neurons after this tick's update, as far as they have one.
        """
        others = {"y0": fired.astype(np.int64), "r": np.array(reward)}
        marked = fired
        if error is not None and self.rule.reads_error:
            others["e"] = error
            marked = fired | (error != 0) if self.rule.visits_errors else fired
        terms = [term for term in self.rule.terms if term.phase == "post"]
        if self.on and terms:
            groups = marked.reshape(self.core.groups, self.core.lanes).any(axis=1)
            self._visit(terms, self._eligible(active[0]), np.asarray(groups), active, others)
        terms = sweep_terms(self.rule, tick, reward)
        if self.on and terms:
            self._visit(terms, self.plastic, self._all_groups(), active, others)
        if self.devices:
            self.devices.end_tick()
        self.pre.decay()
        self.post.advance(fired)

    def contents(self, image: CoreImage) -> CoreImage:
        """Return ``image`` with what was learned."""
        learned: dict[str, Any] = {
            "weights": self.weights,
            "tags": self.tags,
            "random": self.random,
        }
        learned |= self.devices.contents() if self.devices else {}
        return replace(image, **{name: values.copy() for name, values in learned.items()})

    def _all_groups(self) -> _Bool:
        return np.ones(self.core.groups, np.bool_)

    def _eligible(self, active: _Bool) -> _Bool:
        """Return the axons that the post phase visits."""
        if self.rule.visits_silent_axons:
            return self.plastic
        traced = np.any([values[0] > 0 for values in self.pre.values.values()], axis=0)
        eligible: _Bool = self.plastic & (active | traced)
        return eligible

    def _visit(
        self,
        terms: Sequence[Term],
        axons: _Bool,
        groups: _Bool,
        active: _Bool,
        others: dict[str, _Int],
    ) -> None:
        """Visit the synapses of the marked axons to the neurons of the marked groups.

        Parameters
        ----------
        terms : sequence of Term
        axons : array of bool, shape (n_axons,)
        groups : array of bool, shape (groups,)
        active : array of bool, shape (1, n_axons)
        others : dict of array of int64
            Values of neurons, shape (1, n_neurons), and of the chip.
        """
        rows = np.flatnonzero(axons)
        columns = np.flatnonzero(np.repeat(groups, self.core.lanes))
        here = np.ix_(rows, columns)
        values = {"x0": active.astype(np.int64), **self.pre.values}
        values = {name: value[0, rows, None] for name, value in values.items()}
        for name, value in {**self.post.values, **others}.items():
            values[name] = value[:, columns] if value.ndim else value
        if "b" in self.rule.variables:
            values["b"] = self.rule_bits[rows, None].astype(np.int64)
        values["w"] = self.weights[here].astype(np.int64)
        if self.rule.tag:
            values["t"] = self.tags[here].astype(np.int64)
        draws, device_draws = self._draws(rows.size, columns.size)
        weights, tags = visit(self.rule, terms, values, draws)
        if self.devices:
            weights = self.devices.program(here, weights, values["w"], device_draws)
        self.weights[here] = weights
        if tags is not None:
            self.tags[here] = tags

    def _draws(self, n_rows: int, n_columns: int) -> tuple[_Int | None, _Int | None]:
        """Return the draws of the rule and of its devices, shape (rows, columns), if they draw.

        Axons draw for group after group.
        """
        if not self.rule.stochastic:
            return None, None
        lanes, each = self.core.lanes, self.rule.visit_draws
        groups = n_columns // lanes
        draws, self.random = draw(self.random, groups * n_rows * each)
        by_visit = draws.reshape(groups, n_rows, each, lanes)
        found = by_visit.transpose(2, 1, 0, 3).reshape(each, n_rows, n_columns)
        return found[0], found[1] if each > 1 else None


def _batch(states: Sequence[CoreState], name: str) -> npt.NDArray[np.integer]:
    values: npt.NDArray[np.integer] = np.stack([state.traces[name] for state in states])
    return values
