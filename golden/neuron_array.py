"""Golden model of a core's neurons and their memories. Twin of ``rtl_gen/neuron_array.py``."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import CoreImage
from spikelet.description.chip.neuron_words import state_type
from spikelet.description.chip.state import CoreState
from spikelet.description.expression import names
from spikelet.description.neurons.text import DRAWN
from spikelet.golden.draws import Draws
from spikelet.golden.neuron_update import changing_lines, neuron_update
from spikelet.golden.rest import Rest

__all__ = ["NeuronArray"]

_Int = npt.NDArray[np.int64]


class NeuronArray:
    """The neurons of a core for a batch of samples.

    Parameters
    ----------
    core : CoreParams
    image : CoreImage
    states : sequence of CoreState
        What each sample starts from; the states that ``clear`` keeps are those of the image.

    Attributes
    ----------
    states : dict of array of int64, shape (samples, n_neurons)
        All that the core builds, by name.
    rest : Rest or None
        Of a core that rests.
    """

    def __init__(self, core: CoreParams, image: CoreImage, states: Sequence[CoreState]) -> None:
        self.core = core
        self.image = image
        shape = (len(states), core.n_neurons)
        self.states: dict[str, _Int] = {
            name: np.stack([state.states[name] for state in states]).astype(np.int64)
            for name in core.update.states
        }
        for name in core.update.kept:
            self.states[name] = np.broadcast_to(image.states[name].astype(np.int64), shape)
        self._reads = {n.name for line in core.neuron.lines for a in line for n in names(a.value)}
        self._fixed = self._fixed_values()
        self._lines = changing_lines(core.neuron, core.state_ranges, self._fixed)
        self._draws = Draws(image.draw_key, image.draw_indices)
        self.rest = Rest(len(states)) if core.rests else None

    @property
    def fired(self) -> npt.NDArray[Any]:
        """Who fired in the last tick, or how often; shape (samples, n_neurons)."""
        fired: npt.NDArray[Any] = self.states["fired"].astype(state_type(self.core, "fired"))
        return fired

    def update(
        self,
        sums: npt.NDArray[np.int32],
        first_tick: int,
        recorded: Mapping[str, npt.NDArray[Any]] | None = None,
        others: npt.NDArray[Any] | None = None,
        teacher: npt.NDArray[np.int32] | None = None,
        active: npt.NDArray[np.bool_] | None = None,
        rested: npt.NDArray[np.bool_] | None = None,
    ) -> npt.NDArray[Any]:
        """Advance by the ticks of ``sums``.

        Parameters
        ----------
        sums : array of int32, shape (samples, ticks, n_neurons)
            Synaptic sums, in weight LSBs.
        first_tick : int
            Number of the first of these ticks, counted from 0 at ``clear``; nothing changes before
            the core's own ``first_tick``.
        recorded : mapping of array, same shape, or None
            Receives the states of these names after each tick.
        others : array of bool, shape (samples, ticks), or None
            Whether neurons of the population in other cores have fired in the tick before each of
            these; None: the core has no ``inhibition_axon``.
        teacher : array of int32, same shape, or None
            Synaptic sums of the axons of teachers, which are not in ``sums``; None: all 0.
        active : array of bool, shape (samples, ticks), or None
            Whether any axon is active, of a core that rests; None: it stays awake.
        rested : array of bool, same shape, or None
            Receives which ticks are cut short.

        Returns
        -------
        array of bool, or uint8 of counts, same shape
            Who fired, or how often.
        """
        fired = np.zeros(sums.shape, state_type(self.core, "fired"))
        for tick in range(sums.shape[1]):
            spiked = np.ones(len(sums), np.bool_) if active is None else active[:, tick]
            before = self.states.copy()
            quiet = self.rest.quiet(spiked) if self.rest else np.zeros(len(sums), np.bool_)
            if rested is not None:
                rested[:, tick] = quiet
            held = first_tick + tick < self.core.first_tick
            if not held and not quiet.all():
                there = False if others is None else others[:, tick, None]
                taught = np.zeros((), np.int64) if teacher is None else teacher[:, tick]
                self._tick(sums[:, tick].astype(np.int64), first_tick + tick, there, taught)
                fired[:, tick] = self.fired
            if self.rest:
                self.rest.note(spiked | held, before, self.states)
            for name, values in (recorded or {}).items():
                values[:, tick] = self.states[name]
        return fired

    def _tick(
        self,
        sums: _Int,
        tick: int,
        elsewhere: npt.NDArray[Any] | bool,
        teacher: npt.NDArray[Any],
    ) -> None:
        fired = self.states["fired"]
        values = {**self._fixed, **self.states, "current": sums << self.core.weight_exponent}
        values["teacher"] = teacher.astype(np.int64) << self.core.weight_exponent
        if "inhibited" in self._reads:
            some = fired.any(axis=-1, keepdims=True) | elsewhere
            values["inhibited"] = (some & (fired == 0)).astype(np.int64)
        if self._reads & {"draw", DRAWN}:
            values |= self._drawn(tick)
        new = neuron_update(self.core.neuron, values, self._lines)
        for name, old in self.states.items():
            self.states[name] = np.broadcast_to(new[name], old.shape)

    def _drawn(self, tick: int) -> dict[str, _Int]:
        if not self.core.update.draws:  # nothing depends on it
            return dict.fromkeys(("draw", DRAWN), np.zeros((), np.int64))
        words = self._draws.of(tick)
        return {"draw": words >> 16, DRAWN: words & 0xFFFF}

    def _fixed_values(self) -> dict[str, _Int]:
        """Return what a tick does not change: parameters, and states that are not built."""
        core, image = self.core, self.image
        learning = core.learning is not None and image.learning
        found: dict[str, Any] = {
            **{"v_min": core.v_min, "v_max": core.v_max, "learning": learning},
            **{
                state.name: core.update.ranges[state.name][0]
                for state in core.neuron.states
                if state.name not in core.state_ranges
            },
            # What a core has, but does not read, changes nothing.
            **{name: core.update.ranges[name][0] for name in core.parameters},
            **image.parameters,
        }
        return {name: np.asarray(value, np.int64) for name, value in found.items()}
