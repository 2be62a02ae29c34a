"""Recordings of cores that learn: every array is kept, cut and compared, each place is named."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.description.neurons.adaptation import Adaptation
from spikelet.description.neurons.models import neuron_model
from spikelet.description.run.recording import Recording, learned_fields

ADD = TraceParams(4, bits=4)
RULE = LearningRule(
    "2^-3*x1*y0 - 2^-3*x0*y1 + 2^-4*r*t",
    "y2*x0",
    x1=ADD,
    y1=ADD,
    y2=ADD,
    w_max=7,
    rounding="stochastic",
    tag_bits=4,
)
CORE = CoreParams(
    *(6, 4, neuron_model("snntorch-zero")),
    lanes=2,
    learning=RULE,
    parameters=Adaptation(40, bits=10).constants,
)
PLAIN = replace(CORE, learning=None, parameters={})


def _trace() -> Recording:
    """Return a Recording of a plastic core between two that are not; 2 samples of 3 ticks."""
    rng = np.random.default_rng(0)

    def values(*shape: int) -> np.ndarray:
        return rng.integers(0, 5, shape)

    learned = [
        {
            name: values(2, 3, *shape).astype(kind)
            for name, (shape, kind) in learned_fields(core).items()
        }
        for core in (PLAIN, CORE, PLAIN)
    ]
    return Recording(
        "golden",
        values(2, 3, 4).astype(np.uint16),
        values(2, 3, 3).astype(np.int32),
        values(2, 3).astype(np.int32),
        (4, 4, 4),
        cycles=values(2, 3).astype(np.int64),
        learned=learned,
        checksums=values(2, 3).astype(np.uint32),
        notes={"made by": "a test"},
    )


def test_what_is_recorded_of_a_core_that_learns() -> None:
    assert learned_fields(PLAIN) == {}
    assert learned_fields(CORE) == {
        "weights": ((6, 4), np.int16),
        "tags": ((6, 4), np.int8),
        "x1": ((6,), np.int32),
        "y1": ((4,), np.int32),
        "y2": ((4,), np.int32),
        "adaptation": ((4,), np.int32),
        "random": ((2,), np.uint32),
    }
    nearest = replace(RULE, dw="x1*y0", dt="", y1=None, y2=None, tag_bits=0, rounding="nearest")
    assert list(learned_fields(replace(PLAIN, learning=nearest))) == ["weights", "x1"]


def test_everything_survives_a_file(tmp_path: Path) -> None:
    trace = _trace()
    trace.save(tmp_path / "recording.npz")
    loaded = Recording.load(tmp_path / "recording.npz")
    assert loaded.learned is not None and trace.learned is not None
    assert [sorted(core) for core in loaded.learned] == [sorted(core) for core in trace.learned]
    assert loaded.first_difference(trace) is None
    assert loaded.compared(trace) == trace.compared(trace)
    assert (loaded.engine, loaded.notes) == ("golden", {"made by": "a test"})
    assert (loaded.samples, loaded.ticks, loaded.spikes) == (2, 3, None)
    plain = replace(trace, learned=None, checksums=None, cycles=None)
    plain.save(tmp_path / "plain.npz")
    loaded = Recording.load(tmp_path / "plain.npz")
    assert (loaded.learned, loaded.checksums, loaded.cycles) == (None, None, None)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("weights", "sample 1, tick 2, core 1, axon 5, neuron 3: expected"),
        ("tags", "sample 1, tick 2, core 1, axon 5, neuron 3: expected"),
        ("x1", "sample 1, tick 2, core 1, axon 5: expected"),
        ("y2", "sample 1, tick 2, core 1, neuron 3: expected"),
        ("adaptation", "sample 1, tick 2, core 1, neuron 3: expected"),
        ("random", "sample 1, tick 2, core 1, lane 1: expected"),
        ("checksums", "sample 1, core 2: expected"),
        ("merged_spikes", "sample 1, tick 0, core 2: expected"),
        ("active_axons", "sample 1, tick 2, core 2: expected"),
        ("outputs", "sample 1, tick 2, output line 3: expected"),
    ],
)
def test_the_last_value_of_each_array_is_compared_and_its_place_named(name: str, said: str) -> None:
    expected, got = _trace(), _trace()
    assert got.learned is not None
    array = got.learned[1][name] if name in got.learned[1] else getattr(got, name)
    before = int(array.flat[-1])
    array.flat[-1] = 9
    difference = got.first_difference(expected)
    assert str(difference) == f"{name} differ first at {said} {before}, got 9"
    assert difference is not None
    assert difference.axon == (5 if "axon 5, neuron" in said else -1)
    assert got.first(1).first_difference(expected.first(1)) is None
    assert got.first(1).checksums is not None and len(got.first(1).checksums) == 1
    assert got.first(1).cycles is not None and len(got.first(1).cycles) == 1


def test_what_holds_for_a_whole_sample_comes_behind_its_ticks() -> None:
    expected, got = _trace(), _trace()
    assert got.checksums is not None
    got.checksums[0, 0] ^= 1
    got.outputs[0, 2, 0] ^= 1
    difference = got.first_difference(expected)
    assert difference is not None and difference.what == "outputs"
    got.checksums[0, 0] ^= 1
    got.outputs[0, 2, 0] ^= 1
    got.checksums[0, 1] ^= 1
    got.outputs[1, 0, 0] ^= 1
    difference = got.first_difference(expected)
    assert difference is not None and (difference.what, difference.core) == ("checksums", 1)


def test_only_what_both_recorded_is_compared() -> None:
    trace = _trace()
    less = replace(trace, learned=None, checksums=None)
    everything = ["outputs", "active_axons", "merged_spikes", "learned", "checksums"]
    assert trace.compared(trace) == everything
    assert trace.compared(less) == less.compared(trace) == everything[:3]
    assert less.first_difference(trace) is None
    assert trace.first_difference(less) is None


def test_runs_of_other_sizes_or_rules_are_not_compared() -> None:
    trace = _trace()
    with pytest.raises(SpikeletError, match=r"cannot compare a Recording of shape \(1, 3, 4\)"):
        trace.first(1).first_difference(trace)
    assert trace.learned is not None
    other = replace(trace, learned=[{}, {"weights": trace.learned[1]["weights"]}, {}])
    with pytest.raises(
        SpikeletError, match="cannot compare the learned values of core 1: weights, t"
    ):
        trace.first_difference(other)


def test_synaptic_operations_are_active_axons_times_neurons() -> None:
    trace = replace(_trace(), neurons=(4, 5, 6))
    operations = trace.synaptic_operations
    assert operations.shape == (2, 3, 3)
    assert np.array_equal(operations[..., 2], 6 * trace.active_axons[..., 2])
