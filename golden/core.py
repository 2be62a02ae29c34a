"""Golden model of a core: crossbar, neurons, learning. Twin of ``rtl_gen/core.py``."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import CoreImage
from spikelet.description.chip.state import CoreState
from spikelet.description.learning.short_term import SHORT_TERM_STATES
from spikelet.golden.draws import Keys
from spikelet.golden.learning import Learning
from spikelet.golden.neuron_array import NeuronArray
from spikelet.golden.short_term import ShortTerm, scaled_sums
from spikelet.golden.synapses.sums import drawn_sums, synaptic_sums
from spikelet.golden.transmission import Transmission

__all__ = ["Core"]


class Core:
    """One core, for a batch of samples that share its contents.

    Parameters
    ----------
    core : CoreParams
    image : CoreImage
    states : sequence of CoreState
        What each sample starts from; a single one while the core learns. Arrivals are not taken
        from it: they are given to :meth:`run`.
    """

    def __init__(self, core: CoreParams, image: CoreImage, states: Sequence[CoreState]) -> None:
        self.core = core
        self.image = image
        self.neurons = NeuronArray(core, image, states)
        self.learning: Learning | None = None
        if core.learning:
            self.learning = Learning(core, core.learning, image, states)
        self.short_term: ShortTerm | None = None
        if core.short_term:
            entering = {
                name: np.stack([state.traces[name] for state in states])
                for name in SHORT_TERM_STATES
            }
            self.short_term = ShortTerm(core.short_term, image.short_term, entering)
        self.transmission = Transmission(image) if core.transmission else None
        key = core.synapse_format.key(core, image.weights)
        self.synapse_keys = Keys(key) if key else None

    def run(
        self,
        active: npt.NDArray[Any],
        first_tick: int,
        rewards: npt.NDArray[np.int32],
        recorded: dict[str, npt.NDArray[Any]] | None = None,
        learned: dict[str, npt.NDArray[Any]] | None = None,
        rested: npt.NDArray[np.bool_] | None = None,
    ) -> npt.NDArray[Any]:
        """Advance by the ticks of ``active``.

        Parameters
        ----------
        active : array of bool, or uint8 of counts, shape (samples, ticks, n_axons)
            S of each tick.
        first_tick : int
            Number of the first of these ticks, counted from 0 at ``clear``.
        rewards : array of int32, shape (ticks,)
        recorded : dict of array, shape (samples, ticks, n_neurons), or None
            Receives the neurons' states of these names after each tick.
        learned : dict of array, shapes (1, ticks, ...), or None
            Receives what its names say after each tick.
        rested : array of bool, shape (samples, ticks), or None
            Receives which ticks are cut short, as the neurons rest.

        Returns
        -------
        array of bool, or uint8 of counts, shape (samples, ticks, n_neurons)
            Who fired, or how often.
        """
        if self.learning is None:
            if self.synapse_keys:
                keys = [self.synapse_keys.of(first_tick + t) for t in range(active.shape[1])]
                sums = drawn_sums(self.core, active, self.image.weights, keys)
            else:
                sent = self._transmitted(active, first_tick)
                sums = self._sums(active, sent, self.image.weights)
            asked = (recorded or {}) | (learned or {})
            return self.neurons.update(
                *(sums, first_tick, asked, self._others(active)),
                active=(active != 0).any(axis=2),
                rested=rested,
            )
        fired = np.empty((*active.shape[:2], self.core.n_neurons), np.bool_)
        for tick in range(active.shape[1]):
            fired[:, tick] = self._tick(
                self.learning, active[:, tick], first_tick + tick, int(rewards[tick])
            )
            for name, values in (recorded or {}).items():
                values[:, tick] = self.neurons.states[name]
            for name, values in (learned or {}).items():
                values[:, tick] = self.learned()[name]
        return fired

    def learned(self) -> dict[str, npt.NDArray[Any]]:
        """Return what :func:`learned_fields` names, as it is now in the last sample."""
        found: dict[str, npt.NDArray[Any]] = {
            name: self.neurons.states[name][-1] for name in self.core.update.kept
        }
        if self.short_term:
            found |= {name: values[-1] for name, values in self.short_term.states.items()}
        if self.learning:
            traces = {**self.learning.pre.values, **self.learning.post.values}
            found |= {name: values[-1] for name, values in traces.items()}
            for name in ("weights", "tags", "random"):
                found[name] = getattr(self.learning, name)
            found |= self.learning.devices.contents() if self.learning.devices else {}
        return found

    def contents(self) -> CoreImage:
        """Return the image with what was learned."""
        kept = {name: self._last(name) for name in self.core.update.kept}
        image = replace(self.image, states=kept)
        return self.learning.contents(image) if self.learning else image

    def state(self, arrivals: npt.NDArray[Any]) -> CoreState:
        """Return the state of the last sample.

        Parameters
        ----------
        arrivals : array of bool, or uint8 of counts, shape (delay_slots, n_axons)
            What is due from the coming tick on.
        """
        cleared, learned = CoreState.cleared(self.core), self.learned()
        return CoreState(
            {name: self._last(name).astype(zeros.dtype) for name, zeros in cleared.states.items()},
            arrivals,
            {name: learned[name].astype(np.int32) for name in cleared.traces},
        )

    def _last(self, name: str) -> npt.NDArray[np.int32]:
        """Return a state of the last sample's neurons."""
        values: npt.NDArray[np.int32] = self.neurons.states[name][-1].astype(np.int32)
        return values

    def _sums(
        self,
        active: npt.NDArray[Any],
        transmitted: npt.NDArray[Any],
        weights: npt.NDArray[np.int16],
    ) -> npt.NDArray[np.int32]:
        """Return the synaptic sums of ticks, (samples, ticks, n_neurons)."""
        if self.short_term is None:
            return synaptic_sums(self.core, transmitted, weights)
        ticks = range(active.shape[1])
        amplitudes = [self.short_term.advance(active[:, tick]) for tick in ticks]
        return scaled_sums(transmitted, np.stack(amplitudes, axis=1), weights)

    def _transmitted(self, active: npt.NDArray[Any], first_tick: int) -> npt.NDArray[Any]:
        """Return the spikes of ticks that bring their weights, (samples, ticks, n_axons)."""
        if self.transmission is None:
            return active
        ticks = range(active.shape[1])
        found = [self.transmission.transmitted(active[:, t], first_tick + t) for t in ticks]
        return np.stack(found, axis=1)

    def _others(self, active: npt.NDArray[Any]) -> npt.NDArray[Any] | None:
        """Return in which ticks other cores say that their neurons have fired, if they can."""
        return active[..., -1] > 0 if self.core.inhibition_axon else None

    def _tick(
        self, learning: Learning, active: npt.NDArray[np.bool_], tick: int, reward: int
    ) -> npt.NDArray[np.bool_]:
        """Advance a plastic core by one tick; return who fired, shape (samples, n_neurons)."""
        first_teacher = self.core.n_axons - self.core.teacher_axons
        taught = np.arange(self.core.n_axons) >= first_teacher
        sent = self._transmitted(active[:, None], tick)
        sums = self._sums(active[:, None], sent & ~taught, learning.weights)
        teacher = synaptic_sums(self.core, sent & taught, learning.weights)
        learning.before_update(active, self.neurons.states["v"], reward)
        others = self._others(active[:, None])
        fired = self.neurons.update(sums, tick, others=others, teacher=teacher)[:, 0]
        learning.after_update(tick, active, fired, reward, self.neurons.states.get("e"))
        return fired
