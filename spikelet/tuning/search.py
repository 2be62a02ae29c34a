"""What to try next: first some chips of one width, then what a search proposes, then single steps.

The search is that of the tree-structured Parzen estimator (Bergstra et al. 2011, "Algorithms for
Hyper-Parameter Optimization"), as Optuna has it. A chip that violates a bound counts more than all
that keep them, and the more, the further (Deb 2000, "An efficient constraint handling method for
genetic algorithms"). The steps are from the best chip so far: one choice a step smaller, alone or
with another a step larger, and from a chip that violates a bound one a step larger. They end where
none helps, or when there were as many as trials before them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, IntDistribution

from spikelet.tuning.space import Point, Space
from spikelet.tuning.trial import Bounds, Trial

__all__ = ["Search", "best_of"]

_WIDEST, _USUAL = 24, 16
"""Potential bits of the first chips."""

_WEIGHTS = (6, 4, 3, 2, 1)
"""Weight bits of the first chips."""

_LANES = 4
"""Of the first chips, as a power of two."""

_VIOLATED = 1e3
"""More than the size of any chip, as a sum of shares."""

_ATTEMPTS = 8
"""Proposals that may be of chips that were tried already."""


def best_of(trials: Sequence[Trial], bounds: Bounds) -> Trial:
    """Return the smallest chip that keeps the bounds, of equals the most accurate, then the first.

    If none keeps them, the one that violates them least.
    """
    return min(trials, key=lambda trial: (bounds.violation(trial), trial.size, -trial.correct))


@dataclass(frozen=True)
class Search:
    """The order of trials, each of which follows from those before it.

    So a search that goes on from some trials makes the same trials as one that was not interrupted.

    Parameters
    ----------
    space : Space
    bounds : Bounds
    trials : int
        Chips to try before the steps, and steps at most; 1 or more.
    seed : int
    """

    space: Space
    bounds: Bounds
    trials: int
    seed: int

    def next(self, before: Sequence[Trial]) -> tuple[Point, str] | None:
        """Return what to try after these trials, and how it was found; None at the end."""
        first = self._first()[: self.trials]
        number = sum(trial.how != "step" for trial in before)
        if number < len(first):
            return first[number], "first"
        if number < self.trials:
            return self._proposed(before), "search"
        if len(before) - number >= self.trials:
            return None
        best, tried = best_of(before, self.bounds), [trial.point for trial in before]
        steps = self.space.steps(best.point, up=not self.bounds.kept_by(best))
        return next(((step, "step") for step in steps if step not in tried), None)

    def _first(self) -> list[Point]:
        """Return chips of one width, from the widest to the narrowest, with many lanes and one."""
        widths = [(8, _WIDEST), *((bits, _USUAL) for bits in _WEIGHTS)]
        return [self.space.uniform(*bits, lanes) for bits in widths for lanes in (_LANES, 0)]

    def _proposed(self, before: Sequence[Trial]) -> Point:
        """Return what the estimator proposes, if it can be something new."""
        tried = [trial.point for trial in before]
        for attempt in range(_ATTEMPTS):
            point = self._asked(before, attempt)
            if point not in tried:
                break
        return point

    def _asked(self, before: Sequence[Trial], attempt: int) -> Point:
        ends = self.space.ends.items()
        choices: dict[str, BaseDistribution] = {name: IntDistribution(*e) for name, e in ends}
        draws = np.random.SeedSequence([self.seed, len(before), attempt]).generate_state(1)
        verbosity = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        try:
            study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=int(draws[0])))
            study.add_trials(
                [
                    optuna.trial.create_trial(
                        params=trial.point, distributions=choices, value=self._value(trial)
                    )
                    for trial in before
                ]
            )
            return self.space.usable(study.ask(choices).params)
        finally:
            optuna.logging.set_verbosity(verbosity)

    def _value(self, trial: Trial) -> float:
        violation = self.bounds.violation(trial)
        return _VIOLATED + violation if violation else trial.size
