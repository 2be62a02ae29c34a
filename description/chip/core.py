"""The structure of a core: what the generator builds, without what is later loaded into it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from typing import Any

from spikelet.description.checks import bits_of, signed_bits
from spikelet.description.chip.core_states import check_parameter, check_states
from spikelet.description.chip.inhibition import check_inhibition_axon
from spikelet.description.chip.rest import can_rest, check_rest
from spikelet.description.chip.teacher import check_teacher
from spikelet.description.chip.transmission import check_transmission
from spikelet.description.errors import SpikeletError
from spikelet.description.expression import Range
from spikelet.description.learning.rule import LearningRule
from spikelet.description.learning.short_term import ShortTermPlasticity, check_short_term
from spikelet.description.neurons.model import NeuronModel, membrane_range
from spikelet.description.neurons.update import NeuronUpdate, update_of
from spikelet.description.summary import summary
from spikelet.description.synapses.format import SynapseFormat
from spikelet.description.synapses.formats import synapse_format

__all__ = ["CoreParams"]

_WORD_AXONS = (0, 16, 16, 8, 8, 4, 4, 4, 4)
"""Axons of which a word holds the counts, by the bits of a count."""

_NAMED_WHERE_USED = (
    "spike_bits",
    "inhibition_axon",
    "short_term",
    "teacher_axons",
    "transmission",
    "rest",
)


@dataclass(frozen=True)
class CoreParams:
    """Structure of one core: a crossbar of ``n_axons`` by ``n_neurons``, and its neurons.

    Membrane values are in potential LSBs; one weight LSB is ``2**weight_exponent`` of them.

    Parameters
    ----------
    n_axons : int
        Rows of the crossbar, 1..4096.
    n_neurons : int
        Columns of the crossbar, a multiple of ``lanes``, at most 4096.
    neuron : NeuronModel
    weight_bits : int
        Width of a stored weight, 1..8; of axon types up to 9, signed.
    weight_format : str
        ``"signed"`` (two's complement, 2 bits or more), ``"unsigned"``, or ``"binary"`` (1 bit:
        0 stands for +1, 1 for -1).
    weight_exponent : int
        Left shift from weight units to potential units, 0..16.
    potential_bits : int
        Width of a membrane potential (two's complement), 4..24.
    lanes : int
        Neurons whose synapses are accumulated in the same clock cycle; a power of two, 1..256.
    pipelines : int
        Neuron-update pipelines; a power of two, at most ``lanes``.
    delay_slots : int
        Ticks of arrivals that the axon bitmap holds, a power of two, 2..64. The longest delay is
        one less.
    list_entries : int
        Entries, 0..65536, of the lists that hold the destinations of neurons with more than one.
    parameters : mapping of str to str or int
        Of the model: ``"shared"`` (a register), ``"neuron"`` (a memory), or an integer, which is
        built in. What is not named is built in with its default, or shared if it has none.
    synapses : str
        One of :func:`~spikelet.description.synapses.formats.synapse_formats`.
    synapse_options : mapping of str to int
        What the format must be told, by its ``options``.
    weight_memory : str
        ``"block"`` (block RAM) or ``"spram"`` (a large RAM of one port without initial contents,
        where an FPGA family has such). The behaviour is the same.
    spike_bits : int
        Bits, 1..8, of the count that an axon takes in a tick: graded spikes. 1: plain spikes.
    first_tick : int
        First tick (from 0) in which neurons are updated, 0..255; for layers with a bias.
    learning : LearningRule or None
        Makes the core plastic: not with binary weights, a ``first_tick`` or graded spikes.
    short_term : ShortTermPlasticity or None
        Of the axons that the image marks, beside any rule; not with graded spikes.
    inhibition_axon : bool
        Whether the last axon tells ``inhibited`` that a neuron elsewhere fired in the tick before.
    teacher_axons : int
        The last so many axons are those of teachers, in a plastic core: their weighted sum is the
        input ``teacher`` of the neuron model, and no part of ``current``.
    transmission : bool
        Whether axons can fail to transmit, by the chances in the image; not with graded spikes.
    rest : bool
        Whether silent ticks in which no state can change are cut short, where :attr:`rests`.

    Raises
    ------
    SpikeletError
        If a field is outside its range.
    """

    __repr__ = summary

    n_axons: int
    n_neurons: int
    neuron: NeuronModel
    weight_bits: int = 4
    weight_format: str = "signed"
    weight_exponent: int = 0
    potential_bits: int = 16
    lanes: int = 16
    pipelines: int = 1
    delay_slots: int = 2
    list_entries: int = 0
    parameters: Mapping[str, str | int] = field(default_factory=dict, hash=False)
    synapses: str = "dense"
    synapse_options: Mapping[str, int] = field(default_factory=dict, hash=False)
    weight_memory: str = "block"
    first_tick: int = 0
    learning: LearningRule | None = None
    spike_bits: int = 1
    inhibition_axon: bool = False
    short_term: ShortTermPlasticity | None = None
    teacher_axons: int = 0
    transmission: bool = False
    rest: bool = False

    def __post_init__(self) -> None:
        for name, low, high in (
            ("n_axons", 1, 4096),
            ("n_neurons", 1, 4096),
            ("weight_bits", 1, self.synapse_format.most_weight_bits),
            ("weight_exponent", 0, 16),
            ("potential_bits", 4, 24),
            ("lanes", 1, 256),
            ("pipelines", 1, self.lanes),
            ("delay_slots", 2, 64),
            ("list_entries", 0, 65536),
            ("first_tick", 0, 255),
            ("spike_bits", 1, 8),
            ("teacher_axons", 0, self.n_axons - 1),
        ):
            value = getattr(self, name)
            if type(value) is not int or not low <= value <= high:
                raise SpikeletError(f"core: {name} must be an int in {low}..{high}, not {value!r}")
        for name in ("lanes", "pipelines", "delay_slots"):
            if not _power_of_two(getattr(self, name)):
                raise SpikeletError(
                    f"core: {name} must be a power of two, not {getattr(self, name)}"
                )
        if self.n_neurons % self.lanes and not self.synapse_format.pads_lanes:
            raise SpikeletError(
                f"core: n_neurons must be a multiple of lanes ({self.lanes}), not {self.n_neurons}"
            )
        for name, valid in (
            (
                "weight_format",
                ("binary", "unsigned") if self.weight_bits == 1 else ("signed", "unsigned"),
            ),
            ("weight_memory", ("block", "spram")),
        ):
            if getattr(self, name) not in valid:
                raise SpikeletError(
                    f"core: {name} must be one of {', '.join(valid)}, not {getattr(self, name)!r}"
                )
        self._check_synapses()
        if self.learning:
            if not self.synapse_format.learns:
                raise SpikeletError(f"core: {self.synapses} synapses cannot learn")
            if self.weight_format == "binary":
                raise SpikeletError(
                    "core: weights that learn must be signed or unsigned, not binary",
                    remedy="with 1 bit, use unsigned: 0 and 1",
                )
            if self.first_tick:
                raise SpikeletError(f"core: first_tick must be 0 to learn, not {self.first_tick}")
            self.learning.check(self.weight_min, self.weight_max, self.potential_bits)
        self._check_neuron()
        if self.learning and max(self.spike_bits, self.fired_bits) > 1:
            raise SpikeletError(
                f"core: graded spikes, of {max(self.spike_bits, self.fired_bits)} bits, cannot "
                "go to or come from a core that learns",
                remedy="use spike_bits of 1, and a neuron model that spikes once a tick",
            )
        format = self.synapse_format
        check_inhibition_axon(self.inhibition_axon, format, self.update, self.neuron.name)
        check_short_term(self.short_term, format, self.spike_bits)
        check_transmission(self.transmission, format, self.spike_bits)
        check_rest(self.rest)

    def _check_synapses(self) -> None:
        """Check what the synapse format is told, and that it can serve the core."""
        format, options = self.synapse_format, self.synapse_options
        needed, known = set(format.options), {*format.options, *format.further_options}
        if not needed <= set(options) <= known:
            given, wanted = (", ".join(sorted(names)) or "none" for names in (options, known))
            raise SpikeletError(
                f"core: synapse_options of {format.name} synapses must be {wanted}, not {given}"
            )
        format.check_core(self)

    def _check_neuron(self) -> None:
        """Complete the parameters, and check what the core computes of the model."""
        model = self.neuron
        for name in self.parameters:
            model.parameter(name)
        told: dict[str, str | int] = {}
        for parameter in model.parameters:
            usual = "shared" if parameter.default is None else parameter.default
            told[parameter.name] = self.parameters.get(parameter.name, usual)
        object.__setattr__(self, "parameters", told)
        for parameter in model.parameters:
            check_parameter(
                *(parameter, told[parameter.name]),
                lambda p: model.range_of(p, self.potential_bits, self.constants),
            )
        beside = "an inhibition_axon" if self.inhibition_axon else ""
        check_teacher(model, self.update, self.learning, self.teacher_axons, beside)
        check_states(
            *(model.name, self.update, self.state_ranges, self.parameter_ranges),
            *(self.learning, (self.v_min, self.v_max)),
        )

    @property
    def synapse_format(self) -> SynapseFormat:
        """How weights are stored and summed."""
        return synapse_format(self.synapses)

    @property
    def synapse_draws(self) -> bool:
        """Whether synapses draw, from a key in the region ``synapse_key``."""
        regions = self.synapse_format.regions(self)
        return any(region.name == "synapse_key" for region in regions)

    @property
    def rests(self) -> bool:
        """Whether the core knows that its neurons rest: see :func:`can_rest`."""
        return self.rest and can_rest(
            self.synapse_format, self.update, self.learning, self.short_term
        )

    @property
    def weight_min(self) -> int:
        """Smallest weight."""
        return {"signed": -(1 << (self.weight_bits - 1)), "unsigned": 0, "binary": -1}[
            self.weight_format
        ]

    @property
    def weight_max(self) -> int:
        """Largest weight."""
        if self.weight_format == "signed":
            return (1 << (self.weight_bits - 1)) - 1
        return 1 if self.weight_format == "binary" else (1 << self.weight_bits) - 1

    @property
    def v_min(self) -> int:
        """Lowest membrane potential."""
        return membrane_range(self.potential_bits)[0]

    @property
    def v_max(self) -> int:
        """Highest membrane potential."""
        return membrane_range(self.potential_bits)[1]

    @property
    def constants(self) -> dict[str, int]:
        """Parameters that are built in, by name."""
        return {name: value for name, value in self.parameters.items() if isinstance(value, int)}

    def scope(self, parameter: str) -> str:
        """Return ``"shared"``, ``"neuron"``, or ``"none"`` of one that is built in."""
        value = self.parameters[parameter]
        return "none" if isinstance(value, int) else value

    @cached_property
    def update(self) -> NeuronUpdate:
        """What the core computes of its neuron model."""
        low, high = (end << self.weight_exponent for end in self.sum_range)
        lowest, highest = (end << self.weight_exponent for end in self.teacher_range)
        return update_of(
            self.neuron,
            self.constants,
            self.potential_bits,
            (low, high),
            self.learning is not None,
            (lowest, highest),
        )

    @cached_property
    def parameter_ranges(self) -> dict[str, Range]:
        """Ranges of the parameters that are loaded, in the model's order."""
        return {name: self.update.ranges[name] for name in self.update.parameters}

    @cached_property
    def state_ranges(self) -> dict[str, Range]:
        """Ranges of the states, first those that ``clear`` clears, then those that it keeps."""
        update = self.update
        return {name: update.ranges[name] for name in (*update.states, *update.kept)}

    @cached_property
    def state_bits(self) -> dict[str, int]:
        """Widths of the states; in two's complement where they can be negative."""
        return {name: bits_of(*ends) for name, ends in self.state_ranges.items()}

    @property
    def most_spikes(self) -> int:
        """Most spikes that an axon takes in a tick."""
        return (1 << self.spike_bits) - 1

    @property
    def fired_bits(self) -> int:
        """Bits of how often a neuron spikes in a tick; 1: once or not."""
        return self.state_bits["fired"]

    @property
    def sum_range(self) -> tuple[int, int]:
        """Smallest and largest synaptic sum that any set of spikes can give, in weight LSBs.

        Without the axons of teachers, whose sum has :attr:`teacher_range`.
        """
        fan_in = (self.synapse_format.fan_in(self) - self.teacher_axons) * self.most_spikes
        return fan_in * self.weight_min, fan_in * self.weight_max

    @property
    def current_bits(self) -> int:
        """Width of a synaptic sum that no set of spikes can overflow."""
        return signed_bits(*self.sum_range)

    @property
    def teacher_range(self) -> tuple[int, int]:
        """Smallest and largest sum that teachers can give, in weight LSBs."""
        return self.teacher_axons * min(0, self.weight_min), self.teacher_axons * self.weight_max

    @property
    def teacher_bits(self) -> int:
        """Width of a sum that teachers give."""
        return signed_bits(*self.teacher_range)

    @property
    def groups(self) -> int:
        """Neuron groups, each up to ``lanes`` neurons, that share a weight word."""
        return self.synapse_format.groups(self)

    @property
    def rows(self) -> int:
        """Rows of the neuron memories, each ``pipelines`` neurons."""
        return self.n_neurons // self.pipelines

    @property
    def scan_bits(self) -> int:
        """Axons in one word of the axon bitmap: 16, or fewer in a core of fewer axons.

        A word of counts has at most 32 bits: 8 axons for 3 or 4 bits each, 4 for more.
        """
        return min(_WORD_AXONS[self.spike_bits], 1 << (self.n_axons - 1).bit_length())

    @property
    def scan_words(self) -> int:
        """Words of the axon bitmap in each delay slot."""
        return -(-self.n_axons // self.scan_bits)

    @property
    def weight_rows(self) -> int:
        """Rows of the weight memory, each ``lanes`` weights."""
        return self.synapse_format.rows(self)

    @property
    def weight_banks(self) -> int:
        """Banks of at most 32 bits that make up a weight row."""
        return -(-self.lanes * self.weight_bits // 32)

    @property
    def trace_lanes(self) -> int:
        """Axons whose traces decay in the same clock cycle."""
        return min(4, self.scan_bits)

    @property
    def trace_rows(self) -> int:
        """Rows of the pre traces, each ``trace_lanes`` axons."""
        return self.scan_words * self.scan_bits // self.trace_lanes

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-compatible values; model and rule as nested objects."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        learning = self.learning.to_dict() if self.learning else None
        values |= {
            "neuron": self.neuron.to_dict(),
            "parameters": dict(self.parameters),
            "learning": learning,
        }
        # What a core has no use for is not named.
        options = dict(values.pop("synapse_options"))
        values["short_term"] = self.short_term and asdict(self.short_term)
        for f in fields(self):
            if f.name in _NAMED_WHERE_USED and values[f.name] == f.default:
                del values[f.name]
        return values | ({"synapse_options": options} if options else {})

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "CoreParams":
        """Inverse of :meth:`to_dict`."""
        nested: dict[str, Any] = {"neuron": NeuronModel.from_dict(values["neuron"])}
        if values.get("learning"):
            nested["learning"] = LearningRule.from_dict(values["learning"])
        if values.get("short_term"):
            nested["short_term"] = ShortTermPlasticity(**values["short_term"])
        return cls(**{**values, **nested})


def _power_of_two(value: int) -> bool:
    return value > 0 and value & (value - 1) == 0
