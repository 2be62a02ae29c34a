"""Neuron models: where they come from, and what a core makes of them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from spikelet.description import named_files
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.expression import Constant, Name
from spikelet.description.learning.rule import LearningRule
from spikelet.description.neurons import models
from spikelet.description.neurons.adaptation import Adaptation
from spikelet.description.neurons.model import NeuronModel, Parameter, State
from spikelet.description.neurons.models import neuron_model, neuron_models, read_neuron_model
from spikelet.description.neurons.update import can_spike
from tests.helpers.neuron_models import ALL_MODELS, ODD

FIVE = (
    *("nir-euler", "snntorch-subtract-immediate", "snntorch-subtract"),
    *("snntorch-zero-immediate", "snntorch-zero"),
)

CONVENTIONS = (
    *("lif-ge", "lif-subtract", "lif-subtract-ge", "cuba-lif-ge", "cuba-lif-subtract-ge"),
    *("snntorch-none", "snntorch-rleaky-zero", "snntorch-synaptic-none"),
    *("snntorch-synaptic-subtract", "snntorch-synaptic-subtract-immediate"),
    *("snntorch-synaptic-zero", "spyx-lif", "spyx-cuba-lif"),
)
"""What frameworks compute besides."""


READOUTS = {"li", "cuba-li", "linear"}
OTHERS = {"cuba-lif", "if-subtract-half", "izhikevich", "lif-refractory", "threshold"}
OTHERS |= {"cuba-lif-multispike", "lif-multispike"}
LITERATURE = {"adlif", "alif", "lif-linear-leak", "lif-stochastic", "probabilistic", "truenorth"}
CHIPS = {"loihi-lif", "odin-izh", "odin-lif", "odin-sdsp", "source", "tinyodin-lif"}


def test_the_models_that_are_there() -> None:
    assert set(neuron_models()) == {*FIVE, *CONVENTIONS, *READOUTS, *OTHERS, *LITERATURE, *CHIPS}
    for name, model in neuron_models().items():
        assert model.name == name and model.source and model.description
        assert model.version == (2 if name == "probabilistic" else 1)
        assert all(item.description for item in (*model.states, *model.parameters))
        assert can_spike(model) == (name not in READOUTS)


@pytest.mark.parametrize("model", ALL_MODELS, ids=lambda model: model.name)
def test_every_form_of_a_model_is_the_same(model: NeuronModel, tmp_path: Path) -> None:
    values = model.to_dict()
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(values))
    for form in (model, values, json.loads(json.dumps(values)), file, str(file)):
        found = neuron_model(form)
        assert found == model and found.lines == model.lines and hash(found) == hash(model)


TOML = """
name = "mine"
text = '''
v = clamp(v + current)
fired = v > threshold
'''
[states.v]
[states.fired]
kind = "flag"
[parameters.threshold]
low = 0
"""


def test_a_model_from_a_toml_file(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(TOML)
    model = neuron_model(str(tmp_path / "mine.toml"))
    assert model.states == (State("v"), State("fired", "flag"))
    assert model.parameters == (Parameter("threshold", low=0),)
    assert [len(line) for line in model.lines] == [1, 1]


def test_an_optional_state_that_stays_0_is_not_built() -> None:
    """Its flag 0, a counter stays 0, then a flag that reads it; what stays is the rest."""
    text = "n = where(on, least(n + 1, 9), n); v = clamp(v + current)\nlate = n > 3\nfired = v > 5"
    states = (State("n", "absolute", 0, 9, optional=True), State("late", "flag", optional=True))
    model = flat(text, *states, parameters=(Parameter("on", "flag", default=0),))
    core = CoreParams(n_axons=8, n_neurons=4, lanes=4, neuron=model)
    assert list(core.state_ranges) == ["v", "fired"]
    both = replace(core, parameters={"on": "shared"})
    assert list(both.state_ranges) == ["v", "fired", "n", "late"]


FILE_FAULTS = [
    (TOML.replace('name = "mine"', "name = 3"), "neuron model: name must be a text, not 3"),
    (TOML.replace('name = "mine"', ""), "neuron model: name must be a text, not None"),
    (TOML.replace('"mine"', '"My model"'), "name must be of a-z, 0-9, '_', '.' and '-', not 'My"),
    (TOML + "colour = 3", "parameters.threshold: there is no field 'colour'"),
    ("colour = 3" + TOML, "neuron model 'mine': there is no field 'colour'"),
    (TOML.replace("low = 0", 'low = 0.5'), "parameters.threshold: low must be int or str, not 0.5"),
    (TOML.replace("low = 0", "low = true"), "parameters.threshold: low must be int or str, not T"),
    (TOML.replace("low = 0", 'low = "v_mix"'), "the range of threshold: unknown name 'v_mix'"),
    (TOML.replace("low = 0", 'low = "v_min +"'), "the range of threshold: line 1, column"),
    (TOML.replace('"flag"', '"bit"'), "the kind of fired must be one of membrane, fraction, ticks"),
    (TOML.replace('kind = "flag"', ""), "there must be a state fired, a flag"),
    (TOML.replace('"flag"', '"flag"\nhigh = 3'), "fired is a flag, 0 or 1: leave low and high out"),
    (TOML.replace('"flag"', '"flag"\nkept = true'), "there must be a state fired, a flag"),
    (TOML + "[states.n]\nkept = true\noptional = true", "n is kept, and cannot be optional"),
    (TOML + "[states.n]\noptional = 1", "states.n: optional must be bool, not 1"),
    (TOML.replace('low = 0', 'kind = "absolute"'), "threshold is absolute: give low and high"),
    (TOML.replace("threshold]", "weights]"), "'weights' cannot be the name of a state or parame"),
    (TOML.replace("threshold]", "current]"), "'current' cannot be the name of a state or parame"),
    (TOML.replace("threshold]", "fired]"), "the name 'fired' is given twice"),
    (TOML.replace("[parameters.threshold]", "[parameters]\nthreshold = 3"), "must be a table"),
    ("states = 3\n" + TOML[: TOML.index("[states")], "states must be tables by name, not 3"),
    (TOML[: TOML.index("[states")], "the field states is missing"),
    ("lsb = 0\n" + TOML, "lsb must be more than 0, not 0"),
    ("lsb = nan\n" + TOML, "lsb must be more than 0, not nan"),
    (TOML.replace("> threshold", "> level"), "unknown name 'level'"),
    (TOML.replace("[states.v]", "[states.v"), "mine.toml: "),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), FILE_FAULTS)
def test_a_fault_in_a_file_names_file_and_field(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(SpikeletError) as caught:
        read_neuron_model(path)
    assert caught.value.args[0].startswith(f"{path}: ") and message in caught.value.args[0]
    assert "neuron model 'mine': neuron model" not in caught.value.args[0]


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "list.json").write_text("[]")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    for name, message in (
        ("none.toml", "the neuron model .*none.toml cannot be read"),
        ("list.json", "list.json: it must be a table of the keys of a neuron model"),
        ("bytes.toml", "bytes.toml is not a text"),
    ):
        with pytest.raises(SpikeletError, match=message):
            neuron_model(tmp_path / name)
    with pytest.raises(SpikeletError, match="there is no neuron model 'mine'") as caught:
        neuron_model("mine")
    assert (
        "izhikevich, li, lif-ge, lif-linear-leak, lif-multispike, lif-refractory"
        in caught.value.remedy
    )
    with pytest.raises(SpikeletError, match="a neuron model is a name or a file, not "):
        neuron_model(3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"states": [State("v"), State("fired", "flag")]}, "states must be a tuple of State"),
        ({"parameters": (State("v"),)}, "parameters must be a tuple of Parameter"),
        ({"states": (State("v", low=1.5), State("fired", "flag"))}, "v: low must be int or str"),  # type: ignore[arg-type]
        ({"text": 3}, "text must be str, not 3"),
        ({"version": "1"}, "version must be int, not '1'"),
        ({"lsb": -1.0}, "lsb must be more than 0, not -1.0"),
    ],
)
def test_an_object_is_checked_as_a_file_is(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SpikeletError, match=f"^neuron model.*: {message}"):
        replace(neuron_model("snntorch-zero"), **changes)


def core_of(model: str | NeuronModel, **fields: Any) -> CoreParams:
    return CoreParams(16, 16, neuron_model(model), **fields)


@pytest.mark.parametrize("name", FIVE)
def test_what_is_not_used_is_not_built(name: str) -> None:
    plain = core_of(name).update
    assert plain.states == ("v", "fired") and plain.kept == ()
    assert plain.parameters == ("threshold",) and plain.inputs == ("current",)
    written = {a.name for line in plain.lines for a in line}
    assert "product" not in written, "without leak nothing is multiplied"
    full = core_of(
        name,
        learning=LearningRule("x0", w_min=-8, w_max=7),
        parameters={
            "threshold": "neuron",
            "decay": "shared",
            "bias": "neuron",
            "inhibition": "shared",
            **Adaptation(3, decay_shift=2, bits=9).constants,
        },
    )
    assert full.update.kept == ("adaptation",) and full.state_bits["adaptation"] == 9
    assert full.update.parameters == ("threshold", "decay", "bias", "inhibition")
    assert full.update.inputs == ("current", "inhibited", "learning")
    assert not full.update.draws


def test_names_are_assigned_once_and_read_in_lower_lines() -> None:
    for model in ALL_MODELS:
        update = core_of(model).update
        ready = {*update.states, *update.kept, *update.parameters, *update.inputs}
        for line in update.lines:
            new = {assignment.name for assignment in line}
            assert len(new) == len(line) and not new & ready
            for assignment in line:
                assert not new & {name.name for name in _names(assignment.value)}
                assert {name.name for name in _names(assignment.value)} <= ready
            ready |= new
        for node in update.results.values():
            assert isinstance(node, Constant) or (isinstance(node, Name) and node.name in ready)
        assert ready <= set(update.ranges)


def _names(node: Any) -> list[Name]:
    if isinstance(node, Name):
        return [node]
    return [name for part in getattr(node, "arguments", ()) for name in _names(part)]


def test_ranges_follow_the_core() -> None:
    core = core_of("nir-euler", potential_bits=12, weight_bits=8, weight_exponent=3)
    assert core.update.ranges["current"] == (-16 * 128 * 8, 16 * 127 * 8)
    assert core.state_ranges == {"v": (-2048, 2047), "fired": (0, 1)}
    assert core.parameter_ranges == {"threshold": (0, 2047)}
    odd = core_of(ODD, potential_bits=12)
    assert odd.state_ranges["v"] == (-1024, 2047)
    assert odd.state_bits == {"v": 12, "fired": 1, "low": 1, "count": 2, "last": 12}


def flat(text: str, *states: State, parameters: tuple[Parameter, ...] = ()) -> NeuronModel:
    return NeuronModel("flat", text, (State("v"), State("fired", "flag"), *states), parameters)


COUNT = "v = clamp(v + current); fired = current > 3; n = {}"


@pytest.mark.parametrize(
    ("model", "fields", "message"),
    [
        (
            flat(COUNT.format("clamp(n + 1, 0, 4294967295)"),
                 State("n", "absolute", 0, 4294967295)),
            {},
            "core: state n of 'flat' needs 33 bits with its sign, a word has 32",
        ),
        (
            flat(COUNT.format("n"), State("n", "ticks")),
            {},
            "core: state n of 'flat' never changes",
        ),
        (
            flat(COUNT.format("least(n + 1, 9)"), State("n", "absolute", 1, 9)),
            {},
            "state n has the range 1..9, without 0, to which it is cleared",
        ),
        (
            flat(COUNT.format("least(n + 1, 9)"), State("n", "absolute", 9, 1)),
            {},
            "the range of n is 9..1, which holds nothing",
        ),
        (
            replace(flat("v = clamp(current, 3, 3); fired = current > 3"),
                    states=(State("v", low=3, high=3), State("fired", "flag"))),
            {},
            "core: state v of 'flat' can have one value only",
        ),
        (
            flat("v = clamp(v + p); fired = current > 3",
                 parameters=(Parameter("p", "absolute", 0, 1 << 40),)),
            {},
            "core: parameter p of 'flat' needs 42 bits with its sign, a word has 32",
        ),
        (
            flat("v = clamp(v + p); fired = current > 3",
                 parameters=(Parameter("p", default=1 << 70),)),
            {},
            "core: p needs more than 62 bits",
        ),
        (
            flat("v = clamp(v + p); fired = current > q",
                 parameters=(Parameter("p", low=0, high="q"), Parameter("q"))),
            {},
            "the range of p needs q",
        ),
        (neuron_model("nir-euler"), {"parameters": {"gain": 3}}, "has no parameter 'gain'"),
        (neuron_model("nir-euler"), {"parameters": {"decay": 4097}}, "decay must be in 0..4095, n"),
        (neuron_model("nir-euler"), {"parameters": {"decay": "all"}}, "decay must be 'shared', 'n"),
        (
            neuron_model("nir-euler"),
            {"parameters": {"adaptation_bits": "shared"}},
            "adaptation_bits must be an int, not 'shared'",
        ),
        (
            neuron_model("nir-euler"),
            {"parameters": Adaptation(3).constants},
            "state adaptation of 'nir-euler' never changes",
        ),
    ],
)  # fmt: skip
def test_what_a_core_cannot_be_built_with(
    model: NeuronModel, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(SpikeletError) as caught:
        core_of(model, **fields)
    assert message in caught.value.args[0]


def test_the_digest_covers_the_text() -> None:
    model = neuron_model("nir-euler")
    other = replace(model, text=model.text.replace("nearest(product, 12)", "(product >> 12)"))
    digests = {ChipParams((core_of(m),)).digest for m in (model, other, replace(model, version=2))}
    assert len(digests) == 3
    core = core_of(other, parameters={"decay": "shared"})
    assert CoreParams.from_dict(json.loads(json.dumps(core.to_dict()))) == core


def test_only_texts_are_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside them lie modules, and what Python makes of these."""
    source = Path(models.__file__).parent / "nir-euler.toml"
    (tmp_path / "one.toml").write_text(source.read_text())
    (tmp_path / "notes.txt").write_bytes(b"\xff")
    (tmp_path / "__pycache__").mkdir()
    monkeypatch.setattr(named_files, "files", lambda _: tmp_path)
    assert list(models.neuron_models.__wrapped__()) == ["nir-euler"]


def test_a_mirrored_value_is_never_negative() -> None:
    """Both branches of ``where(-1 >= v, -1 - v, v)`` are as their condition says."""
    text = "size = where(-1 >= v, -1 - v, v); other = where(-1 >= v, 1 - v, v + 1)\n"
    text += "v = clamp(size + other + current); fired = size > 5"
    model = NeuronModel("mirrored", text, (State("v"), State("fired", "flag")))
    update = CoreParams(4, 4, model, lanes=4, potential_bits=8).update
    assert update.ranges["size"] == (0, 127)
    assert update.ranges["other"][0] < 0  # other values are taken to be independent
