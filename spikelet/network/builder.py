"""Networks that learn on the chip, described in a few lines and in the chip's own integers.

::

    network = PlasticNetwork("digits", dt=1e-3, seed=0)
    network.inputs("pixels", (28, 28))
    network.population("excitatory", 100, threshold=4000, time_constant=0.1, inhibition=2000)
    network.project("pixels", "excitatory", weights=(0, 77), rule=pair_stdp())
    network.output("excitatory")
    learned = spikelet.run(network, samples)
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.checks import check_range
from spikelet.description.chip.transmission import transmission_chance
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.devices import Devices
from spikelet.description.learning.rule import LearningRule
from spikelet.description.learning.short_term import ShortTermPlasticity
from spikelet.description.learning.variability import Variability
from spikelet.description.neurons.adaptation import Adaptation
from spikelet.description.neurons.error import ErrorParams, with_error
from spikelet.description.neurons.model import FRACTION_BITS, NeuronModel
from spikelet.description.neurons.models import neuron_model
from spikelet.description.presets.preset import Preset
from spikelet.description.presets.presets import preset as preset_of
from spikelet.description.summary import summary
from spikelet.network.float_update import rises_alone
from spikelet.network.integer_layers import InputGroup, IntegerPopulation, IntegerProjection
from spikelet.network.integers import IntegerNetwork
from spikelet.network.plasticity import (
    check_rule,
    check_short_term,
    check_taught,
    check_teacher,
    rule_of_devices,
)
from spikelet.network.values import drawn_weights, int_in, integer_parameters, synapses
from spikelet.samples.plastic_samples import Encoder

__all__ = ["PlasticNetwork"]

_USUAL_NEURON, _USUAL_BITS = "snntorch-zero-immediate", 16
_LARGEST_DELAY = 63
_WIDEST_WEIGHT = 9
"""Bits of the weights of axon types; others have 8 at most."""

_LARGEST_CORE = 4096
_DECAY_ONE = 1 << FRACTION_BITS
_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)


class PlasticNetwork:
    """A network to be built up, then compiled, or run.

    Parameters
    ----------
    name : str
    dt : float
        Seconds per tick.
    seed : int
        Of random weights, and of the LFSRs of stochastic rules.
    preset : Preset, str, Path or None
        Whose neuron model and widths populations have where they say nothing, and whose limits
        its cores have; ``spikelet presets`` lists those that there are.

    Attributes
    ----------
    preset : Preset or None
    input_groups : dict of InputGroup
    populations : dict of IntegerPopulation
    projections : list of IntegerProjection
    outputs : list of str

    Raises
    ------
    SpikeletError
        If ``dt`` or ``seed`` is outside its range. The methods name what they refuse.
    """

    __repr__ = summary

    def __init__(
        self,
        name: str,
        dt: float = 1e-3,
        seed: int = 0,
        *,
        preset: Preset | str | Path | None = None,
    ) -> None:
        self.name = name
        if not name or not isinstance(name, str):
            raise SpikeletError(f"network: name must be a text that is not empty, not {name!r}")
        if isinstance(dt, bool) or not isinstance(dt, int | float) or not 0 < dt < math.inf:
            raise self._error(f"dt must be a number of seconds above 0, not {dt!r}")
        if type(seed) is not int or seed < 0:
            raise self._error(f"seed must be an int of 0 or more, not {seed!r}")
        self.dt = float(dt)
        self.seed = seed
        self.preset = None if preset is None else preset_of(preset)
        self.input_groups: dict[str, InputGroup] = {}
        self.populations: dict[str, IntegerPopulation] = {}
        self.projections: list[IntegerProjection] = []
        self.outputs: list[str] = []

    def inputs(self, name: str, size: int | Sequence[int]) -> str:
        """Add input lines; return their name.

        Parameters
        ----------
        name : str
        size : int or (rows, columns)
            Lines, or the shape of an image of one line a pixel.
        """
        self._check_name(name)
        shape = tuple(size) if isinstance(size, list | tuple) else (size,)
        if len(shape) not in (1, 2) or any(type(n) is not int or n < 1 for n in shape):
            raise self._error(
                f"inputs {name!r}: size must be an int, or the rows and columns of an image, of 1 "
                f"or more each, not {size!r}"
            )
        if math.prod(shape) > _LARGEST_CORE:
            raise self._error(
                f"inputs {name!r}: size must come to at most {_LARGEST_CORE} lines, the axons of "
                f"the largest core, not {size!r}"
            )
        self.input_groups[name] = InputGroup(name, shape)
        return name

    def population(
        self,
        name: str,
        size: int,
        *,
        neuron: NeuronModel | str | Path | Mapping[str, Any] | None = None,
        time_constant: float | None = None,
        potential_bits: int | None = None,
        weight_exponent: int | None = None,
        weight_bits: int | None = None,
        adaptation: Adaptation | None = None,
        error: ErrorParams | None = None,
        **parameters: npt.ArrayLike | None,
    ) -> str:
        """Add a population of neurons of one model; return its name.

        Parameters
        ----------
        name : str
        size : int
            Neurons, 1..4096.
        neuron : NeuronModel, str, Path, mapping or None
            A model, its name, its file, or what a file would hold; ``spikelet neurons`` lists
            those that there are. None: the preset's, or ``"snntorch-zero-immediate"``.
        time_constant : float or None
            Seconds, instead of ``decay``: ``round(4096 * exp(-dt / time_constant))``.
        potential_bits : int or None
            4..24; None: the preset's, or 16.
        weight_exponent : int or None
            One weight LSB is ``2**weight_exponent`` potential LSBs, 0..16; None: the preset's, or
            0.
        weight_bits : int or None
            1..8, of axon types 1..9; None: the preset's, or as many as the projections need.
        adaptation : Adaptation or None
            Homeostatic threshold, of a model that has one.
        error : ErrorParams or None
            Gives the neurons an error ``e``, which teachers load and a rule can read.
        **parameters : int, or array of int of shape (size,), or None
            Of the model, by name, in potential LSBs, 1/4096 or ticks, as ``spikelet neurons NAME``
            lists them: ``threshold``, and in most models ``decay``, ``bias`` and ``inhibition``
            (what a tick in which a neuron of the population fired takes off all others in the
            next). None, or left out: the model's default, for which nothing is built.

        Raises
        ------
        SpikeletError
            If the name is taken, the model has no such parameter, one without default is missing,
            or a value is outside its range.
        """
        self._check_name(name)
        what = self._what(f"population {name!r}")
        usual, weight_format = self.preset, None
        neuron = usual.neuron if usual and neuron is None else neuron or _USUAL_NEURON
        if potential_bits is None:
            potential_bits = usual.potential_bits if usual else _USUAL_BITS
        if weight_exponent is None:
            weight_exponent = usual.weight_exponent if usual else 0
        if usual and weight_bits is None:
            weight_bits, weight_format = usual.weight_bits, usual.weight_format
        int_in(f"{what}: potential_bits", potential_bits, 4, 24)
        int_in(f"{what}: size", size, 1, _LARGEST_CORE)
        int_in(f"{what}: weight_exponent", weight_exponent, 0, 16)
        if weight_bits is not None:
            int_in(f"{what}: weight_bits", weight_bits, 1, _WIDEST_WEIGHT)
        given = {key: values for key, values in parameters.items() if values is not None}
        if time_constant is not None:
            given["decay"] = self._decay(what, given.get("decay"), time_constant)
        if not isinstance(adaptation, Adaptation | None):
            raise SpikeletError(f"{what}: adaptation must be an Adaptation, not {adaptation!r}")
        given |= adaptation.constants if adaptation else {}
        if not isinstance(error, ErrorParams | None):
            raise SpikeletError(f"{what}: error must be an ErrorParams, not {error!r}")
        try:
            model = neuron_model(neuron)
            model = with_error(model, error) if error else model
            found = integer_parameters(model, given, size, potential_bits)
        except SpikeletError as fault:
            raise SpikeletError(f"{what}: {fault.args[0]}", remedy=fault.remedy) from None
        self.populations[name] = IntegerPopulation(
            *(name, size, model, found, weight_exponent, potential_bits, weight_bits),
            weight_format=weight_format,
        )
        return name

    def project(
        self,
        source: str,
        target: str,
        *,
        weights: npt.ArrayLike,
        delay: int | None = None,
        rule: LearningRule | None = None,
        devices: Devices | None = None,
        variability: Variability | None = None,
        connectivity: str = "all_to_all",
        short_term: ShortTermPlasticity | None = None,
        teacher: bool = False,
        transmission: float = 1.0,
        stochastic: bool = False,
    ) -> None:
        """Connect inputs or a population to a population.

        Parameters
        ----------
        source, target : str
        weights : int, or (low, high), or array of int, shape (n_source, n_target)
            In weight LSBs: the same for all synapses; drawn uniformly from low..high; or each.
        delay : int or None
            Ticks from a spike to its arrival. From inputs 0..62, 0 if None: an input spike acts in
            its own tick. From a population 1..63, 1 if None.
        rule : LearningRule or None
            What the synapses learn; None: they are fixed. Plastic projections to a population have
            two rules at most, with the same bounds, rounding and traces; see :func:`both_rules`.
        devices : Devices or None
            What its synapses are made of: the bounds of the rule become those of their sums, and
            each weight is shared out among its devices; None: the weight itself is what changes.
        variability : Variability or None
            How the devices differ, and which are stuck. Weights then are those that the devices
            make.
        connectivity : str
            ``"all_to_all"``; ``"one_to_one"``; ``"all_but_self"``: to all but the neuron of the
            same number. Synapses that do not exist have weight 0. A rule would change that, so
            plastic projections are all to all.
        short_term : ShortTermPlasticity or None
            How much of its weights a spike brings, by the spikes of its source before; beside any
            rule. All projections to a population that have one have the same.
        teacher : bool
            The source teaches: its spikes load the errors ``e`` of the target's neurons, and not
            their potentials. It is not plastic; another projection into the target has a rule that
            reads ``e``.
        transmission : float
            The chance, 1/256..1 and rounded to 1/256, that a spike brings its weights: a draw for
            each line or neuron of the source that spikes, in each tick. Rules see all its spikes.
        stochastic : bool
            Whether each synapse adds 1 or -1, the sign of its weight, by the chance of the weight's
            size in 256: a draw for each spike and synapse. Cores have ``axon-types`` synapses.

        Raises
        ------
        SpikeletError
            If an end does not exist or a value does not fit.
        """
        what = self._what(f"projection {source!r} -> {target!r}")
        self._check_ends(what, source, target)
        lowest = 0 if source in self.input_groups else 1
        delay = lowest if delay is None else delay
        int_in(f"{what}: delay", delay, lowest, _LARGEST_DELAY - 1 + lowest)
        shape = (self.size(source), self.size(target))
        if devices is not None:
            rule = rule_of_devices(what, rule, devices, variability)
        elif variability is not None:
            raise SpikeletError(f"{what}: variability is that of devices, which are not given")
        exists = synapses(what, shape, connectivity)
        seed = [self.seed, len(self.projections)]
        initial = np.where(exists, drawn_weights(f"{what}: weights", weights, shape, seed), 0)
        if rule is not None:
            check_rule(what, rule, connectivity, self.into(target))
            check_range(f"{what}: weights, which learn,", initial, rule.w_min, rule.w_max)
            self.populations[target].read_by([rule])
        if short_term is not None:
            check_short_term(what, short_term, self.into(target))
        if type(stochastic) is not bool:
            raise SpikeletError(f"{what}: stochastic must be true or false, not {stochastic!r}")
        codes = None
        if rule is not None and rule.devices:
            codes = (variability or Variability()).codes(rule.devices, initial, what)
            initial = rule.devices.weights(codes)
        if teacher:
            check_teacher(what, rule, target, self.populations[target].neuron, short_term)
        projection = IntegerProjection(
            source,
            target,
            initial.astype(np.int16),
            delay,
            rule,
            connectivity,
            short_term=short_term,
            devices=codes,
            teacher=teacher,
            transmission=transmission_chance(what, transmission),
            stochastic=stochastic,
        )
        self.projections.append(projection)

    def winner_take_all(self, population: str, strength: int, *, delay: int = 1) -> None:
        """Let each neuron of a population inhibit all others through axons of their own.

        ``strength`` is in weight LSBs, 1..128. Unlike the ``inhibition`` of a population, which
        costs no axon, it adds up over the neurons that fire in a tick.
        """
        int_in(self._what(f"winner_take_all of {population!r}: strength"), strength, 1, 128)
        self.project(
            population, population, weights=-strength, delay=delay, connectivity="all_but_self"
        )

    def output(self, population: str) -> None:
        """Let the host see, and count, the spikes of a population."""
        if population not in self.populations:
            raise self._error(
                f"output {population!r} is not a population", self._names(self.populations)
            )
        if population in self.outputs:
            raise self._error(f"output {population!r} is given twice")
        self.outputs.append(population)

    def integers(self, encoder: Encoder | None = None) -> IntegerNetwork:
        """Return what was built so far, to be compiled; SpikeletError if it is not complete.

        ``encoder`` is how intensities in a samples file become spikes.
        """
        for name, population in self.populations.items():
            what = self._what(f"population {name!r}")
            check_taught(what, self.into(name), population.neuron)
        network = IntegerNetwork(
            self.name,
            tuple(self.input_groups.values()),
            tuple(p.read_by(q.rule for q in self.into(p.name)) for p in self.populations.values()),
            tuple(self.projections),
            tuple(self.outputs),
            self.dt,
            self.seed,
            encoder=encoder,
        )
        for name, population in self.populations.items():
            if not self.into(name) and not rises_alone(population.neuron, population.parameters):
                raise self._error(
                    f"population {name!r} gets no input", "project() to it, or give it a bias"
                )
        return network

    def size(self, name: str) -> int:
        """Return the number of neurons of a population, or of lines of an input group."""
        found = self.input_groups.get(name) or self.populations[name]
        return found.size

    def into(self, population: str) -> list[IntegerProjection]:
        """Return the projections into a population, in the order of their axons: teachers last."""
        into = [p for p in self.projections if p.target == population]
        return sorted(into, key=lambda p: p.teacher)

    def _what(self, part: str) -> str:
        return f"network {self.name!r}: {part}"

    def _error(self, message: str, remedy: str = "") -> SpikeletError:
        return SpikeletError(self._what(message), remedy=remedy)

    def _names(self, names: Iterable[str]) -> str:
        return f"there are {', '.join(names)}" if names else "there is none yet: add it first"

    def _check_name(self, name: str) -> None:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise self._error(
                f"names must be letters, digits and underscores after a letter, not {name!r}"
            )
        if name in self.input_groups or name in self.populations:
            raise self._error(f"the name {name!r} is taken")

    def _check_ends(self, what: str, source: str, target: str) -> None:
        if target not in self.populations:
            raise SpikeletError(
                f"{what}: {target!r} is not a population", remedy=self._names(self.populations)
            )
        if source not in self.populations and source not in self.input_groups:
            raise SpikeletError(
                f"{what}: {source!r} is neither inputs nor a population",
                remedy=self._names([*self.input_groups, *self.populations]),
            )
        if any((p.source, p.target) == (source, target) for p in self.projections):
            raise SpikeletError(f"{what} is given twice")

    def _decay(self, what: str, decay: npt.ArrayLike | None, time_constant: float) -> int:
        """Return the decay of a time constant in seconds."""
        if decay is not None:
            raise SpikeletError(f"{what}: give decay or time_constant, not both")
        number = isinstance(time_constant, int | float) and not isinstance(time_constant, bool)
        if not number or not 0 < time_constant < math.inf:
            raise SpikeletError(
                f"{what}: time_constant must be a number of seconds above 0, not {time_constant!r}"
            )
        factor = round(_DECAY_ONE * math.exp(-self.dt / time_constant))
        if factor >= _DECAY_ONE:
            raise SpikeletError(
                f"{what}: a time_constant of {time_constant:g} s is no leak in ticks of "
                f"{self.dt:g} s: the decay would be 4096 of 4096",
                remedy="leave it out for no leak, or make it at most about 8000 ticks",
            )
        return factor
