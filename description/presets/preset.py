"""A preset: which core a published chip's is, in the words of ``CoreParams``."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from spikelet.description.checks import check_int
from spikelet.description.chip.core import CoreParams
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.named_rules import RULES
from spikelet.description.neurons.models import neuron_model
from spikelet.description.summary import summary

__all__ = ["Preset"]

_LONGEST_DELAY = 63
_TEXTS = ("name", "description", "source")


@dataclass(frozen=True)
class Preset:
    """A core shaped and set like that of a published chip.

    Networks take their defaults from it; what they say themselves counts.

    Parameters
    ----------
    name : str
    description, source : str
        What the chip is, and where it is published.
    neuron : str
        The name of a neuron model.
    n_axons, n_neurons : int
        1..4096 of a core.
    weight_bits : int
        1..8, of axon types 1..9.
    weight_format : str
        As for :class:`CoreParams`.
    weight_exponent, potential_bits, lanes, pipelines, synapses, parameters, spike_bits
        As for :class:`CoreParams`; the parameters are those of the whole core.
    longest_delay : int
        Ticks from a spike to its arrival, 1..63.
    tick_timer : bool
        As for :class:`ChipParams`: whether chips can start ticks by themselves.
    synapse_options : mapping of str to int
        As for :class:`CoreParams`: those of the whole core.
    rule : str
        The name of one of ``RULES``, which can be learned; empty: none.
    rule_options : mapping of str to number
        Arguments of the rule.
    table : mapping of str to str
        The parameters of the published chip by name, and what stands for each here.
    differs : tuple of str
        What the published chip does otherwise.

    Raises
    ------
    SpikeletError
        If there is no such neuron model or rule, or a field is outside its range.
    """

    __repr__ = summary

    name: str
    description: str
    source: str
    neuron: str
    n_axons: int
    n_neurons: int
    weight_bits: int
    weight_format: str = "signed"
    weight_exponent: int = 0
    potential_bits: int = 16
    lanes: int = 16
    pipelines: int = 1
    synapses: str = "dense"
    spike_bits: int = 1
    longest_delay: int = 1
    tick_timer: bool = True
    parameters: Mapping[str, str | int] = field(default_factory=dict, hash=False)
    synapse_options: Mapping[str, int] = field(default_factory=dict, hash=False)
    rule: str = ""
    rule_options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    table: Mapping[str, str] = field(default_factory=dict, hash=False)
    differs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "differs", tuple(self.differs))
        for name in _TEXTS:
            value = getattr(self, name)
            if not isinstance(value, str) or not value:
                raise SpikeletError(f"{name} must be a text that is not empty, not {value!r}")
        check_int("longest_delay", self.longest_delay, 1, _LONGEST_DELAY)
        if type(self.tick_timer) is not bool:
            raise SpikeletError(f"tick_timer must be true or false, not {self.tick_timer!r}")
        if self.rule and self.rule not in RULES:
            raise SpikeletError(
                f"rule must be one of {', '.join(RULES)}, not {self.rule!r}",
                remedy="leave it out for weights that do not learn",
            )
        self.core()

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Preset":
        """Make a preset of what a file holds; SpikeletError for a key too many, or too few."""
        known = [f.name for f in fields(cls)]
        given = dict(values)
        for key in given:
            if key not in known:
                raise SpikeletError(f"unknown key {key!r}; valid keys are {', '.join(known)}")
        for key in known[: known.index("weight_format")]:
            if key not in given:
                raise SpikeletError(f"key {key!r} is missing")
        for key in ("parameters", "synapse_options", "rule_options", "table"):
            if not isinstance(given.get(key, {}), Mapping):
                raise SpikeletError(f"{key} must be a table, not {given[key]!r}")
        if not isinstance(given.get("differs", []), list | tuple):
            raise SpikeletError(f"differs must be a list of texts, not {given['differs']!r}")
        return cls(**given)

    @property
    def limits(self) -> dict[str, Any]:
        """The largest core, and how it is built, as ``PlacementLimits`` wants it."""
        return {
            "max_axons": self.n_axons,
            "max_neurons": self.n_neurons,
            "lanes": self.lanes,
            "pipelines": self.pipelines,
            "synapses": self.synapses,
            "tick_timer": self.tick_timer,
        }

    def core(self) -> CoreParams:
        """Return the whole core, with all that the published one can be loaded with."""
        rule = RULES[self.rule](**self.rule_options) if self.rule else None
        return CoreParams(
            n_axons=self.n_axons,
            n_neurons=self.n_neurons,
            neuron=neuron_model(self.neuron),
            weight_bits=self.weight_bits,
            weight_format=self.weight_format,
            weight_exponent=self.weight_exponent,
            potential_bits=self.potential_bits,
            lanes=self.lanes,
            pipelines=self.pipelines,
            delay_slots=max(2, 1 << self.longest_delay.bit_length()),
            parameters=self.parameters,
            synapses=self.synapses,
            synapse_options=self.synapse_options,
            learning=rule,
            spike_bits=self.spike_bits,
        )
