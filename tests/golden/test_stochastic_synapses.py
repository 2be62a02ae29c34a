"""Stochastic synapses of axon types against a slow evaluator, synapse by synapse and bit by bit."""

from dataclasses import replace

import numpy as np
import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import joined
from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.draws import key_after
from spikelet.description.neurons.models import neuron_model
from spikelet.description.synapses.axon_types import drawn_parts
from spikelet.description.synapses.formats import synapse_format
from spikelet.golden.chip import GoldenChip
from spikelet.golden.dense_spikes import DenseSpikes
from tests.helpers.random_types import typed_weights
from tests.helpers.stochastic_synapses import evaluated_sums

CORE = CoreParams(
    *(11, 12, neuron_model("linear")),
    weight_bits=9,
    potential_bits=24,
    lanes=4,
    synapses="axon-types",
    synapse_options={"stochastic": 1},
)
SPIKES = np.random.default_rng(1).random((2, 40, CORE.n_axons)) < 0.4


def chip_of(core: CoreParams, weights: np.ndarray) -> GoldenChip:
    image = ChipImage((CoreImage(weights, joined(), {}),))
    return GoldenChip(ChipParams((core,)), image, backend="numpy")


def inputs(spikes: np.ndarray) -> DenseSpikes:
    routes = np.array([(a, 0, a, 0) for a in range(spikes.shape[2])])
    return DenseSpikes(spikes.astype(np.uint8), routes)


def potentials(chip: GoldenChip, spikes: np.ndarray, **how: bool) -> np.ndarray:
    """Return the input of each neuron in each tick, which is its potential."""
    found = chip.run(inputs(spikes), **how)
    assert found.states is not None
    return found.states[0]["v"]


@pytest.mark.parametrize(
    "fields",
    [{}, {"lanes": 1}, {"lanes": 2, "weight_bits": 3}, {"weight_format": "unsigned"}],
    ids=["four lanes", "a lane", "two lanes", "unsigned"],
)
def test_sums_are_those_of_the_evaluator(fields: dict[str, object]) -> None:
    core = replace(CORE, **({"weight_bits": 8} if "weight_format" in fields else {}), **fields)
    weights = typed_weights(np.random.default_rng(2), core)
    weights[core.n_axons : -4, 1], weights[core.n_axons : -4, 2] = core.weight_min, core.weight_max
    weights[-4:, 1:3] = 1
    got, key = potentials(chip_of(core, weights), SPIKES), core.synapse_format.key(core, weights)
    for sample, spikes in enumerate(SPIKES):
        for tick in range(0, 40, 3):
            expected = evaluated_sums(core, weights, spikes[tick], key_after(key, tick))
            assert got[sample, tick].tolist() == expected, (sample, tick)


def test_chances_are_sizes_and_neurons_draw_apart() -> None:
    """One axon; the mean of a neuron is its chance; half of the neurons have the same, apart."""
    core = replace(CORE, n_axons=1)
    weights = np.zeros((1 + 8, 1 + 12), np.int16)
    sizes = np.array([0, 256, 3, 40, 100, 200, *6 * [128]])
    weights[0, 1:], weights[1, 1:], weights[5, 1:] = 1, -sizes, 1
    weights = core.synapse_format.keyed(core, weights, 0xC0FFEE)
    got = potentials(chip_of(core, weights), np.ones((1, 1000, 1), np.bool_))[0]
    assert set(np.unique(got)) == {-1, 0} and not got[:, 0].any() and got[:, 1].all()
    assert np.abs(-got.mean(axis=0) - sizes / 256).max() < 0.06
    assert np.abs(np.corrcoef(got[:, 6:].T) - np.eye(6)).max() < 0.12


def test_snapshots_go_on_with_the_draws_and_samples_begin_anew() -> None:
    weights = typed_weights(np.random.default_rng(3), CORE)
    chip = chip_of(CORE, weights)
    whole = potentials(chip, SPIKES[:1])
    first = potentials(chip, SPIKES[:1, :15])
    state = chip.snapshot()
    other = chip_of(CORE, weights)
    other.restore(state)
    rest = potentials(other, SPIKES[:1, 15:], clear=False)
    assert (np.concatenate([first, rest], axis=1) == whole).all()
    twice = potentials(chip, np.repeat(SPIKES[:1], 2, axis=0))
    assert (twice[0] == twice[1]).all() and (twice[0] == whole[0]).all()
    rekeyed = CORE.synapse_format.keyed(CORE, weights, 77)
    assert (potentials(chip_of(CORE, rekeyed), SPIKES[:1]) != whole).any()


@pytest.mark.filterwarnings("ignore:golden runs on numpy")
def test_c_leaves_them_to_numpy() -> None:
    weights = typed_weights(np.random.default_rng(4), CORE)
    image, chip = ChipImage((CoreImage(weights, joined(), {}),)), ChipParams((CORE,))
    with pytest.raises(SpikeletError, match="has no stochastic synapses, as core 0 has"):
        GoldenChip(chip, image, backend="native")
    notes = GoldenChip(chip, image).notes
    assert notes["backend"] == "numpy" and "stochastic synapses" in notes["backend_note"]


def test_a_matrix_with_stochastic_synapses_is_stored() -> None:
    format, rng = CORE.synapse_format, np.random.default_rng(5)
    types, flags = rng.integers(0, 2, CORE.n_axons), rng.random((2, 12)) < 0.5
    matrix = rng.integers(-256, 256, (2, 12))[types].astype(np.int16)
    matrix[0] = 0  # by the chance of 0
    stored = format.stored(CORE, format.by_chance(matrix, flags[types]), "core 0")
    found, bits, _, given = drawn_parts(stored)
    by_chance = (given[found] * bits).astype(np.bool_)
    assert not bits[0].any()
    assert (by_chance[1:] == flags[types][1:]).all()
    assert (format.matrix(CORE, stored) == matrix).all()
    with pytest.raises(SpikeletError, match="dense synapses cannot be stochastic"):
        synapse_format("dense").by_chance(matrix, flags[types])
    assert format.key(CORE, format.keyed(CORE, stored, 0xFEDCBA98)) == 0xFEDCBA98


def test_what_a_core_without_has_is_as_ever() -> None:
    plain = replace(CORE, synapse_options={})
    weights = typed_weights(np.random.default_rng(6), plain)
    format = plain.synapse_format
    assert format.key(plain, weights) == 0 and format.keyed(plain, weights, 5) is weights
    assert [region.name for region in format.regions(plain)] == [
        *("weights", "axon_types", "type_weights")
    ]
    assert "synapse_options" not in plain.to_dict()
    assert CoreParams.from_dict(CORE.to_dict()) == CORE


def test_messages() -> None:
    for fields, message in (
        ({"synapse_options": {"stochastic": 0}}, "the option stochastic .* must be 1, not 0"),
        ({"synapse_options": {"chance": 1}}, "must be stochastic, not chance"),
        ({"synapses": "dense", "weight_bits": 8}, "of dense synapses must be none, not stochastic"),
        ({"n_neurons": 32, "lanes": 32}, r"stochastic synapses have 1\.\.16 lanes, not 32"),
        ({"spike_bits": 2}, "graded spikes, of 2 bits, cannot come to stochastic synapses"),
    ):
        with pytest.raises(SpikeletError, match=message):
            replace(CORE, **fields)
    weights = typed_weights(np.random.default_rng(7), CORE)
    for place, value, message in (
        ((-1, 1), 2, r"flags of stochastic synapses must be in 0\.\.1, found 2"),
        ((-1, 0), 256, r"bytes of the key of the draws must be in 0\.\.255, found 256"),
        ((slice(-4, None), 0), 0, r"the key of the draws must be in 1\.\.2\*\*32 - 1, found 0"),
    ):
        wrong = weights.copy()
        wrong[place] = value
        with pytest.raises(SpikeletError, match=f"^core 0: {message}"):
            CORE.synapse_format.check(CORE, wrong, "core 0")
