"""Snapshots: saved and loaded unchanged, and refused where they do not fit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import joined
from spikelet.description.chip.image import ChipImage, CoreImage, random_states
from spikelet.description.chip.memory_map import CHIP_REGISTERS, COUNTERS, ChipMap
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.state import ChipState, CoreState
from spikelet.description.chip.state_words import readable_words, state_words
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.description.neurons.adaptation import Adaptation
from spikelet.description.neurons.models import neuron_model

RULE = LearningRule(
    "x1*y0 - x0*y1*(y2 > 2) + t*r",
    "x1*y0 - t*u2",
    x1=TraceParams(3, decay=3000),
    y1=TraceParams(3, decay=3000, bits=5),
    y2=TraceParams(3, decay_shift=2, bits=9),
    rounding="stochastic",
    tag_bits=4,
)
PLASTIC = CoreParams(
    n_axons=6,
    n_neurons=8,
    neuron=neuron_model("snntorch-zero"),
    weight_bits=8,
    potential_bits=12,
    lanes=4,
    delay_slots=4,
    learning=RULE,
    parameters=Adaptation(7, bits=10).constants,
)
FIXED = CoreParams(n_axons=5, n_neurons=4, neuron=neuron_model("snntorch-zero"), lanes=4)
CHIP = ChipParams((PLASTIC, FIXED), 2)


def _state(seed: int = 1) -> ChipState:
    rng = np.random.default_rng(seed)
    images = tuple(
        CoreImage(
            rng.integers(0, 8, (core.n_axons, core.n_neurons)).astype(np.int16),
            joined(),
            {"threshold": rng.integers(0, 9, 1).astype(np.int32)},
        )
        for core in CHIP.cores
    )
    plastic = replace(
        images[0],
        states={"adaptation": rng.integers(0, 1 << 10, 8).astype(np.int32)},
        plastic=rng.integers(0, 2, 6) > 0,
        tags=rng.integers(-8, 8, (6, 8)).astype(np.int8),
        random=random_states(4, seed),
        learning=False,
    )
    cores = tuple(
        replace(
            CoreState.cleared(core),
            states={
                "v": rng.integers(core.v_min, core.v_max, core.n_neurons).astype(np.int32),
                "fired": rng.integers(0, 2, core.n_neurons) > 0,
            },
            arrivals=rng.integers(0, 2, (core.delay_slots, core.n_axons)) > 0,
        )
        for core in CHIP.cores
    )
    traces = {
        name: rng.integers(0, 1 << bits, size).astype(np.int32)
        for name, bits, size in (("x1", 8, 6), ("y1", 5, 8), ("y2", 9, 8))
    }
    return ChipState(
        CHIP.digest,
        int(rng.integers(1000)),
        ChipImage((plastic, images[1])),
        (replace(cores[0], traces=traces), cores[1]),
    )


def _arrays(state: ChipState) -> dict[str, np.ndarray]:
    return {
        f"{name}_{index}": np.asarray(value)
        for index, pair in enumerate(zip(state.image.cores, state.cores, strict=True))
        for owner in pair
        for name, value in owner.to_arrays().items()
    }


def test_the_cleared_state_is_zeros_of_the_right_shape():
    state = CoreState.cleared(PLASTIC)
    state.check(PLASTIC, "core 0")
    assert {name: value.shape for name, value in state.to_arrays().items()} == {
        "states.v": (8,),
        "states.fired": (8,),
        "arrivals": (4, 6),
        "traces.x1": (6,),
        "traces.y1": (8,),
        "traces.y2": (8,),
    }
    assert not any(value.any() for value in state.to_arrays().values())
    assert CoreState.cleared(FIXED).traces == {}


def test_what_is_saved_is_what_is_loaded(tmp_path: Path):
    state = _state()
    state.check(CHIP)
    state.save(tmp_path / "new" / "state.npz")
    loaded = ChipState.load(tmp_path / "new" / "state.npz")
    loaded.check(CHIP)
    assert (loaded.digest, loaded.ticks) == (state.digest, state.ticks)
    assert [core.learning for core in loaded.image.cores] == [False, True]
    expected, got = _arrays(state), _arrays(loaded)
    assert expected.keys() == got.keys()
    for name, values in expected.items():
        assert np.array_equal(got[name], values) and got[name].dtype == values.dtype, name
    assert np.array_equal(loaded.checksums(), state.checksums())


@pytest.mark.parametrize(
    ("part", "name"),
    [
        *(("image", name) for name in ("weights", "tags", "states.adaptation", "random")),
        *(
            ("cores", name)
            for name in ("states.v", "states.fired", "arrivals", "traces.x1", "traces.y2")
        ),
    ],
)
def test_every_value_counts_in_the_checksum(part, name):
    expected, state = _state().checksums(), _state()
    owner = (state.image.cores if part == "image" else state.cores)[0]
    values = owner.to_arrays()[name]
    values.flat[-1] = values.flat[-1] ^ 1
    got = state.checksums()
    assert got.dtype == np.uint32 and (got != expected).tolist() == [True, False]


def test_parameters_do_not_count_in_the_checksum():
    state = _state()
    state.image.cores[0].parameters["threshold"][0] += 1
    assert np.array_equal(state.checksums(), _state().checksums())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ticks": -1}, "^snapshot: ticks must be 0 or more, not -1$"),
        ({"cores": _state().cores[:1]}, "^snapshot: 1 cores for 2$"),
        (
            {"digest": "0" * 64},
            rf"^the snapshot is of structure 00000000, the chip of {CHIP.digest[:8]}: they do not",
        ),
    ],
)
def test_snapshots_are_checked(changes, message):
    with pytest.raises(SpikeletError, match=message):
        replace(_state(), **changes).check(CHIP)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("states.v", np.zeros(7, np.int32), r"v must have shape \(8,\), not \(7,\)"),
        ("states.fired", np.zeros(0, bool), r"fired must have shape \(8,\), not \(0,\)"),
        ("arrivals", np.zeros((4, 5), bool), r"arrivals must have shape \(4, 6\), not \(4, 5\)"),
        ("traces.x2", np.zeros(6, np.int32), "traces must be x1, y1, y2, not x1, x2, y1, y2"),
        ("states.u", np.zeros(8, np.int32), "states must be fired, v, not fired, u, v"),
        ("states.v", np.full(8, 2048), "v must be in -2048..2047, found 2048"),
        ("traces.x1", np.full(6, 256), "x1 must be in 0..255, found 256"),
        ("traces.y1", np.full(8, 32), "y1 must be in 0..31, found 32"),
        ("traces.y2", np.full(8, -1), "y2 must be in 0..511, found -1"),
    ],
)
def test_states_are_checked(name, value, message):
    state = _state()
    wrong = CoreState.from_arrays({**state.cores[0].to_arrays(), name: value})
    with pytest.raises(SpikeletError, match=f"^snapshot: core 0: {message}$"):
        replace(state, cores=(wrong, state.cores[1])).check(CHIP)


def test_the_image_of_a_snapshot_is_checked():
    state = _state()
    state.image.cores[0].weights[state.image.cores[0].plastic] = -1
    with pytest.raises(SpikeletError, match="^core 0: weights of plastic axons must be in 0..127"):
        state.check(CHIP)


def _without(path: Path, name: str) -> None:
    with np.load(path) as data:
        arrays = {key: value for key, value in data.items() if key != name}
    np.savez(path, **arrays)


def _array(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.zeros(3))


DAMAGE = {
    "missing": lambda path: path.unlink(),
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "text": lambda path: path.write_text("no snapshot"),
    "empty": lambda path: path.write_bytes(b""),
    "another array": _array,
    "no header": lambda path: _without(path, "header"),
    "no traces": lambda path: _without(path, "0.state.arrivals"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_named(tmp_path: Path, damage):
    path = tmp_path / "state.npz"
    _state().save(path)
    damage(path)
    with pytest.raises(SpikeletError, match=r"state\.npz is not a readable snapshot: "):
        ChipState.load(path)


def test_readable_words_are_all_but_the_cycles() -> None:
    state = _state()
    words = readable_words(CHIP, state, np.array([5, 6]), np.array([7, 8]))
    read = dict(words.tolist())
    assert words[:, 0].tolist() == sorted(read), "each address once, in order"
    chip_map = ChipMap(CHIP)
    registers = [name for name in CHIP_REGISTERS if CHIP_REGISTERS.index(name) in read]
    assert registers == [name for name in CHIP_REGISTERS if name != "cycles"]
    assert read[CHIP_REGISTERS.index("ticks")] == state.ticks
    for core, regions in enumerate(chip_map.cores):
        for region in regions.values():
            first = int(chip_map.address(core, region.name))
            here = [at for at in read if first <= at < first + region.span]
            assert here, f"nothing is read of {region.name} of core {core}"
        counters = [read[int(chip_map.address(core, "counters", i))] for i in range(len(COUNTERS))]
        assert counters == [5 + core, 7 + core, 0]
    for core in state_words(CHIP):
        for name, addresses in core.items():
            if name != "arrivals":  # between its slots there may be rows that are no axons
                assert set(addresses.tolist()) <= set(read), name
