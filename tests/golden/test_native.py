"""The native path of the golden model equals numpy, and stands back where it cannot be had."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import HOST, destinations, joined
from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError, SpikeletWarning
from spikelet.description.neurons.models import neuron_model, neuron_models
from spikelet.description.neurons.update import sends_counts
from spikelet.description.run.events import Events
from spikelet.description.toolchain import c_library
from spikelet.golden import kernel, native, native_destinations, numpy_cores
from spikelet.golden.chip import GoldenChip, run
from spikelet.golden.dense_spikes import DenseSpikes
from tests.helpers.random_chips import random_chip, random_events, random_image

needs_compiler = pytest.mark.skipif(not native.available(), reason=native.why_not())


@pytest.fixture
def reloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Let the kernel be looked for anew, in an empty cache folder, and forget it afterwards."""
    monkeypatch.setenv("SPIKELET_CACHE", str(tmp_path))
    kernel.loaded.cache_clear()
    native.warn_of_numpy.cache_clear()
    yield tmp_path
    kernel.loaded.cache_clear()
    native.warn_of_numpy.cache_clear()


def assert_equal(chip: ChipParams, image: ChipImage, inputs: Events | DenseSpikes) -> int:
    """Compare both backends in all that is recorded; return how many spikes there were."""
    expected = run(chip, image, inputs, backend="numpy")
    got = run(chip, image, inputs, backend="native")
    assert got.first_difference(expected) is None
    assert (expected.notes["backend"], got.notes["backend"]) == ("numpy", "native")
    assert np.array_equal(got.cycles, expected.cycles)
    return sum(int(spikes.sum()) for spikes in expected.spikes or [])


@needs_compiler
@pytest.mark.parametrize("block", range(8))
def test_random_chips(block: int) -> None:
    spikes = 0
    for seed in range(block * 20, block * 20 + 20):
        rng = np.random.default_rng(seed)
        chip = random_chip(rng)
        image = random_image(rng, chip)
        spikes += assert_equal(chip, image, random_events(rng, chip, samples=3))
    assert spikes > 1000, "the networks hardly spiked"


@needs_compiler
@pytest.mark.parametrize("seed", range(20))
def test_dense_spikes_equal_their_events(seed: int) -> None:
    rng = np.random.default_rng(seed)
    chip = random_chip(rng)
    image = random_image(rng, chip)
    n_inputs = int(rng.integers(1, 200))
    routes = []
    for _ in range(rng.integers(1, 5)):  # a run of inputs, and a single one that may merge with it
        index = int(rng.integers(len(chip.cores)))
        core = chip.cores[index]
        length = int(rng.integers(1, min(n_inputs, core.n_axons) + 1))
        delay = int(rng.integers(core.delay_slots - 1))
        for n in (length, 1):
            start = int(rng.integers(n_inputs - n + 1))
            axon = int(rng.integers(core.n_axons - n + 1))
            routes += [(start + i, index, axon + i, delay) for i in range(n)]
    spikes = rng.integers(0, 256, (2, 9, n_inputs)) * (rng.random((2, 9, n_inputs)) < 0.3)
    dtype = (np.uint8, np.bool_, np.int64, np.float32)[seed % 4]
    dense = DenseSpikes(spikes.astype(dtype), np.array(routes), extra_ticks=seed % 3)
    assert_equal(chip, image, dense)
    expected = run(chip, image, dense.events(), backend="numpy")
    assert run(chip, image, dense, backend="native").first_difference(expected) is None


EXTREMES = st.sampled_from(["low", "high", "zero", "random"])


@needs_compiler
@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.data())
def test_edges_of_every_range(data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    model = data.draw(st.sampled_from(list(neuron_models().values())))
    single = not sends_counts(model)  # else an output line would get more than it can count
    weight_bits = data.draw(st.sampled_from([1, 2, 4, 7, 8]))
    signed = "binary" if weight_bits == 1 else "signed"
    core = CoreParams(
        data.draw(st.sampled_from([1, 17, 63, 64, 65, 255, 256, 257, 600])),
        data.draw(st.sampled_from([1, 15, 16, 63, 64, 65, 130, *([300, 600] if single else [])])),
        model,
        lanes=1,
        weight_bits=weight_bits,
        weight_format=data.draw(st.sampled_from(["unsigned", signed])),
        weight_exponent=data.draw(st.sampled_from([0, 4, 16])),
        potential_bits=data.draw(st.sampled_from([4, 16, 21, 24])),
        parameters={
            parameter.name: "neuron"
            for parameter in model.parameters
            if not parameter.constant and (parameter.name != "decay" or data.draw(st.booleans()))
        },
    )

    def values(low: int, high: int, size: int) -> np.ndarray:
        kind = data.draw(EXTREMES)
        fixed = {"low": low, "high": high, "zero": max(low, 0)}
        drawn = rng.integers(low, high + 1, size)
        return np.full(size, fixed[kind]) if kind in fixed else drawn

    weights = values(core.weight_min, core.weight_max, core.n_axons * core.n_neurons)
    if core.weight_format == "binary":
        weights = np.where(weights > 0, 1, -1)
    image = CoreImage(
        weights.reshape(core.n_axons, core.n_neurons).astype(np.int16),
        destinations(np.arange(core.n_neurons), HOST, 0),
        {
            name: values(*ends, core.n_neurons).astype(np.int32)
            for name, ends in core.parameter_ranges.items()
        },
        draw_key=int(core.update.draws),
        draw_indices=np.arange(core.n_neurons * bool(core.update.draws), dtype=np.int32),
    )
    active = rng.random((2, 4, core.n_axons)) < data.draw(st.sampled_from([0.0, 0.5, 1.0]))
    routes = np.array([(i, 0, i, 0) for i in range(core.n_axons)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(native, "_NEAR_BYTES", data.draw(st.sampled_from([0, 1 << 40])))
        assert_equal(ChipParams((core,)), ChipImage((image,)), DenseSpikes(active, routes))


@needs_compiler
@pytest.mark.parametrize(
    ("weight_format", "bits", "weight"),
    [
        ("unsigned", 8, 255),
        ("signed", 8, -128),
        ("unsigned", 4, 15),
        ("signed", 3, 3),
        ("unsigned", 1, 1),
        ("binary", 1, -1),
        ("binary", 1, 1),
    ],
)
@pytest.mark.parametrize("above", [-1, 0, 1])
def test_all_of_the_most_axons_at_the_threshold(
    weight_format: str, bits: int, weight: int, above: int
) -> None:
    core = CoreParams(
        *(4096, 66, neuron_model("snntorch-zero-immediate")),
        lanes=1,
        weight_bits=bits,
        weight_format=weight_format,
        potential_bits=24,
        parameters={"bias": "shared"},
    )
    total = 4096 * weight
    image = CoreImage(
        np.full((4096, 66), weight, np.int16),
        destinations(np.arange(66), HOST, 0),
        {
            "threshold": np.array([1000], np.int32),
            "bias": np.array([1000 + above - total], np.int32),
        },
    )
    routes = np.array([(i, 0, i, 0) for i in range(4096)])
    chip, images = ChipParams((core,)), ChipImage((image,))
    dense = DenseSpikes(np.ones((1, 1, 4096), np.bool_), routes)
    assert assert_equal(chip, images, dense) == (66 if above > 0 else 0)


@needs_compiler
@pytest.mark.parametrize(
    ("weight_format", "bits", "weight"),
    [("unsigned", 8, 255), ("unsigned", 4, 15), ("unsigned", 1, 1), ("binary", 1, 1)],
)
def test_as_many_rows_as_a_byte_holds(weight_format: str, bits: int, weight: int) -> None:
    core = CoreParams(
        *(300, 64, neuron_model("snntorch-subtract")),
        lanes=1,
        weight_bits=bits,
        weight_format=weight_format,
        potential_bits=24,
    )
    thresholds = {"threshold": np.array([core.v_max], np.int32)}
    image = CoreImage(np.full((300, 64), weight, np.int16), joined(), thresholds)
    rows = 255 // (core.weight_max - core.weight_min)
    counts = [0, 1, rows - 1, rows, rows + 1, 2 * rows + 1, 256, 257, 300]
    active = np.arange(300) < np.minimum(counts, 300)[:, None]
    routes = np.array([(i, 0, i, 0) for i in range(300)])
    dense = DenseSpikes(active[None], routes)
    chip, images = ChipParams((core,)), ChipImage((image,))
    assert_equal(chip, images, dense)
    states = run(chip, images, dense, backend="native").states
    assert states is not None
    assert np.array_equal(states[0]["v"][0, :, 0], weight * np.cumsum(active.sum(axis=1)))


@needs_compiler
@pytest.mark.parametrize("sign", [-1, 1])
def test_a_current_beyond_all_else_saturates(sign: int) -> None:
    core = CoreParams(
        *(600, 1, neuron_model("nir-euler")),
        lanes=1,
        weight_bits=8,
        weight_exponent=16,
        potential_bits=24,
        parameters={"decay": "shared", "bias": "shared"},
    )
    image = CoreImage(
        np.full((600, 1), sign * 127, np.int16),
        destinations(0, HOST, 0),
        {
            "threshold": np.array([core.v_max], np.int32),
            "decay": np.array([4095], np.int32),
            "bias": np.array([core.v_min if sign > 0 else core.v_max], np.int32),
        },
    )
    chip, images = ChipParams((core,)), ChipImage((image,))
    for n_active in (1, 2, 3, 4, 600):
        spikes = np.zeros((1, 4, 600), np.bool_)
        spikes[:, 2, :n_active] = True
        routes = np.array([(i, 0, i, 0) for i in range(600)])
        assert_equal(chip, images, DenseSpikes(spikes, routes))


@needs_compiler
def test_chunks_progress_and_optional_records(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    chip = random_chip(rng)
    image, events = random_image(rng, chip), random_events(rng, chip, samples=7)
    whole = run(chip, image, events, backend="numpy")
    monkeypatch.setattr(native, "_CHUNK_UPDATES", 1)
    monkeypatch.setattr(numpy_cores, "_CHUNK_BYTES", 1)
    for backend in ("numpy", "native"):
        done: list[int] = []
        parts = run(chip, image, events, backend=backend, progress=done.append)
        assert parts.first_difference(whole) is None and done == [1, 2, 3, 4, 5, 6, 7]
        bare = run(chip, image, events, backend=backend, record=())
        assert bare.spikes is None and bare.states is None
        assert bare.first_difference(whole) is None


@needs_compiler
def test_a_chip_runs_again_from_the_cleared_state() -> None:
    rng = np.random.default_rng(8)
    chip = random_chip(rng)
    golden = GoldenChip(chip, random_image(rng, chip), backend="native")
    events = random_events(rng, chip)
    first = golden.run(events)
    golden.run(random_events(rng, chip))
    assert golden.run(events).first_difference(first) is None


@needs_compiler
def test_a_chip_takes_dense_inputs_and_events_in_turn() -> None:
    rng = np.random.default_rng(8)
    chip = random_chip(rng)
    golden = GoldenChip(chip, random_image(rng, chip), backend="native")
    routes = np.array([(i, 0, i, 0) for i in range(chip.cores[0].n_axons)])
    one, other = (DenseSpikes(rng.random((2, 5, len(routes))) < 0.3, routes) for _ in range(2))
    first = golden.run(one)
    for inputs in (other, one.events(), other, one):
        again = golden.run(inputs).first_difference(first)
        assert (again is None) == (inputs is not other)


def test_routes_are_joined_where_input_and_axon_go_on() -> None:
    route = np.array([5, 1, 9, 2])
    chain = route + np.outer(np.arange(4), [1, 0, 1, 0])
    for breaking in ([0, 0, 0, 1], [0, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 0]):
        routes = np.concatenate([chain, chain + np.add([4, 0, 4, 0], breaking)])
        joined_routes = DenseSpikes(np.zeros((1, 1, 20)), routes).runs
        assert joined_routes.tolist() == [[*routes[0], 4], [*routes[4], 4]]
    assert DenseSpikes(np.zeros((1, 1, 20)), chain).runs.tolist() == [[*route, 4]]
    assert DenseSpikes(np.zeros((1, 1, 20)), chain[:1]).runs.tolist() == [[*route, 1]]
    assert DenseSpikes(np.zeros((1, 1, 20)), chain[:0]).runs.shape == (0, 5)


@needs_compiler
def test_falls_back_where_the_neuron_model_cannot_be_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = neuron_model("snntorch-zero")  # with a text that was not compiled in this process
    model = replace(model, text=model.text.replace("current + bias", "abs(sign(current)) + bias"))
    core = CoreParams(4, 4, model, lanes=1)
    chip = ChipParams((core,))
    image = random_image(np.random.default_rng(0), chip)
    assert native.available()  # from here on the kernel is there
    monkeypatch.setenv("SPIKELET_CACHE", str(tmp_path))
    monkeypatch.setenv("CC", "false")
    native.warn_of_numpy.cache_clear()
    with pytest.warns(SpikeletWarning, match=r"on numpy.*slower: false cannot compile"):
        notes = GoldenChip(chip, image).notes
    assert notes["backend"] == "numpy"
    assert "false cannot compile neuron_update.c" in notes["backend_note"]
    with pytest.raises(SpikeletError, match=r"^false cannot compile neuron_update\.c"):
        GoldenChip(chip, image, backend="native")


@needs_compiler
def test_more_cores_than_a_destination_can_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native_destinations, "_MOST_CORES", 1)
    rng = np.random.default_rng(3)
    core = CoreParams(4, 4, neuron_model("snntorch-subtract"), lanes=1)
    chip = ChipParams((core, core), 2)
    image = random_image(rng, chip)
    with pytest.raises(SpikeletError, match="holds 1 cores, not 2") as caught:
        GoldenChip(chip, image, backend="native")
    assert 'backend="numpy"' in caught.value.remedy
    native.warn_of_numpy.cache_clear()
    with pytest.warns(SpikeletWarning, match="holds 1 cores, not 2"):
        assert GoldenChip(chip, image).notes["backend"] == "numpy"


def test_falls_back_without_a_compiler(reloaded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CC", raising=False)
    rng = np.random.default_rng(0)
    chip = random_chip(rng)
    image, events = random_image(rng, chip), random_events(rng, chip)
    with pytest.warns(SpikeletWarning, match=r"on numpy.*slower: the native.*: no C compiler"):
        notes = run(chip, image, events).notes
    assert run(chip, image, events).notes == notes  # a warning would raise: it is given once
    assert notes["backend"] == "numpy"
    assert "no C compiler (cc, gcc, clang or g++) found" in notes["backend_note"]
    assert not native.available()
    with pytest.raises(SpikeletError, match=r"^the native golden model cannot be used: no C comp"):
        run(chip, image, events, backend="native")


def test_falls_back_where_the_compiler_fails(
    reloaded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", "false")
    assert not native.available()
    assert "false cannot compile kernel.c" in native.why_not()
    assert not list(reloaded.rglob("*.so")) and not list(reloaded.rglob(".build*"))


def test_falls_back_where_the_cache_is_no_folder(
    reloaded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (reloaded / "file").touch()
    monkeypatch.setenv("SPIKELET_CACHE", str(reloaded / "file"))
    assert not native.available()
    assert "set SPIKELET_CACHE to a writable folder" in native.why_not()


@needs_compiler
def test_a_cut_library_is_built_again(reloaded: Path) -> None:
    assert native.available()
    (library,) = reloaded.rglob("*.so")
    good = library.read_bytes()
    library.unlink()  # the loaded one stays mapped
    library.write_bytes(good[:9000])
    kernel.loaded.cache_clear()
    assert native.available(), native.why_not()
    rng = np.random.default_rng(1)
    chip = random_chip(rng)
    assert_equal(chip, random_image(rng, chip), random_events(rng, chip))


@needs_compiler
def test_definitions_make_another_library(reloaded: Path) -> None:
    source = reloaded / "answer.c"
    source.write_text("int answer(void) { return ANSWER; }")
    answers = [c_library(source, f"#define ANSWER {n}\n").answer() for n in (1, 2, 1)]
    assert answers == [1, 2, 1] and len(list(reloaded.rglob("*.so"))) == 2
    with pytest.raises(SpikeletError, match=r"cannot compile answer\.c: (.|\n)*ANSWER"):
        c_library(source)


def test_bad_inputs_are_refused() -> None:
    rng = np.random.default_rng(2)
    chip = random_chip(rng, most_cores=1)
    image = random_image(rng, chip)
    with pytest.raises(SpikeletError, match=r"^backend must be one of auto, numpy, native, not 'c"):
        run(chip, image, random_events(rng, chip), backend="cuda")
    with pytest.raises(
        SpikeletError, match=r"^spikes must have axes \(samples, ticks, inputs\), not"
    ):
        DenseSpikes(np.zeros((3, 3)), np.zeros((0, 4), np.int64))
    spikes = np.zeros((1, 3, 2), np.uint8)
    n_axons, slots = chip.cores[0].n_axons, chip.cores[0].delay_slots
    for route, message in (
        ((2, 0, 0, 0), r"^route of inputs 2\.\.2 to core 0: there are 2 inputs and 1 cores$"),
        ((-1, 0, 0, 0), r"^route of inputs -1\.\.-1 to core 0: there are 2 inputs"),
        ((0, 1, 0, 0), r"^route of inputs 0\.\.0 to core 1: there are 2 inputs and 1 cores$"),
        ((0, 0, n_axons, 0), rf"^route to axons {n_axons}\.\.{n_axons} of core 0, delay 0: it has"),
        ((0, 0, 0, slots - 1), rf"delay {slots - 1}: it has {n_axons} axons, and delays up to"),
    ):
        for backend in ("numpy", "auto"):
            with pytest.raises(SpikeletError, match=message):
                run(chip, image, DenseSpikes(spikes, np.array([route])), backend=backend)


@needs_compiler
def test_falling_offsets_are_refused() -> None:
    rng = np.random.default_rng(2)
    chip = random_chip(rng, most_cores=1)
    none = np.zeros(0, np.int32)
    events = Events(1, 2, np.array([0, 5, 0]), none, none, none)
    with pytest.raises(SpikeletError, match=r"^events: offsets must start at 0 and never fall$"):
        run(chip, random_image(rng, chip), events, backend="native")
