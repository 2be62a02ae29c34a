"""The neuron models that are there, in numpy and C: by hand, and against the code they replaced."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.learning.rule import LearningRule
from spikelet.description.neurons.adaptation import Adaptation
from spikelet.description.neurons.model import NeuronModel, Parameter, State
from spikelet.description.neurons.models import neuron_model
from spikelet.golden import native
from tests.helpers.lif_oracle import PROFILES, Profile, adapted, lif_update
from tests.helpers.neuron_ticks import Ticks, bare_image, native_ticks, numpy_ticks, python_ticks

readers = pytest.mark.parametrize(
    "ticks_of",
    [
        numpy_ticks,
        pytest.param(
            native_ticks,
            marks=pytest.mark.skipif(not native.available(), reason=native.why_not()),
        ),
    ],
)
Reader = Callable[..., Ticks]

INPUTS = [150, 60, 0, -40, 300, 10, 0]
BY_HAND = {
    "snntorch-zero": ([150, 60, 30, -25, 288, 10, 5], [1, 0, 0, 0, 1, 0, 0]),
    "snntorch-zero-immediate": ([0, 60, 30, -25, 0, 10, 5], [1, 0, 0, 0, 1, 0, 0]),
    "snntorch-subtract": ([150, 35, 18, -31, 285, 53, 27], [1, 0, 0, 0, 1, 0, 0]),
    "snntorch-subtract-immediate": ([50, 85, 43, -18, 191, 106, 53], [1, 0, 0, 0, 1, 0, 0]),
    "nir-euler": ([-20, 50, 25, -27, -20, 0, 0], [1, 0, 0, 0, 1, 0, 0]),
}
"""Threshold 100, decay one half, 10-bit potentials, reset to -20 where to a value."""

EQUAL = [100, 150, 0, -40, 300, 10, 0]
"""Inputs that lead to the threshold exactly, at first."""

CONVENTIONS = {
    "lif-ge": ([-20, -20, -10, -45, -20, 0, 0], [1, 1, 0, 0, 1, 0, 0]),
    "lif-subtract": ([100, 100, 50, -15, 193, 7, 4], [0, 1, 0, 0, 1, 1, 0]),
    "lif-subtract-ge": ([0, 50, 25, -27, 187, 4, 2], [1, 1, 0, 0, 1, 1, 0]),
    "snntorch-none": ([100, 200, 100, 10, 305, 163, 82], [0, 1, 0, 0, 1, 1, 0]),
    "snntorch-rleaky-zero": ([100, 200, 0, -40, 280, 0, 0], [0, 1, 0, 0, 1, 0, 0]),
    "spyx-lif": ([100, 200, 0, -40, 280, 50, 25], [0, 0, 1, 0, 0, 1, 0]),
    "cuba-lif-ge": ([-20, -20, 90, 55, -20, -20, 72], [1, 1, 0, 0, 1, 1, 0]),
    "cuba-lif-subtract-ge": ([0, 100, 50, 35, 223, 175, 70], [1, 1, 1, 0, 1, 1, 1]),
    "snntorch-synaptic-subtract": ([100, 250, 125, -27, 292, 209, 87], [0, 1, 1, 0, 1, 1, 0]),
    "snntorch-synaptic-subtract-immediate": (
        *([100, 150, 175, 98, 254, 190, 177], [0, 1, 0, 0, 1, 1, 0]),
    ),
    "snntorch-synaptic-zero": ([100, 250, 0, 10, 310, 0, 82], [0, 1, 0, 0, 1, 0, 0]),
    "snntorch-synaptic-none": ([100, 250, 225, 123, 367, 347, 256], [0, 1, 1, 1, 1, 1, 1]),
    "spyx-cuba-lif": ([100, 250, 175, 48, 329, 278, 171], [0, 0, 1, 1, 0, 1, 1]),
}
"""As above, worked out from the frameworks' own equations; a synaptic current decays by half."""

ROUNDING_FUNCTIONS = ("nearest", "truncate", "chance")
ROUNDINGS = {"nearest": "nearest({}, 12)", "floor": "({} >> 12)", "toward_zero": "truncate({}, 12)"}


def core_of(model: NeuronModel, n_neurons: int = 1, **fields: object) -> CoreParams:
    """Return a core with sums of up to 4096 * 127 in each direction."""
    usual = {"weight_bits": 8, "lanes": 1, "potential_bits": 16}
    return CoreParams(4096, n_neurons, model, **{**usual, **fields})


def rounded(name: str, rounding: str) -> NeuronModel:
    """Return one of the five models with another rounding of the leak."""
    model = neuron_model(name)
    text = model.text.replace("nearest(product, 12)", ROUNDINGS[rounding].format("product"))
    assert (text == model.text) == (rounding == "nearest")
    return replace(model, text=text, name=f"{name}-{rounding}")


@readers
@pytest.mark.parametrize("name", PROFILES)
def test_by_hand(name: str, ticks_of: Reader) -> None:
    parameters: dict[str, str | int] = {"threshold": 100, "decay": "shared"}
    if name == "nir-euler":
        parameters["reset_potential"] = -20
    core = core_of(neuron_model(name), potential_bits=10, parameters=parameters)
    got = ticks_of(core, bare_image(core, decay=2048), np.array(INPUTS)[:, None])
    v, fired = BY_HAND[name]
    assert got["v"][:, 0].tolist() == v
    assert got["fired"][:, 0].tolist() == fired


@readers
@pytest.mark.parametrize("name", CONVENTIONS)
def test_conventions_by_hand(name: str, ticks_of: Reader) -> None:
    model = neuron_model(name)
    parameters: dict[str, str | int] = {"threshold": 100, "decay": "shared"}
    loaded = {"decay": 2048}
    if "decay_i" in model.parameter_names:
        parameters["decay_i"], loaded["decay_i"] = "shared", 2048
    if "reset_potential" in model.parameter_names:
        parameters["reset_potential"] = -20
    core = core_of(model, potential_bits=10, parameters=parameters)
    got = ticks_of(core, bare_image(core, **loaded), np.array(EQUAL)[:, None])
    v, fired = CONVENTIONS[name]
    assert got["v"][:, 0].tolist() == v
    assert got["fired"][:, 0].tolist() == fired


@readers
@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_rounding_of_halves(rounding: str, ticks_of: Reader) -> None:
    expected = {"floor": [-2, -1, 0, 1], "toward_zero": [-1, 0, 0, 1], "nearest": [-1, 0, 1, 2]}
    core = core_of(rounded("nir-euler", rounding), 4, parameters={"threshold": 100, "decay": 2048})
    sums = np.array([[-3, -1, 1, 3], [0, 0, 0, 0]])
    assert ticks_of(core, bare_image(core), sums)["v"][1].tolist() == expected[rounding]


def edges(rng: np.random.Generator, low: int, high: int, size: int) -> np.ndarray:
    """Return values of a range, of which many are its ends."""
    ends = rng.choice([low, min(low + 1, high), max(high - 1, low), high], size)
    return np.where(rng.random(size) < 0.3, ends, rng.integers(low, high + 1, size))


def random_adaptation(rng: np.random.Generator) -> Adaptation | None:
    """Return an adaptation in two of three cases."""
    bits = int(rng.integers(2, 25))
    fields = {
        "increment": int(rng.integers(1, 1 << bits)),
        "decay_shift": int(rng.choice([0, 1, 4, 24])),
        "fraction_bits": int(rng.choice([0, 3, 16])),
        "bits": bits,
    }
    return Adaptation(**fields) if rng.integers(3) else None


@readers
@pytest.mark.parametrize("seed", range(60))
def test_the_five_models_are_what_they_were(seed: int, ticks_of: Reader) -> None:
    """Every combination of options against the code that was written by hand."""
    rng = np.random.default_rng(seed)
    name, rounding = str(rng.choice(list(PROFILES))), str(rng.choice(list(ROUNDINGS)))
    model, adaptation = rounded(name, rounding), random_adaptation(rng)
    scopes = {p: ("neuron", "shared", 7, None)[rng.integers(4)] for p in model.parameter_names}
    scopes["threshold"] = str(rng.choice(["neuron", "shared"]))
    adapts = adaptation.constants if adaptation else {}
    core = core_of(
        model,
        int(rng.choice([1, 3, 64, 70])),
        potential_bits=int(rng.choice([4, 8, 16, 24])),
        weight_exponent=int(rng.choice([0, 3, 16])),
        learning=LearningRule("x0", w_min=-8, w_max=7),
        parameters=adapts
        | {p: s for p, s in scopes.items() if s is not None and p[:10] != "adaptation"},
    )
    size = {"shared": 1, "neuron": core.n_neurons}
    values = {p: edges(rng, *r, size[core.scope(p)]) for p, r in core.parameter_ranges.items()}
    if adaptation:
        values["adaptation"] = edges(rng, 0, adaptation.largest, core.n_neurons)
    learns = bool(rng.integers(3))
    sums = edges(rng, -4096 * 128, 4096 * 127, 12 * core.n_neurons).reshape(12, -1)
    sums = np.where(rng.random(sums.shape) < 0.4, rng.integers(-9, 10, sums.shape), sums)
    got = ticks_of(core, bare_image(core, **values, learning=learns), sums)
    values |= {p: np.array(v) for p, v in core.constants.items() if p[:10] != "adaptation"}
    check(core, replace(PROFILES[name], rounding=rounding), adaptation, learns, values, sums, got)


def check(
    core: CoreParams,
    profile: Profile,
    adaptation: Adaptation | None,
    learns: bool,
    values: dict[str, np.ndarray],
    sums: np.ndarray,
    got: Ticks,
) -> None:
    """Compare every tick with the oracle."""
    v = np.zeros(core.n_neurons, np.int64)
    fired = np.zeros(core.n_neurons, np.bool_)
    adaptations = values.pop("adaptation", v)
    for tick, current in enumerate(sums):
        v, fired = lif_update(
            profile,
            (core.v_min, core.v_max),
            v,
            fired,
            current.astype(np.int64) << core.weight_exponent,
            raised=adaptations >> adaptation.fraction_bits if adaptation else 0,
            inhibited=fired.any() & ~fired,
            **values,
        )
        assert np.array_equal(got["v"][tick], v), f"tick {tick}"
        assert np.array_equal(got["fired"][tick], fired), f"tick {tick}"
        if adaptation:
            if learns:
                adaptations = adapted(adaptations, fired, **vars(adaptation))
            assert np.array_equal(got["adaptation"][tick], adaptations), f"tick {tick}"


@readers
def test_a_refractory_neuron_waits(ticks_of: Reader) -> None:
    """By hand: threshold 100, reset to 5; neurons with 0, 1 and 3 ticks of rest, driven by 60."""
    core = core_of(
        neuron_model("lif-refractory"),
        3,
        parameters={"threshold": 100, "reset_potential": 5, "refractory_period": "neuron"},
    )
    image = bare_image(core, refractory_period=[0, 1, 3])
    got = ticks_of(core, image, np.full((9, 3), 60))
    assert got["v"].T.tolist() == [
        [60, 5, 65, 5, 65, 5, 65, 5, 65],
        [60, 5, 5, 65, 5, 5, 65, 5, 5],
        [60, 5, 5, 5, 5, 65, 5, 5, 5],
    ]
    assert got["fired"].T.tolist() == [
        [0, 1, 0, 1, 0, 1, 0, 1, 0],
        [0, 1, 0, 0, 1, 0, 0, 1, 0],
        [0, 1, 0, 0, 0, 0, 1, 0, 0],
    ]
    assert got["refractory"].T.tolist() == [
        [0] * 9,
        [0, 1, 0, 0, 1, 0, 0, 1, 0],
        [0, 3, 2, 1, 0, 0, 3, 2, 1],
    ]


@readers
def test_without_a_refractory_period_it_is_nir_euler(ticks_of: Reader) -> None:
    rng = np.random.default_rng(3)
    sums = rng.integers(-300, 900, (30, 70))
    found = []
    for name in ("lif-refractory", "nir-euler"):
        parameters = {"threshold": "neuron", "decay": "shared", "bias": "shared"}
        core = core_of(neuron_model(name), 70, parameters=parameters)
        image = bare_image(core, threshold=np.arange(70) * 9, decay=3000, bias=-20)
        found.append(ticks_of(core, image, sums))
    assert "refractory" in found[0], "the state is built although its period is 0"
    assert all(np.array_equal(found[0][state], found[1][state]) for state in ("v", "fired"))


@readers
def test_cuba_by_hand(ticks_of: Reader) -> None:
    """Both factors one half, threshold 100, reset to -8; halves go up."""
    parameters = {"threshold": 100, "decay": 2048, "decay_i": 2048, "reset_potential": -8}
    core = core_of(neuron_model("cuba-lif"), parameters=parameters)
    sums = np.array([80, 0, 51, 0, -90, -3])
    got = ticks_of(core, bare_image(core), sums[:, None])
    # i: 80; 40; 20 + 51; 35.5; 18 - 90; -36 - 3.  v before the reset: 80; 80; 111; 32; -56; -67.
    assert got["i"][:, 0].tolist() == [80, 40, 71, 36, -72, -39]
    assert got["v"][:, 0].tolist() == [80, 80, -8, 32, -56, -67]
    assert got["fired"][:, 0].tolist() == [0, 0, 1, 0, 0, 0]


KINDS = {
    "regular spiking": (0.02, 0.2, -65.0, 8.0),
    "chattering": (0.02, 0.2, -50.0, 2.0),
    "fast spiking": (0.1, 0.2, -65.0, 2.0),
}
"""a, b, c and d of figure 2 in Izhikevich 2003."""

DRIVES = (6.0, 10.0, 15.0, 20.0)


def published_rate(current: float, a: float, b: float, c: float, d: float, steps: int) -> int:
    """Return the spikes of a second, by the program in Izhikevich 2003.

    It takes ``v`` in two steps of half a millisecond, "for numerical stability", and ``u`` in one.
    """
    v, u, spikes = -65.0, b * -65.0, 0
    for _ in range(1000):
        slope = a * (b * v - u)
        for _ in range(steps):
            v += (0.04 * v * v + 5 * v + 140 - u + current) / steps
        u += a * (b * v - u) if steps > 1 else slope
        if v > 30:
            spikes += 1
            v, u = c, u + d
    return spikes


def izhikevich_rates(kind: str, ticks_of: Reader) -> list[int]:
    """Return the spikes of a second for each of :data:`DRIVES`."""
    model = neuron_model("izhikevich")
    assert model.lsb
    a, b, c, d = KINDS[kind]
    parameters = {"threshold": 30 / model.lsb, "c": c / model.lsb, "d": d / model.lsb}
    parameters |= {"a": a * 4096, "b": b * 4096}
    built_in = {name: round(value) for name, value in parameters.items()}
    core = core_of(model, len(DRIVES), parameters=built_in)
    sums = np.tile(np.round(np.array(DRIVES) / model.lsb).astype(int), (1000, 1))
    found: list[int] = ticks_of(core, bare_image(core), sums)["fired"].sum(axis=0).tolist()
    return found


@readers
def test_a_regular_spiking_neuron_has_the_published_rate(ticks_of: Reader) -> None:
    expected = [published_rate(drive, *KINDS["regular spiking"], steps=2) for drive in DRIVES]
    assert expected == [12, 20, 31, 38]
    got = izhikevich_rates("regular spiking", ticks_of)
    assert all(abs(g - e) <= 1 + 0.1 * e for g, e in zip(got, expected, strict=True)), got


@readers
@pytest.mark.parametrize("kind", KINDS)
def test_integers_spike_as_often_as_floats_with_the_same_step(kind: str, ticks_of: Reader) -> None:
    expected = [published_rate(drive, *KINDS[kind], steps=1) for drive in DRIVES]
    got = izhikevich_rates(kind, ticks_of)
    assert all(abs(g - e) <= 1 + 0.15 * e for g, e in zip(got, expected, strict=True)), got


@readers
def test_states_become_what_never_changes_in_their_first_tick(ticks_of: Reader) -> None:
    text = "steady = level + 1; on = 3 > 2\nfired = current > 0; v = steady; n = 5"
    states = (State("v"), State("fired", "flag"), State("on", "flag"), State("n", "ticks"))
    model = NeuronModel("steady", text, states, (Parameter("level", "ticks"),))
    core = core_of(model, 2, parameters={"level": "neuron"})
    got = ticks_of(core, bare_image(core, level=[7, 9]), np.array([[0, 1], [1, 0]]))
    assert got["v"].tolist() == [[8, 10], [8, 10]]
    assert got["n"].tolist() == [[5, 5], [5, 5]] and got["on"].all()
    assert got["fired"].tolist() == [[0, 1], [1, 0]]


@readers
@pytest.mark.parametrize("function", ["nearest", "chance", "truncate", "abs"])
def test_what_just_fits_32_bits_is_rounded_in_more(function: str, ticks_of: Reader) -> None:
    whole = 20 if function == "nearest" else 16
    rounded = f"{function}(wide, {whole})" if function != "abs" else "abs(wide) >> 16"
    text = f"""
wide = clamp(current << 15, -2147483648, 2147483647)
v = clamp({rounded}); fired = wide > 0
"""
    model = NeuronModel("wide", text, (State("v"), State("fired", "flag")))
    core = core_of(model, 70, potential_bits=24)
    sums = np.array([4096 * 127, -4096 * 128, 65535, -65536])[:, None].repeat(70, axis=1)
    image = bare_image(core, draw_indices=np.arange(70))
    got = ticks_of(core, image, sums)["v"].tolist()
    expected = python_ticks(core, image, sums)["v"].tolist()
    assert got == expected and max(map(max, expected)) >= (1 << 31 >> whole) - 1


@readers
@pytest.mark.parametrize("up", [0, 1, 4, 5])
@pytest.mark.parametrize(
    "rounded", ["{} >> 4", "nearest({}, 4)", "truncate({}, 4)", "chance({}, 4)"]
)
def test_powers_of_two_are_shifts(up: int, rounded: str, ticks_of: Reader) -> None:
    """They are folded into the rounding that follows only where that rounds nothing."""
    text = f"product = current * {1 << up}; twice = 2 * v\nv = clamp({rounded.format('product')})\n"
    text += "fired = twice > product"
    model = NeuronModel("shifts", text, (State("v"), State("fired", "flag")))
    core = core_of(model, 9)
    assert not {"product", "twice"} & {a.name for line in core.update.lines for a in line}
    assert core.update.draws == ("chance" in rounded and up < 4)
    sums = np.array([np.arange(-4, 5), np.arange(9) * 3 - 14, np.arange(9) * 77 - 300])
    image = bare_image(core)
    expected = python_ticks(core, image, sums)
    for name, values in ticks_of(core, image, sums).items():
        assert np.array_equal(values, expected[name]), name
