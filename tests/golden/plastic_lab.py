"""A small plastic core whose neurons fire when told to, for cases computed by hand."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import joined
from spikelet.description.chip.image import ChipImage, CoreImage, random_states
from spikelet.description.chip.params import ChipParams
from spikelet.description.learning.rule import LearningRule
from spikelet.description.neurons.models import neuron_model
from spikelet.description.run.events import Events
from spikelet.description.run.recording import Recording
from spikelet.golden.chip import GoldenChip

__all__ = ["TEACHER", "Lab", "Script", "lab"]

TEACHER = 127
"""Weight of the axon that makes its neuron fire; the threshold is one less."""

Script = Sequence[tuple[Collection[int], Collection[int]]]
"""Of each tick: plastic axons that spike, neurons that are to fire."""


class Lab(GoldenChip):
    """Plastic axons 0.. and, after them, an axon for each neuron that makes it fire.

    Potentials last for one tick, so a neuron without its teacher fires only where plastic weights
    add up to 127.
    """

    def __init__(self, chip: ChipParams, image: ChipImage, backend: str) -> None:
        super().__init__(chip, image, backend=backend)
        core = chip.cores[0]
        self.n_plastic = core.n_axons - core.n_neurons

    def play(self, *scripts: Script, reward: Any = None, clear: bool = True) -> Recording:
        """Run a sample for each script, with all that can be recorded."""
        spikes = np.zeros((len(scripts), len(scripts[0]), self.chip.cores[0].n_axons), bool)
        for sample, script in enumerate(scripts):
            for tick, (axons, neurons) in enumerate(script):
                spikes[sample, tick, list(axons)] = True
                spikes[sample, tick, [self.n_plastic + n for n in neurons]] = True
        routes = [(a, 0, a, 0) for a in range(spikes.shape[2])]
        record = ("spikes", "states", "learning", "checksums")
        rewards = None if reward is None else np.array(reward).reshape(spikes.shape[:2])
        return self.run(
            Events.from_spikes(spikes, routes), record=record, reward=rewards, clear=clear
        )

    def learned(self, script: Script, name: str = "weights", **options: Any) -> list[Any]:
        """Run one sample; return what was learned, after each tick, of the plastic axons."""
        learned = self.play(script, **options).learned
        assert learned is not None
        values = learned[0][name][0]
        rows = slice(0, self.n_plastic) if name in ("weights", "tags", "x1", "x2") else slice(None)
        return [tick[rows].tolist() for tick in values]


def lab(
    rule: LearningRule,
    weights: Sequence[Sequence[int]] = ((20,),),
    *,
    plastic: Sequence[bool] | None = None,
    backend: str = "numpy",
    parameters: Mapping[str, str | int] | None = None,
    contents: Mapping[str, Any] | None = None,
    **core: Any,
) -> Lab:
    """Return a core with these plastic weights, shape (axons, neurons), and such structure."""
    matrix = np.array(weights, np.int16)
    n_plastic, n_neurons = matrix.shape
    n_axons = n_plastic + n_neurons
    teachers = (np.eye(n_neurons) * TEACHER).astype(np.int16)
    params = CoreParams(
        n_axons,
        n_neurons,
        neuron_model("nir-euler"),
        **{
            "weight_bits": 8,
            "lanes": 1,
            "potential_bits": 16,
            "parameters": {"threshold": TEACHER - 1, "decay": 0, **(parameters or {})},
            "learning": rule,
            **core,
        },
    )
    image = CoreImage(
        np.concatenate([matrix, teachers]),
        joined(),
        {name: np.zeros(1, np.int32) for name in params.update.parameters},
        {name: np.zeros(n_neurons, np.int32) for name in params.update.kept},
        plastic=np.array([*(plastic or [True] * n_plastic), *[False] * n_neurons]),
        tags=np.zeros((n_axons, n_neurons) if rule.tag_bits else (0, 0), np.int8),
        random=random_states(params.lanes if rule.stochastic else 0, 7),
        **_devices(rule, np.concatenate([matrix, np.full_like(teachers, rule.w_min)])),
    )
    for name, value in (contents or {}).items():
        {**image.to_arrays(), **image.parameters}[name][:] = value
    return Lab(ChipParams((params,)), ChipImage((image,)), backend)


def _devices(rule: LearningRule, weights: np.ndarray) -> dict[str, Any]:
    """Return the devices of weights that are shared out equally, if the rule has any."""
    if rule.devices is None:
        return {}
    codes = rule.devices.joined(level=rule.devices.shared(weights))
    return {"devices": codes, "selected": np.zeros(1, np.int32)}
