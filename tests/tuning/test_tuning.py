"""Tuning: the smallest chip within the loss, the same when interrupted, and every bad input."""

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import spikelet
from spikelet.description.artefact import Artefact
from spikelet.description.errors import SpikeletError
from spikelet.description.synapses.formats import synapse_formats
from spikelet.fpga.families import device_named
from spikelet.fpga.fit import check_fit
from spikelet.network.convolution import Convolution
from spikelet.network.network import INPUT, Network, Population, Projection
from spikelet.network.quantise import bits_of_layers
from spikelet.runs.verify import float_classes
from spikelet.samples.samples import Samples
from spikelet.tuning import space as spaces
from spikelet.tuning.search import Search, best_of
from spikelet.tuning.space import Space
from spikelet.tuning.study import PICTURE
from spikelet.tuning.trial import Bounds, Trial, Workbench
from spikelet.tuning.tune import Tuning, tune
from tests.helpers.networks import population


def task(sizes: tuple[int, ...] = (12, 8, 4), samples: int = 100) -> tuple[Network, Samples]:
    """Return a network, and samples whose labels are what it says of them in real numbers."""
    rng = np.random.default_rng(2)
    names = [INPUT, *(f"p{i}" for i in range(len(sizes) - 1))]
    layers = tuple(population(name, n) for name, n in zip(names[1:], sizes[1:], strict=True))
    weights = tuple(
        Projection(a, b, rng.normal(0.15, 0.25, (m, n)))
        for (a, b), (m, n) in zip(pairwise(names), pairwise(sizes), strict=True)
    )
    network = Network("task", sizes[0], 1e-3, layers, weights, (names[-1],))
    shape = samples, sizes[0]
    shown = spikelet.rate(rng.integers(0, 13, shape) * (rng.random(shape) < 0.4), 12, 12)
    classes = float_classes(network, shown)
    spiking = classes >= 0
    assert spiking.sum() > samples / 2 and len(set(classes[spiking])) > 1
    return network, Samples(shown[spiking], classes[spiking])


def within(found: Tuning, samples: Samples, points: float) -> None:
    """Check the best chip by itself: compiled again, run, and fitted again."""
    network = found_network(found)
    compiled = spikelet.compile(network, **found.options)
    classes = spikelet.run(compiled, samples).classify()
    correct = int((classes == samples.labels).sum())
    assert correct == found.best.correct
    assert correct >= len(samples.spikes) * (1 + points / 100)
    fit = check_fit(compiled.chip, device_named(found.target))
    assert found.best.size == pytest.approx(
        sum(n / fit.available[name] for name, n in found.best.needed.items())
    )
    assert all(fit.needed[name] == n for name, n in found.best.needed.items())


def found_network(found: Tuning) -> Network:
    """Return the network of :func:`task` with these layers."""
    return task()[0] if len(found.space.layers) == 2 else task((12, 4))[0]


def test_the_best_chip_keeps_the_accuracy_and_is_smaller_than_the_usual_one() -> None:
    network, samples = task()
    found = tune(network, samples, accuracy=-2, trials=25)
    within(found, samples, -2)
    assert found.float_accuracy == 1
    usual = next(t for t in found.trials if t.how == "first" and "weight bits of p0" in t.point)
    assert found.best.size < usual.size
    assert {trial.how for trial in found.trials} == {"first", "search", "step"}
    sizes = [trial.size for trial in found.front]
    correct = [trial.correct for trial in found.front]
    assert sizes == sorted(sizes) and correct == sorted(set(correct))


def test_no_single_step_down_keeps_the_accuracy() -> None:
    network, samples = task()
    found = tune(network, samples, accuracy=-5, trials=30)
    bench = Workbench(network, samples, found.space, found.target)
    lower = list(found.space.steps(found.best.point, up=False))
    assert lower
    for point in lower:
        trial = bench.tried(point, "step")
        assert not found.bounds.kept_by(trial) or trial.size >= found.best.size


def test_the_smallest_of_all_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Held against all chips of a small space."""
    monkeypatch.setattr(spaces, "_WEIGHT_BITS", (1, 5))
    monkeypatch.setattr(spaces, "_POTENTIAL_BITS", (5, 9))
    first = [Space(("p0",), 2).uniform(bits, 9, 0) for bits in (5, 4, 3, 2, 1)]
    monkeypatch.setattr(Search, "_first", lambda self: first)
    network, samples = task((12, 4))
    found = tune(network, samples, accuracy=-10, trials=40)
    bench = Workbench(network, samples, found.space, found.target)
    ranges = [range(low, high + 1) for low, high in found.space.ends.values()]
    every = [dict(zip(found.space.ends, values, strict=True)) for values in product(*ranges)]
    chips = [bench.tried(p, "first") for p in every if found.space.usable(p) == p]
    assert len(chips) > 100
    assert best_of(chips, found.bounds).size == found.best.size


class StopTuningError(Exception):
    """Stands for what ends a process."""


def stop_after(trials: int) -> Callable[[str, int, int], None]:
    """Return a progress that ends the tuning behind so many trials."""

    def progress(what: str, done: int, total: int) -> None:
        if what == "trials" and done == trials:
            raise StopTuningError

    return progress


@pytest.mark.parametrize("after", [3, 14])
def test_an_interrupted_tuning_goes_on_to_the_same_end(tmp_path: Path, after: int) -> None:
    network, samples = task((12, 4))
    options: dict[str, Any] = {"accuracy": -10, "trials": 14, "seed": 5}
    whole = tune(network, samples, **options)
    with pytest.raises(StopTuningError):
        tune(network, samples, folder=tmp_path, progress=stop_after(after), **options)
    resumed = tune(network, samples, folder=tmp_path, resume=True, **options)
    assert resumed.trials == whole.trials
    assert resumed.best == whole.best
    assert (tmp_path / "tuning" / PICTURE).read_bytes().startswith(b"\x89PNG")


def test_seeds() -> None:
    network, samples = task((12, 4))
    first, again, other = (
        tune(network, samples, accuracy=-10, trials=16, seed=s) for s in (1, 1, 2)
    )
    assert first.trials == again.trials
    assert first.trials != other.trials


def test_what_cannot_be_resumed(tmp_path: Path) -> None:
    network, samples = task((12, 4))
    tuned: dict[str, Any] = {"trials": 2, "accuracy": -100, "folder": tmp_path}

    def refusal(**options: Any) -> str:
        with pytest.raises(SpikeletError) as error:
            tune(network, samples, resume=True, **{**tuned, **options})
        return str(error.value)

    assert "there is nothing to resume" in refusal()
    tune(network, samples, **tuned)
    assert "holds trials of another tuning" in refusal(seed=9)
    assert "holds trials of another tuning" in refusal(accuracy=-3)
    assert "calibration" in refusal(calibration=samples)
    file = tmp_path / "tuning" / "trials.json"
    whole = file.read_bytes()
    file.write_bytes(whole[:-40])
    assert "is not the file that artefact.json names" in refusal()
    made = Artefact.load(tmp_path / "tuning")
    assert made
    for contents in (b"[1]", b"[{}]", b"{", b'[{"point": {}, "how": "first", "problems": []}]'):
        made.write(tmp_path / "tuning", {"trials.json": contents})
        assert "trials" in refusal()
    with pytest.raises(SpikeletError, match="no folder to resume in"):
        tune(network, samples, resume=True)


def test_goals_that_cannot_be_met_say_what_was_reached(tmp_path: Path) -> None:
    network, samples = task((12, 4))
    with pytest.raises(SpikeletError) as error:
        tune(network, samples, max_cycles=10, trials=12, folder=tmp_path)
    text = str(error.value)
    assert "and 10 clock cycles a sample" in text and "the nearest (--weight-bits" in text
    assert "--max-cycles" in text
    assert (tmp_path / "tuning" / PICTURE).exists()
    assert len(json.loads((tmp_path / "tuning" / "trials.json").read_text())) > 12


def test_a_target_bounds_the_chip() -> None:
    network, samples = task()
    found = tune(network, samples, accuracy=-2, trials=30, target="ice40up5k-sg48")
    assert found.target == "ICE40UP5K-SG48" and not found.best.problems
    assert found.space.memories == ("block", "spram")
    within(found, samples, -2)


def test_fewer_cycles_take_more_lanes() -> None:
    network, samples = task()
    slow = tune(network, samples, accuracy=-2, trials=14)
    fast = tune(network, samples, accuracy=-2, trials=14, max_cycles=0.75 * slow.best.cycles)
    assert fast.best.cycles <= 0.75 * slow.best.cycles
    assert fast.best.point["lanes"] > slow.best.point["lanes"]


def test_chips_that_cannot_be_compiled_are_no_end() -> None:
    network, samples = task((12, 4))
    small = replace(network.projections[0], weights=network.projections[0].weights / 100)
    network = replace(network, projections=(small,))
    bench = Workbench(network, samples, Space.of(network, ("block",)), "LFE5U-85F")
    point = bench.space.uniform(8, 4, 0)
    trial = bench.tried(point, "first")
    assert "potentials of 4 bits hold 7" in trial.refusal
    bounds = Bounds(1, 2)
    assert bounds.violation(trial) > bounds.violation(Trial(point, "first")) > 0


def test_the_words_of_a_choice_are_its_options() -> None:
    space = Space(("a", "b=c"), 4, ("block", "spram"))
    point = space.uniform(3, 12, 4) | {"weight bits of b=c": 5, "weight memory": 1}
    options, words = space.options(point), space.words(point)
    texts = [value for name, value in pairwise(words) if name == "--weight-bits"]
    assert bits_of_layers("--weight-bits", texts) == options["weight_bits"] == {"a": 3, "b=c": 5}
    assert words[words.index("--potential-bits") + 1] == "12"
    assert options["limits"] == {"lanes": 16, "pipelines": 1, "weight_memory": "spram"}


def test_steps_change_one_choice_or_exchange_two() -> None:
    space = Space(("a", "b"), 2)
    point = space.uniform(4, 8, 1)
    for up in (False, True):
        for step in space.steps(point, up=up):
            changes = sorted(step[name] - n for name, n in point.items() if step[name] != n)
            assert changes in ([-1], [1], [-1, 1])
            assert up or changes[0] < 0
            assert all(low <= step[name] <= high for name, (low, high) in space.ends.items())
    assert not any(sum(s.values()) < sum(point.values()) - 1 for s in space.steps(point, up=True))
    lowest = {name: low for name, (low, _) in space.ends.items()}
    assert list(space.steps(lowest, up=False)) == []


def test_the_search_ends_where_no_step_is_left() -> None:
    space, bounds = Space(("a",), 0), Bounds(0, 1)
    lowest = {name: low for name, (low, _) in space.ends.items()}
    before = [Trial(lowest, "first", size=0.1)]
    assert Search(space, bounds, 1, 0).next(before) is None
    assert Search(space, bounds, 2, 0).next(before) == (space.uniform(8, 24, 0), "first")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"accuracy": 0.5}, "accuracy must be in -100..0, percentage points"),
        ({"accuracy": float("nan")}, "accuracy must be in -100..0"),
        ({"trials": 0}, "trials must be an int of 1 or more"),
        ({"seed": -1}, "seed must be an int of 0 or more"),
        ({"max_cycles": 0}, "max_cycles must be above 0"),
        ({"target": "Spartan"}, "target must be one of"),
    ],
)
def test_options_that_are_refused(options: dict[str, Any], message: str) -> None:
    network, samples = task((12, 4))
    with pytest.raises(SpikeletError, match=message):
        tune(network, samples, **options)


def test_samples_and_networks_that_are_refused() -> None:
    network, samples = task((12, 4))
    with pytest.raises(SpikeletError, match="hold no labels"):
        tune(network, Samples(samples.spikes))
    with pytest.raises(SpikeletError, match=r"labels must be in 0\.\.3"):
        tune(network, Samples(samples.spikes, np.full(len(samples.spikes), 9)))
    with pytest.raises(SpikeletError, match=r"must have shape \(samples, ticks, 12\)"):
        tune(network, Samples(samples.spikes[..., :5], samples.labels))
    plastic = spikelet.PlasticNetwork("p", dt=1e-3, seed=0)
    plastic.inputs("in", 4)
    plastic.population("out", 4, threshold=10)
    plastic.project("in", "out", weights=(0, 7))
    plastic.output("out")
    with pytest.raises(SpikeletError, match="was not trained"):
        tune(plastic, samples)


def test_what_there_is_to_choose_follows_from_the_network() -> None:
    small, _ = task((12, 4))
    plain = Space.of(small, ("block",))
    assert {name.split(" of ")[0] for name in plain.ends} == {
        *("weight bits", "potential bits", "lanes", "pipelines", "weight memory")
    }
    wide, _ = task((12, 40, 4), 200)
    assert Space.of(wide, ("block",)).ends["neurons of a core"] == (4, 7)
    slow = replace(wide, populations=(wide.populations[0], slow_leak(wide.populations[1], 0.9999)))
    space = Space.of(slow, ("block",))
    assert space.ends["decay bits of p1"] == (12, 19) and "decay bits of p0" not in space.ends
    point = space.uniform(4, 16, 2)
    assert "max_neurons" not in space.options(point)["limits"]
    assert space.options(point)["decay_bits"] == {"p1": 19}
    point |= {"neurons of a core": 4, "decay bits of p1": 13, "lanes": 6}
    words = space.words(space.usable(point))
    assert words[words.index("--decay-bits") + 1] == "p1=13"
    assert words[words.index("--max-neurons") + 1] == "16" == words[words.index("--lanes") + 1]


def slow_leak(population: Population, decay: float) -> Population:
    return replace(population, parameters={**population.parameters, "decay": np.full(1, decay)})


def convolved() -> tuple[Network, Samples]:
    """Return a convolution of 8x8 values and a dense layer, with samples as of :func:`task`."""
    rng = np.random.default_rng(3)
    of = Convolution(rng.normal(0.2, 0.3, (2, 1, 3, 3)), (1, 8, 8), (1, 1), (1, 1), ((0, 0),) * 2)
    matrix = np.zeros((64, 72))
    matrix[of.triplets()[:2]] = of.triplets()[2]
    layers = (population("map", 72), population("out", 3))
    into = (
        Projection(INPUT, "map", matrix, convolution=of),
        Projection("map", "out", rng.normal(0.02, 0.1, (72, 3))),
    )
    network = Network("maps", 64, 1e-3, layers, into, ("out",))
    shown = spikelet.rate(rng.integers(0, 9, (60, 64)), 8, 8)
    classes = float_classes(network, shown)
    spiking = classes >= 0
    return network, Samples(shown[spiking], classes[spiking])


def test_synapses_and_cores_are_chosen_and_kept_when_interrupted(tmp_path: Path) -> None:
    network, samples = convolved()
    space = Space.of(network, ("block",))
    assert space.synapses == ("auto", *synapse_formats())
    assert space.ends["axons of a core"] == (4, 8) and space.ends["neurons of a core"] == (4, 8)
    options: dict[str, Any] = {"accuracy": -15, "trials": 16, "seed": 1}
    whole = tune(network, samples, **options)
    with pytest.raises(StopTuningError):
        tune(network, samples, folder=tmp_path, progress=stop_after(14), **options)
    resumed = tune(network, samples, folder=tmp_path, resume=True, **options)
    assert resumed.trials == whole.trials and resumed.best == whole.best
    tried = [whole.space.options(trial.point)["limits"] for trial in whole.trials]
    assert len({limits["synapses"] for limits in tried}) > 1
    assert len({limits.get("max_neurons") for limits in tried}) > 1
    compiled = spikelet.compile(network, **whole.options)
    chosen = whole.options["limits"]
    assert all(core.n_neurons <= chosen.get("max_neurons", 256) for core in compiled.chip.cores)
    if chosen["synapses"] != "auto":
        assert compiled.chip.cores[0].synapses == chosen["synapses"]
    lower = list(space.steps(whole.best.point, up=False))
    assert {step["synapses"] for step in lower} == set(range(len(space.synapses)))
