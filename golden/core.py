"""Golden model of a core: crossbar, neurons, learning. Twin of ``rtl_gen/core.py``."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import CoreImage
from spikelet.description.chip.state import CoreState
from spikelet.golden.crossbar import synaptic_sums
from spikelet.golden.learning import Learning
from spikelet.golden.neuron_array import NeuronArray

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
        self.neurons = NeuronArray.cleared(core, image, len(states))
        self.neurons.v = np.stack([state.potentials for state in states]).astype(np.int64)
        self.neurons.fired = np.stack([state.fired for state in states])
        self.learning: Learning | None = None
        if core.learning:
            self.learning = Learning(core, core.learning, image, states)

    def run(
        self,
        active: npt.NDArray[np.bool_],
        first_tick: int,
        rewards: npt.NDArray[np.int32],
        potentials: npt.NDArray[np.int32] | None = None,
        learned: dict[str, npt.NDArray[Any]] | None = None,
    ) -> npt.NDArray[np.bool_]:
        """Advance by the ticks of ``active``.

        Parameters
        ----------
        active : array of bool, shape (samples, ticks, n_axons)
            S of each tick.
        first_tick : int
            Number of the first of these ticks, counted from 0 at ``clear``.
        rewards : array of int32, shape (ticks,)
        potentials : array of int32, shape (samples, ticks, n_neurons), or None
            Receives the potentials after each tick.
        learned : dict of array, shapes (1, ticks, ...), or None
            Receives what its names say after each tick.

        Returns
        -------
        array of bool, shape (samples, ticks, n_neurons)
            Who fired.
        """
        if self.learning is None:
            sums = synaptic_sums(active, self.image.weights)
            return self.neurons.update(sums, first_tick, potentials)
        fired = np.empty((*active.shape[:2], self.core.n_neurons), np.bool_)
        for tick in range(active.shape[1]):
            fired[:, tick] = self._tick(
                self.learning, active[:, tick], first_tick + tick, int(rewards[tick])
            )
            if potentials is not None:
                potentials[:, tick] = self.neurons.v
            for name, values in (learned or {}).items():
                values[:, tick] = self.learned()[name]
        return fired

    def learned(self) -> dict[str, npt.NDArray[Any]]:
        """Return what :func:`learned_fields` names, as it is now in the last sample."""
        found: dict[str, npt.NDArray[Any]] = {}
        if self.neurons.adaptation is not None:
            found["adaptation"] = self.neurons.adaptation[-1]
        if self.learning:
            traces = {**self.learning.pre.values, **self.learning.post.values}
            found |= {name: values[-1] for name, values in traces.items()}
            for name in ("weights", "tags", "random"):
                found[name] = getattr(self.learning, name)
        return found

    def contents(self) -> CoreImage:
        """Return the image with what was learned."""
        image, learning = self.image, self.learning
        if self.neurons.adaptation is not None:
            image = replace(image, adaptation=self.neurons.adaptation[-1].astype(np.int32))
        return learning.contents(image) if learning else image

    def state(self, arrivals: npt.NDArray[np.bool_]) -> CoreState:
        """Return the state of the last sample.

        Parameters
        ----------
        arrivals : array of bool, shape (delay_slots, n_axons)
            What is due from the coming tick on.
        """
        learned = self.learned()
        none = np.zeros(0, np.int32)
        return CoreState(
            self.neurons.v[-1].astype(np.int32),
            self.neurons.fired[-1].copy(),
            arrivals,
            *(learned.get(name, none).astype(np.int32) for name in ("x1", "x2", "y1", "y2")),
        )

    def _tick(
        self, learning: Learning, active: npt.NDArray[np.bool_], tick: int, reward: int
    ) -> npt.NDArray[np.bool_]:
        """Advance a plastic core by one tick; return who fired, shape (samples, n_neurons)."""
        sums = synaptic_sums(active, learning.weights)
        learning.before_update(active, self.neurons.v, reward)
        fired = self.neurons.update(sums[:, None], tick)[:, 0]
        learning.after_update(tick, active, fired, reward)
        if learning.on:
            self.neurons.adapt()
        return fired
