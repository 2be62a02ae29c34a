"""Plastic networks as TOML: the same as in Python, and messages that name the place."""

import inspect
import re
from pathlib import Path

import numpy as np
import pytest

from spikelet import RULES, Adaptation, LearningRule, PlasticNetwork, SpikeletError, TraceParams
from spikelet.compiler.compile import compile_network
from spikelet.compiler.place import place
from spikelet.network.limits import PlacementLimits
from spikelet.network.toml_file import load_toml
from spikelet.samples.encode import poisson, rate
from spikelet.samples.plastic_samples import Encoder, load_learning_samples

NETWORK = """
name = "two"
dt = 2e-3
seed = 7
outputs = ["excitatory"]

[inputs.pixels]
size = [2, 3]

[populations.excitatory]
size = 4
threshold = 90
time_constant = 0.1
inhibition = 30
adaptation = { increment = 40, decay_shift = 9 }

[populations.inhibitory]
size = 4
threshold = [1, 2, 3, 4]
neuron = "snntorch-subtract"

[rules.fast]
named = "pair_stdp"
a_plus = 0.1

[rules.own]
dw = "x1*y0 - 2*x0"
x1 = { increment = 5, decay_shift = 3, mode = "set" }
w_max = 9

[[projections]]
source = "pixels"
target = "excitatory"
weights = [10, 50]
rule = "fast"

[[projections]]
source = "inhibitory"
target = "excitatory"
weights = "inhibition.npy"
delay = 2

[[projections]]
source = "excitatory"
target = "inhibitory"
weights = 5
rule = "own"

[[winner_take_all]]
population = "inhibitory"
strength = 3

[chip]
lanes = 2

[encoder]
kind = "poisson"
ticks = 9
max_rate = 200.0
rest = 1
"""

FIXED = np.arange(-16, 0).reshape(4, 4)


def written(folder, text=NETWORK):
    """Write a network and the weights that it names; return its path."""
    np.save(folder / "inhibition.npy", FIXED)
    path = folder / "two.toml"
    path.write_text(text)
    return path


def in_python():
    """Return what the file describes."""
    network = PlasticNetwork("two", dt=2e-3, seed=7)
    network.inputs("pixels", (2, 3))
    network.population(
        "excitatory",
        4,
        threshold=90,
        time_constant=0.1,
        inhibition=30,
        adaptation=Adaptation(40, decay_shift=9),
    )
    network.population("inhibitory", 4, threshold=[1, 2, 3, 4], neuron="snntorch-subtract")
    rule = RULES["pair_stdp"](a_plus=0.1)
    network.project("pixels", "excitatory", weights=(10, 50), rule=rule)
    network.project("inhibitory", "excitatory", weights=FIXED, delay=2)
    own = LearningRule(
        "x1*y0 - 2*x0", x1=TraceParams(5, decay_shift=3, mode="set"), w_max=9, name="own"
    )
    network.project("excitatory", "inhibitory", weights=5, rule=own)
    network.winner_take_all("inhibitory", 3)
    network.output("excitatory")
    return network.integers()


def test_file_and_python_are_the_same_chip(tmp_path):
    file = load_toml(written(tmp_path))
    assert (file.network.name, file.network.dt, file.network.seed) == ("two", 2e-3, 7)
    assert file.limits == PlacementLimits(lanes=2)
    plastic, expected = compile_network(file), place(in_python(), PlacementLimits(lanes=2))
    assert plastic.chip == expected.chip
    assert plastic.digests["chip contents"] == expected.digests["chip contents"]
    states = [p.initial_state() for p in (plastic, expected)]
    assert (states[0].checksums() == states[1].checksums()).all()
    assert (plastic.image.program(plastic.chip) == expected.image.program(expected.chip)).all()


def test_a_seed_takes_the_place_of_the_files(tmp_path):
    path = written(tmp_path)
    weights = [
        load_toml(path, seed).network.projection("pixels", "excitatory").weights for seed in (7, 8)
    ]
    assert (weights[0] == load_toml(path).network.projection("pixels", "excitatory").weights).all()
    assert (weights[0] != weights[1]).any()


def test_a_minimal_file_takes_its_name_and_a_named_rule_as_it_is(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(
        'outputs = ["b"]\n[inputs.a]\nsize = 2\n[populations.b]\nsize = 1\nthreshold = 3\n'
        '[[projections]]\nsource = "a"\ntarget = "b"\nweights = 4\nrule = "pair_stdp"\n'
    )
    network = load_toml(path).network
    assert (network.name, network.dt, network.encoder) == ("small", 1e-3, None)
    assert network.rule("b") == RULES["pair_stdp"]()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seed = 7", "seed = 7\nsede = 8", "two.toml: unknown key 'sede'; valid keys are name, dt"),
        ("seed = 7", "seed = -7", "two.toml: network 'two': seed must be an int of 0 or more"),
        ("dt = 2e-3", "dt = '2'", "two.toml: network 'two': dt must be a number .* not '2'"),
        ('outputs = ["excitatory"]', "", "two.toml: key 'outputs' is missing"),
        ('outputs = ["excitatory"]', "outputs = 1", "outputs must be a list of populations, not 1"),
        ('outputs = ["excitatory"]', 'outputs = ["x"]', "two.toml: network 'two': output 'x' is"),
        ("[inputs.pixels]\nsize = [2, 3]", "inputs = 6", "two.toml: inputs must be a table, not 6"),
        ("size = [2, 3]", "size = [2, 0]", r"\[inputs.pixels\]: .*not \[2, 0\]"),
        (
            "size = [2, 3]",
            "shape = [2, 3]",
            r"\[inputs.pixels\]: unknown key 'shape'; valid .*size",
        ),
        ("size = [2, 3]", "", r"\[inputs.pixels\]: key 'size' is missing"),
        ("threshold = 90", "threshold = -9", r"\[populations.excitatory\]: .*threshold must be in"),
        ("threshold = 90", "", r"\[populations.excitatory\]: .*threshold is missing"),
        ("threshold = 90", "treshold = 90", r"excitatory\]: .* has no parameter 'treshold'"),
        ("increment = 40", "increment = 0", r"excitatory\] adaptation: adaptation: increment must"),
        ("decay_shift = 9 }", "shift = 9 }", r"excitatory\] adaptation: unknown key 'shift'"),
        ("{ increment = 40, decay_shift = 9 }", "40", "adaptation must be a table, not 40"),
        ('neuron = "snntorch-subtract"', "neuron = 4", r"inhibitory\]: .*a neuron model is a name"),
        (
            'named = "pair_stdp"',
            'named = "hebb"',
            r"\[rules.fast\]: named must be one of pair_stdp",
        ),
        ("a_plus = 0.1", "a_plus = 7.0", r"\[rules.fast\]: .*a_plus"),
        ("a_plus = 0.1", "a_plus = '1'", r"\[rules.fast\]: .*"),
        ("a_plus = 0.1", "a_pls = 0.1", r"\[rules.fast\]: unknown key 'a_pls'; valid .*a_plus"),
        ("x1*y0 - 2*x0", "x1*y0 - 2*", r"\[rules.own\]: rule for dw, column 11"),
        ('mode = "set"', 'mode = "max"', r"\[rules.own\] x1: trace: mode must be one of add, set"),
        ("w_max = 9", "w_max = 999", r"\[rules.own\]: rule own: w_max must be an int in"),
        ('rule = "fast"', 'rule = "slow"', r"number 1: rule must be one of fast, own, pair_stdp,"),
        ('rule = "fast"', 'rule = "sdsp"', "number 1: rule 'sdsp' needs theta_v: give it a table"),
        ("weights = [10, 50]", "weights = [50, 10]", r"\[\[projections\]\] number 1: .*\(50, 10\)"),
        ("weights = [10, 50]", "", r"\[\[projections\]\] number 1: key 'weights' is missing"),
        ('"inhibition.npy"', '"absent.npy"', "number 2: weights: .*absent.npy does not exist"),
        ('source = "inhibitory"', "source = ['a']", "number 2: a value is of the wrong type"),
        ("strength = 3", "strength = 300", r"\[\[winner_take_all\]\] number 1: .*strength must be"),
        (
            "lanes = 2",
            "lanes = 3",
            r"\[chip\]: limits: lanes must be a power of two",
        ),
        ("lanes = 2", "width = 3", r"\[chip\]: unknown key 'width'; valid keys are max_axons,"),
        ('kind = "poisson"', "kind = []", r"\[encoder\]: kind must be one of rate, .* not \[\]"),
        ('kind = "poisson"', 'kind = "phase"', r"\[encoder\]: kind must be one of rate, poisson,"),
        ("max_rate = 200.0", "max_rate = 501.0", r"\[encoder\]: encoder poisson: max_rate \* dt"),
        ("max_rate = 200.0", "count = 3", r"\[encoder\]: unknown key 'count'; valid .*max_rate"),
        ("ticks = 9", "", r"\[encoder\]: key 'ticks' is missing"),
        ("rest = 1", "rest = -1", r"\[encoder\]: rest: ticks must be an int of 0 or more, not -1"),
        ("[chip]", "[chip", "two.toml is not a TOML file"),
        ("[[projections]]", "[projections]", "two.toml"),
    ],
)
def test_messages_name_file_table_key_and_what_is_valid(old, new, message, tmp_path):
    assert old in NETWORK
    path = written(tmp_path, NETWORK.replace(old, new, 1))
    with pytest.raises(SpikeletError, match=message) as found:
        load_toml(path)
    assert str(path) in str(found.value)


PAGE = Path(__file__).parents[2] / "docs" / "plastic-networks.md"


def example(language):
    """Return the page's example."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return found


def test_the_examples_of_the_page_are_one_network_and_learn_the_patterns(tmp_path):
    (tmp_path / "bars.toml").write_text(example("toml"))
    described = compile_network(tmp_path / "bars.toml")
    found = {}
    exec(example("python"), found)
    assert described.chip == found["compiled"].chip
    shown = described.initial_state(), found["compiled"].initial_state()
    assert (shown[0].checksums() == shown[1].checksums()).all()
    halves = 2 * found["halves"].reshape(4, 64) - 1
    fits = [np.corrcoef(half, field)[0, 1] for half in halves for field in found["fields"].T]
    assert (np.array(fits).reshape(4, 8).max(axis=1) > 0.9).all()
    encoded = described.network.encoder.encode(found["shown"][:2], 1)
    assert encoded.shape == found["spikes"][:2].shape


def test_the_page_lists_every_key():
    rows = dict(re.findall(r"^\| (`?\[.*?\]`?) \| (.*) \|$", PAGE.read_text(), re.MULTILINE))
    for table, function in {
        "`[inputs.NAME]`": PlasticNetwork.inputs,
        "`[populations.NAME]`": PlasticNetwork.population,
        "`[[projections]]`": PlasticNetwork.project,
        "`[[winner_take_all]]`": PlasticNetwork.winner_take_all,
        "`[chip]`": PlacementLimits,
        "`[rules.NAME]`": LearningRule,
    }.items():
        keys = set(inspect.signature(function).parameters) - {"self", "name", "parameters"}
        keys -= {"source"} if function is LearningRule else set()
        assert keys <= set(re.findall(r"`(\w+)`", rows[table])), table


def test_a_missing_file():
    with pytest.raises(SpikeletError, match="absent.toml cannot be read: No such file"):
        load_toml("absent.toml")


def test_an_encoder_draws_anew_in_each_epoch(tmp_path):
    encoder = load_toml(written(tmp_path)).network.encoder
    levels = np.full((3, 6), 4)
    np.savez(tmp_path / "in.npz", levels=levels, full_scale=4, labels=[1, 2, 3])
    samples = load_learning_samples(tmp_path / "in.npz", encoder)
    assert samples.labels.tolist() == [1, 2, 3] and len(samples) == 3
    epochs = [samples.spikes(epoch) for epoch in (0, 0, 1)]
    assert epochs[0].shape == (3, 10, 6) and not epochs[0][:, 9].any()
    assert (epochs[0] == epochs[1]).all() and (epochs[0] != epochs[2]).any()
    assert (samples.spikes(0, 1, 3) == epochs[0][1:]).all()  # however they are taken
    assert (epochs[0][0] != epochs[0][1]).any()


def test_encoders_are_the_functions():
    levels = np.arange(6).reshape(1, 6)
    assert (Encoder("rate", {"ticks": 4}).encode(levels, 5, 3) == rate(levels, 5, 4)).all()
    drawn = Encoder("poisson", {"ticks": 4, "dt": 0.01, "max_rate": 90}, seed=2)
    found = [drawn.encode(levels, 5, epoch) for epoch in range(20)]
    assert any((spikes != poisson(levels, 5, 4, max_rate=90, dt=0.01)).any() for spikes in found)


ENCODER = Encoder("rate", {"ticks": 2})


@pytest.mark.parametrize(
    ("arrays", "encoder", "message"),
    [
        ({"spikes": np.zeros((1, 2, 3))}, ENCODER, r"holds spikes; the \[encoder\] of the network"),
        ({"levels": np.zeros((1, 3), int)}, ENCODER, "holds levels; the"),
        (
            {"levels": np.zeros((1, 3), int), "full_scale": 2.5},
            ENCODER,
            r"full_scale must be whole numbers, found 2\.5",
        ),
        (
            {"levels": np.zeros((1, 3), int), "full_scale": 2, "labels": [1, 2]},
            ENCODER,
            r"labels must have shape \(1,\), not \(2,\)",
        ),
        ({"spikes": np.zeros((1, 2, 3)), "reward": [[0.5, 1]]}, None, "reward must be integers"),
        ({"levels": np.zeros((1, 3), int)}, None, "holds levels"),
    ],
)
def test_bad_samples(arrays, encoder, message, tmp_path):
    np.savez(tmp_path / "in.npz", **arrays)
    with pytest.raises(SpikeletError, match=message):
        load_learning_samples(tmp_path / "in.npz", encoder)


def test_a_file_that_is_no_archive(tmp_path):
    (tmp_path / "in.npz").write_text("no")
    with pytest.raises(SpikeletError, match=r"in\.npz is a text file.*, not an \.npz file"):
        load_learning_samples(tmp_path / "in.npz", ENCODER)
