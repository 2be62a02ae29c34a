"""Axons that transmit stochastically: which spikes bring their weights, and who sees the others."""

from dataclasses import replace

import numpy as np
import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import joined
from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.state import ChipState
from spikelet.description.chip.transmission import transmission_chance
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.rule import LearningRule
from spikelet.description.neurons.draws import key_after
from spikelet.description.neurons.models import neuron_model
from spikelet.golden.chip import GoldenChip
from spikelet.golden.dense_spikes import DenseSpikes

KEY = 0xC0FFEE
CHANCES = (256, 128, 1, 255, 64)


def core(**fields: object) -> CoreParams:
    """Return a core that adds up what comes, and never spikes."""
    values = {"lanes": 2, "weight_bits": 8, "potential_bits": 24, "transmission": True}
    return CoreParams(len(CHANCES), 4, neuron_model("snntorch-none"), **{**values, **fields})


def image(of: CoreParams, **fields: object) -> CoreImage:
    """Return weights that tell which axons have come through: powers of 2."""
    weights = np.repeat(1 << np.arange(of.n_axons)[:, None], of.n_neurons, axis=1)
    threshold = {"threshold": np.array([of.v_max], np.int32)}
    found = CoreImage(weights.astype(np.int16), joined(), threshold, **fields)
    return replace(
        found, transmission=np.array(CHANCES, np.int32)[: of.n_axons], transmission_key=KEY
    )


def draws(key: int, count: int) -> list[int]:
    """Return an LFSR's next words of 16 bits, bit by bit: x^32 + x^30 + x^26 + x^25 + 1."""
    bits = [key >> (31 - i) & 1 for i in range(32)]
    while len(bits) < 32 + 16 * count:
        bits.append(bits[-32] ^ bits[-30] ^ bits[-26] ^ bits[-25])
    words = [bits[32 + 16 * k : 48 + 16 * k] for k in range(count)]
    return [int("".join(map(str, word)), 2) for word in words]


def chip_of(one: CoreParams, contents: CoreImage, backend: str) -> GoldenChip:
    return GoldenChip(ChipParams((one,)), ChipImage((contents,)), backend=backend)


def inputs(spikes: np.ndarray) -> DenseSpikes:
    return DenseSpikes(
        spikes.astype(np.uint8), np.array([(a, 0, a, 0) for a in range(spikes.shape[2])])
    )


SPIKES = np.random.default_rng(1).random((3, 200, len(CHANCES))) < 0.6


@pytest.mark.parametrize("backend", ["numpy", "native"])
def test_which_spikes_come_through(backend: str) -> None:
    """By an LFSR that is stepped bit by bit, and by counting."""
    found = chip_of(core(), image(core()), backend).run(inputs(SPIKES))
    assert found.states is not None
    potentials = found.states[0]["v"]
    assert (potentials == potentials[..., :1]).all()  # each group of neurons sees the same draws
    sent = np.diff(potentials[..., 0], axis=1, prepend=0)[..., None] >> np.arange(5) & 1
    for sample in range(3):
        for tick in range(0, 200, 7):
            words = iter(draws(key_after(KEY, tick), 5))
            for axon in np.flatnonzero(SPIKES[sample, tick]):
                expected = next(words) >> 8 >= 256 - CHANCES[axon]
                assert sent[sample, tick, axon] == expected, (sample, tick, axon)
    assert not (sent & ~SPIKES).any() and (sent[..., 0] == SPIKES[..., 0]).all()
    rates = sent.sum(axis=(0, 1)) / SPIKES.sum(axis=(0, 1))
    assert np.abs(rates - np.array(CHANCES) / 256).max() < 0.06, rates
    assert (found.active_axons[..., 0] == SPIKES.sum(axis=2)).all()


@pytest.mark.parametrize("backend", ["numpy", "native"])
def test_rules_see_all_spikes(backend: str) -> None:
    one = core(learning=LearningRule("x0", w_max=100))
    marked = image(one, plastic=np.ones(5, np.bool_))
    chip = chip_of(one, replace(marked, weights=np.zeros((5, 4), np.int16)), backend)
    found = chip.run(inputs(SPIKES[:1, :20]), record=("states", "learning"))
    assert found.learned is not None and found.states is not None
    assert (found.learned[0]["weights"][0, -1, :, 0] == SPIKES[0, :20].sum(axis=0)).all()
    assert 0 < found.states[0]["v"][0, -1, 0] < 20 * 19 * 5 // 2


@pytest.mark.parametrize("backend", ["numpy", "native"])
def test_snapshots_go_on_with_the_draws(backend: str) -> None:
    chip = chip_of(core(), image(core()), backend)
    whole = chip.run(inputs(SPIKES[:1]))
    first = chip.run(inputs(SPIKES[:1, :50]))
    state = chip.snapshot()
    rest = chip.run(inputs(SPIKES[:1, 50:]), clear=False)
    other = chip_of(core(), image(core()), backend)
    other.restore(state)
    again = other.run(inputs(SPIKES[:1, 50:]), clear=False)
    parts = [run.states[0]["v"] for run in (whole, first, rest, again) if run.states]
    assert (np.concatenate(parts[1:3], axis=1) == parts[0]).all() and (parts[2] == parts[3]).all()
    assert isinstance(state, ChipState) and state.image.cores[0].transmission_key == KEY


def test_another_key_is_other_draws() -> None:
    one = image(core())
    runs = [
        chip_of(core(), replace(one, transmission_key=key), "numpy").run(inputs(SPIKES[:1]))
        for key in (KEY, KEY, KEY + 1)
    ]
    ends = [run.states[0]["v"][0, :, 0].tolist() for run in runs if run.states]
    assert ends[0] == ends[1] != ends[2]


def test_arrays_and_fields() -> None:
    one = image(core())
    loaded = CoreImage.from_arrays(one.to_arrays())
    assert (loaded.transmission == one.transmission).all()
    assert loaded.transmission_key == KEY
    assert CoreParams.from_dict(core().to_dict()) == core()
    assert "transmission" not in core(transmission=False).to_dict()


def test_errors() -> None:
    one = image(core())
    for fields, message in (
        (
            {"transmission": np.array([0, 1, 1, 1, 1], np.int32)},
            r"transmission must be in 1\.\.256, found 0",
        ),
        (
            {"transmission": np.full(5, 257, np.int32)},
            r"transmission must be in 1\.\.256, found 257",
        ),
        (
            {"transmission": np.ones(4, np.int32)},
            r"transmission must have shape \(5,\), not \(4,\)",
        ),
        ({"transmission_key": 0}, r"transmission_key must be in 1\.\.4294967295, found 0"),
    ):
        with pytest.raises(SpikeletError, match=f"core 0: {message}"):
            replace(one, **fields).check(core(), "core 0")
    with pytest.raises(SpikeletError, match=r"transmission must have shape \(0,\), not \(5,\)"):
        one.check(core(transmission=False), "core 0")
    with pytest.raises(SpikeletError, match="transmission must be true or false, not 0.5"):
        core(transmission=0.5)
    with pytest.raises(SpikeletError, match="graded spikes, of 2 bits, cannot come"):
        core(spike_bits=2)
    with pytest.raises(SpikeletError, match="sparse synapses cannot transmit stochastically"):
        core(synapses="sparse", synapse_options={"entries": 4, "fan_in": 2})
    assert [transmission_chance("p", c) for c in (1, 1 / 256, 0.5, 0.501)] == [256, 1, 128, 128]
    for chance in (0, 0.003, 1.01, -1, True, "0.5", float("nan")):
        with pytest.raises(SpikeletError, match=r"p: transmission must be a chance of 1/256\.\.1"):
            transmission_chance("p", chance)
