"""Padding is no input and no time: a sample gives what it gives alone, in its own length."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.named_rules import RULES
from spikelet.network.builder import PlasticNetwork
from spikelet.project import Project
from spikelet.runs.agreement import agreement
from spikelet.runs.learn import learn_from
from spikelet.runs.run import run
from spikelet.runs.self_test_run import stored_samples
from spikelet.runs.verify import float_outputs, verify
from spikelet.samples.decode import CLASS_IS, decoder_named
from spikelet.samples.lengths import within
from spikelet.samples.plastic_samples import LearningSamples, load_learning_samples
from spikelet.samples.samples import Samples, load_samples
from tests.helpers.networks import branched

TICKS = 12


@pytest.fixture(scope="module")
def compiled() -> CompiledNetwork:
    """Compile a network of several layers whose biases fire on without input."""
    return compile_network(branched(bias=0.3))


def padded(lengths: list[int], seed: int = 0) -> Samples:
    spikes = np.random.default_rng(seed).random((len(lengths), TICKS, 7)) < 0.4
    ends = np.array(lengths)
    return Samples(within(ends, spikes).astype(np.uint8), np.arange(len(lengths)) % 3, lengths=ends)


def alone(samples: Samples) -> list[Samples]:
    """Return each sample as one that has no padding."""
    assert samples.lengths is not None and samples.labels is not None
    return [
        Samples(samples.spikes[i : i + 1, :length], samples.labels[i : i + 1])
        for i, length in enumerate(samples.lengths)
    ]


def test_the_network_does_fire_in_the_padding(compiled: CompiledNetwork) -> None:
    """Else no test here would see a thing."""
    samples = padded([4, 4])
    masked, whole = run(compiled, samples), run(compiled, samples.spikes)
    assert (masked.output_counts() < whole.output_counts()).any(axis=1).all()
    for layer in compiled.layers:
        assert whole.spikes(layer.name)[:, 4:].any()


@settings(max_examples=15, deadline=None, derandomize=True)
@given(lengths=st.lists(st.integers(1, TICKS), min_size=1, max_size=5), seed=st.integers(0, 99))
def test_a_padded_sample_gives_what_it_gives_alone(
    compiled: CompiledNetwork, lengths: list[int], seed: int
) -> None:
    samples = padded(lengths, seed)
    record = ("spikes", "states")
    batch = run(compiled, samples, record=record)
    floats = compiled.network.floats
    assert floats is not None
    outputs = float_outputs(floats, samples.spikes, lengths=samples.lengths)
    for index, one in enumerate(alone(samples)):
        single = run(compiled, one, record=record)
        length = lengths[index]
        pairs: list[tuple[npt.NDArray[Any], npt.NDArray[Any]]] = [
            (batch.outputs, single.outputs),
            *((batch.spikes(x.name), single.spikes(x.name)) for x in compiled.layers),
            *((batch.states(x.name)["v"], single.states(x.name)["v"]) for x in compiled.layers),
            (outputs, float_outputs(floats, one.spikes)),
        ]
        for mine, expected in pairs:
            assert np.array_equal(mine[index, :length], expected[0])
            assert not mine[index, length:].any()
        for decode in CLASS_IS:  # those of spikes
            assert batch.classify(decode)[index] == single.classify(decode)[0]
        for counts in ("synaptic_operations", "cycles", "active_axons"):
            mine = batch.of_samples(getattr(batch.recording, counts))[index].sum()
            assert mine == getattr(single.recording, counts).sum()


def test_verify_counts_what_the_samples_give_alone(compiled: CompiledNetwork) -> None:
    samples = padded([1, 12, 5, 7, 3, 9])
    found = verify(compiled, samples, ())
    singles = [verify(compiled, one, ()) for one in alone(samples)]
    for score in ("correct", "unclassified", "ties"):
        total = sum(getattr(one.engines[0].score, score) for one in singles)
        assert getattr(found.engines[0].score, score) == total
        total = sum(getattr(one.float_score, score) for one in singles)
        assert getattr(found.float_score, score) == total
    assert found.outputs == np.sum([one.outputs for one in singles], axis=0).tolist()
    for number, layer in enumerate(found.layers):
        for name in ("float_spikes", "integer_spikes", "common", "places", "saturations"):
            assert getattr(layer, name) == sum(getattr(s.layers[number], name) for s in singles)


def test_first_spikes_of_float_and_chip_are_decoded_alike(compiled: CompiledNetwork) -> None:
    samples = padded([12] * 8)
    found = verify(compiled, samples, (), decode="first")
    floats = compiled.network.floats
    assert floats is not None and found.decode == "first"
    votes = decoder_named("first")(float_outputs(floats, samples.spikes))
    assert found.float_score == samples.score(votes)
    assert found.engines[0].score == samples.score(run(compiled, samples).votes("first"))
    with pytest.raises(SpikeletError, match="no decoder 'rank'"):
        verify(compiled, samples, (), decode="rank")


def test_agreement_does_not_see_the_padding(compiled: CompiledNetwork) -> None:
    samples = padded([3, 4])
    spikes = samples.spikes
    with_lengths = agreement(run(compiled, samples, record=("spikes",)), spikes)
    without = agreement(run(compiled, spikes, record=("spikes",)), spikes)
    for mine, whole in zip(with_lengths, without, strict=True):
        assert mine.places == whole.places * 7 // 24
        assert mine.integer_spikes < whole.integer_spikes


def test_the_project_keeps_lengths_and_decoder(compiled: CompiledNetwork, tmp_path: Path) -> None:
    project = Project(tmp_path / "p")
    project.keep(compiled, None)
    samples = padded([4, 12, 6])
    found = project.verify(samples, (), decode="population")
    again = load_samples(tmp_path / "p/verification/golden/samples.npz")
    assert again.lengths is not None and again.lengths.tolist() == [4, 12, 6]
    assert again.digest == samples.digest
    assert samples.digest != Samples(samples.spikes, samples.labels).digest
    page, _ = project.report()
    text = page.read_text()
    assert "class is the output nearest to the mean" in text
    winner = found.runs["golden"].classify("population")[0]
    assert f"the golden model says <b>{winner}</b>" in text


def test_an_image_stores_a_sample_in_its_length(compiled: CompiledNetwork) -> None:
    samples = padded([12, 7, 7])
    stored = stored_samples(compiled, samples, 1)
    assert stored.counts.tolist() == run(compiled, samples).output_counts()[1].tolist()
    both = stored_samples(compiled, samples, 1, 2)
    assert both.counts.tolist() == run(compiled, samples).output_counts()[1:].sum(0).tolist()
    with pytest.raises(SpikeletError, match="samples 0 to 1 have lengths from 7 to 12"):
        stored_samples(compiled, samples, 0, 2)


def test_where_padding_would_be_time(compiled: CompiledNetwork) -> None:
    """What goes on from one sample to the next would know of it."""
    samples = padded([4, 12])
    with pytest.raises(SpikeletError, match="samples have lengths: the next sample"):
        run(compiled, samples, clear=False)
    plastic = PlasticNetwork("p", seed=1)
    plastic.inputs("lines", 7)
    plastic.population("cells", 3, threshold=10)
    plastic.project("lines", "cells", weights=5, rule=RULES["pair_stdp"]())
    plastic.output("cells")
    with pytest.raises(SpikeletError, match="what is learned, would know of the padding"):
        run(plastic, samples)
    counts = run(plastic, samples, learning=False).output_counts()
    first = run(plastic, samples.spikes[:1, :4], learning=False).output_counts()
    assert counts[0].tolist() == first[0].tolist()
    shown = LearningSamples(samples.spikes, lengths=samples.lengths)
    with pytest.raises(SpikeletError, match="learn: samples have lengths"):
        learn_from(plastic, shown)


SPIKES = within(np.array([5, 3, 6]), np.random.default_rng(1).random((3, 6, 4)) < 0.9)


@pytest.mark.parametrize("lengths", [[5, 3, 6], [[5], [3], [6]], np.array([5, 3, 6.0]), [6, 6, 6]])
def test_lengths_of_a_file(tmp_path: Path, lengths: Any) -> None:
    np.savez(tmp_path / "s.npz", spikes=SPIKES, lengths=lengths)
    expected = np.ravel(lengths).tolist()
    for found in (
        load_samples(tmp_path / "s.npz"),
        load_learning_samples(tmp_path / "s.npz", None),
    ):
        assert found.lengths is not None and found.lengths.tolist() == expected
        first = found.first(2)
        assert first.lengths is not None and first.lengths.tolist() == expected[:2]


def test_lengths_of_levels(tmp_path: Path) -> None:
    """The encoder fills all ticks, of which those of the sample are shown."""
    arrays = {"levels": np.full((2, 3), 9), "full_scale": 9, "ticks": 4}
    np.savez(tmp_path / "s.npz", lengths=[4, 2], **arrays)
    assert load_samples(tmp_path / "s.npz").spikes.sum(axis=(1, 2)).tolist() == [12, 6]


@pytest.mark.parametrize(
    ("lengths", "message", "remedy"),
    [
        ([5, 3, 7], r"in 1\.\.6, the ticks of the array; that of sample 2 is 7 \(1 of 3", "pad"),
        ([5, 3, 1 << 40], r"that of sample 2 is 1099511627776", "pad"),
        ([0, 3, 6], r"in 1\.\.6, .* that of sample 0 is 0 ", "leave samples"),
        ([5, -3, 6], r"in 1\.\.6, .* that of sample 1 is -3 ", "leave samples"),
        ([5, 3], r"shape \(3,\), not int64 of shape \(2,\)", "the ticks of each sample"),
        ([5] * 6, r"shape \(3,\), not int64 of shape \(6,\)", "time_first=True"),
        ([5, 3.5, 6], r"must be whole numbers, found 3\.5 at 1", "round"),
        ([5, 2, 6], r"spike at sample 1, tick 2, behind its length of 2 ticks \(1 of 3", "to 0"),
        (["5", "3", "6"], "must be numbers, not <U1", "give"),
    ],
)
def test_lengths_that_are_wrong(tmp_path: Path, lengths: Any, message: str, remedy: str) -> None:
    np.savez(tmp_path / "s.npz", spikes=SPIKES, lengths=lengths)
    for load in (load_samples, lambda path: load_learning_samples(path, None)):
        with pytest.raises(SpikeletError, match=rf"s\.npz: .*{message}") as caught:
            load(tmp_path / "s.npz")
        assert remedy in caught.value.remedy
        assert str(caught.value).count("s.npz") == 1


def test_lengths_without_a_file() -> None:
    with pytest.raises(SpikeletError, match="lengths must be in 1..6"):
        Samples(SPIKES.astype(np.uint8), lengths=np.array([1, 2, 9]))
    with pytest.raises(SpikeletError, match="behind its length of 1 ticks"):
        Samples(SPIKES.astype(np.uint8), lengths=np.array([1, 2, 6]))
