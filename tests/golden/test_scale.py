"""The native path of the golden model equals numpy on networks of many cores."""

from dataclasses import replace

import numpy as np
import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import HOST, destinations, joined, list_entries
from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.state import ChipState, CoreState
from spikelet.description.neurons.models import neuron_model
from spikelet.description.run.events import Events
from spikelet.golden import native
from spikelet.golden.chip import GoldenChip
from spikelet.golden.native_core import weights_shape

pytestmark = pytest.mark.skipif(not native.available(), reason=native.why_not())

FORMATS = (("binary", 1), ("unsigned", 1), ("signed", 4), ("unsigned", 3), ("signed", 8))
MODELS = ("snntorch-subtract", "nir-euler", "snntorch-subtract-immediate", "snntorch-zero")
OUTPUTS = 8


def random_core(rng: np.random.Generator, index: int, sides: tuple[int, ...]) -> CoreParams:
    """Return a core; every format of weights comes with every model."""
    weight_format, weight_bits = FORMATS[index % len(FORMATS)]
    model = neuron_model(MODELS[index % len(MODELS)])
    resets = {"reset_potential": "shared"} if "reset_potential" in model.parameter_names else {}
    threshold = str(rng.choice(["shared", "neuron"]))
    return CoreParams(
        int(rng.choice(sides)),
        int(rng.choice(sides)),
        model,
        weight_bits=weight_bits,
        weight_format=weight_format,
        lanes=1,
        delay_slots=int(rng.choice([2, 16, 64])),
        list_entries=4096,
        parameters={"threshold": threshold, "decay": "shared", "bias": "neuron", **resets},
    )


def random_contents(rng: np.random.Generator, chip: ChipParams, index: int) -> CoreImage:
    """Return contents that make some 5 % of neurons fire in a tick."""
    core = chip.cores[index]
    shape = (core.n_axons, core.n_neurons)
    weights = rng.integers(core.weight_min, core.weight_max + 1, shape)
    if core.weight_format == "binary":
        weights = np.where(weights > 0, 1, -1)
    threshold = core.weight_max * 60
    n_thresholds = core.n_neurons if core.scope("threshold") == "neuron" else 1
    # Unsigned weights would excite more and more, so their bias holds the neurons back.
    drive = threshold // 20 - (core.weight_max * core.n_axons // 80) * (core.weight_min == 0)
    parameters = {
        "threshold": np.full(n_thresholds, threshold, np.int32),
        "decay": np.array([4080], np.int32),
        "bias": rng.integers(drive, drive + threshold // 20 + 2, core.n_neurons, np.int32),
        "reset_potential": np.array([5], np.int32),
    }
    return CoreImage(
        weights.astype(np.int16),
        random_destinations(rng, chip, index),
        {name: parameters[name] for name in core.update.parameters},
    )


def random_destinations(rng: np.random.Generator, chip: ChipParams, index: int) -> np.ndarray:
    """Return one destination of most neurons, a list of some, and of a few none."""
    parts = []
    for neuron in range(chip.cores[index].n_neurons):
        for _ in range(rng.choice([0, 1, 2, 5], p=[0.05, 0.8, 0.1, 0.05])):
            if rng.random() < 0.1:
                parts.append(destinations(neuron, HOST, rng.integers(OUTPUTS)))
                continue
            x, y = int(rng.integers(chip.width)), int(rng.integers(chip.height))
            columns = int(rng.integers(1, min(3, chip.width - x) + 1)) if chip.multicast else 1
            rows = int(rng.integers(1, min(3, chip.height - y) + 1)) if chip.multicast else 1
            reached = [
                chip.cores[(y + row) * chip.width + x + column]
                for row in range(rows)
                for column in range(columns)
            ]
            axon = rng.integers(min(core.n_axons for core in reached))
            delay = rng.integers(1, min(core.delay_slots for core in reached))
            core = y * chip.width + x
            parts.append(destinations(neuron, core, axon, delay, columns, rows))
    return joined(*parts)


def random_network(seed: int, side: int, sides: tuple[int, ...]) -> tuple[ChipParams, ChipState]:
    """Return a chip of ``side`` x ``side`` cores, in a state from which it goes on by itself."""
    rng = np.random.default_rng(seed)
    cores = tuple(random_core(rng, index, sides) for index in range(side * side))
    chip = ChipParams(cores, side, side, OUTPUTS, multicast=bool(seed % 2))
    image = ChipImage(tuple(random_contents(rng, chip, index) for index in range(len(cores))))
    states = tuple(
        replace(
            CoreState.cleared(core),
            states={
                "v": rng.integers(0, core.weight_max * 60, core.n_neurons, np.int32),
                "fired": rng.random(core.n_neurons) < 0.05,
            },
            arrivals=rng.random((core.delay_slots, core.n_axons)) < 0.05,
        )
        for core in cores
    )
    return chip, ChipState(chip.digest, 37, image, states)


def random_events(seed: int, chip: ChipParams, ticks: int) -> Events:
    """Return one event for each core in each tick, so that some meet other spikes."""
    rng = np.random.default_rng(seed)
    core = np.tile(np.arange(len(chip.cores), dtype=np.int32), ticks)
    axons = np.array([params.n_axons for params in chip.cores])
    slots = np.array([params.delay_slots for params in chip.cores])
    return Events(
        1,
        ticks,
        np.arange(ticks + 1, dtype=np.int64) * len(chip.cores),
        core,
        rng.integers(0, axons[core], dtype=np.int32),
        rng.integers(0, slots[core] - 1, dtype=np.int32),
    )


def assert_alike(seed: int, chip: ChipParams, state: ChipState, patch: pytest.MonkeyPatch) -> None:
    """Run numpy, compiled, and compiled without fetching ahead on from ``state``; compare all.

    Twice, so that the second run goes on from where the first ended.
    """
    chips = [GoldenChip(chip, state.image, backend="numpy")]
    for near_bytes in (0, 1 << 40):
        patch.setattr(native, "_NEAR_BYTES", near_bytes)
        chips.append(GoldenChip(chip, state.image, backend="native"))
        chips[-1].restore(state)
    chips[0].restore(state)
    for ticks in (66, 10):
        events = random_events(seed, chip, ticks)
        expected, *others = (golden.run(events, clear=False) for golden in chips)
        for got in others:
            assert got.first_difference(expected) is None
        assert expected.spikes is not None
        rates = [spikes.mean() for spikes in expected.spikes]
        assert 0.01 < np.mean(rates) < 0.6, f"the network is dead or floods: {np.mean(rates)}"
        assert expected.outputs.sum() > 50 and expected.merged_spikes.sum() > 50
        assert_same_state([golden.snapshot() for golden in chips])


def assert_same_state(snapshots: list[ChipState]) -> None:
    """Compare what a run leaves behind, with what is still due."""
    expected, *others = snapshots
    for got in others:
        assert got.ticks == expected.ticks
        for index, pair in enumerate(zip(got.cores, expected.cores, strict=True)):
            for name in ("states.v", "states.fired", "arrivals"):
                here, there = (core.to_arrays()[name] for core in pair)
                assert np.array_equal(here, there), f"{name} of core {index}"


@pytest.mark.parametrize("seed", [0, 1])
def test_compiled_equals_numpy(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chip, state = random_network(seed, 5, (40, 64, 65, 130))
    assert {core.delay_slots for core in chip.cores} == {2, 16, 64}
    tables = [core.destinations for core in state.image.cores]
    assert max(int(table[:, 3].max()) for table in tables) == 63
    assert all(list_entries(table) for table in tables)
    assert chip.multicast == any(np.any(table[:, 4:] > 1) for table in tables)
    assert_alike(seed, chip, state, monkeypatch)


@pytest.mark.parametrize(("bits", "size"), [(1, 64), (2, 128), (4, 128), (5, 256), (8, 256)])
def test_weights_share_bytes_in_whole_cache_lines(bits: int, size: int) -> None:
    weight_format = "binary" if bits == 1 else "signed"
    core = CoreParams(
        8,
        200,
        neuron_model("snntorch-subtract"),
        weight_bits=bits,
        weight_format=weight_format,
        lanes=1,
    )
    assert weights_shape(core) == ((8, size), np.uint8)


@pytest.mark.long
@pytest.mark.parametrize("seed", [4, 5])
def test_compiled_equals_numpy_on_256_cores(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chip, state = random_network(seed, 16, (256,))
    assert_alike(seed, chip, state, monkeypatch)
