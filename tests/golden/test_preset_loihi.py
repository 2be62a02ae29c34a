"""The preset ``loihi`` against what Lava's bit-accurate neurons did.

``tests/fixtures/presets/make_loihi.py`` recorded it from Lava's own class.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from spikelet.description.presets.presets import preset
from tests.helpers.neuron_ticks import bare_image, native_ticks, numpy_ticks

RECORDED = Path(__file__).parents[1] / "fixtures" / "presets" / "loihi.npz"
EXPONENTS = RECORDED.with_name("loihi_exponents.npz")
LSB_BITS = 6
"""A threshold is shifted up by so many bits on Loihi."""


def test_neurons_are_as_in_lava() -> None:
    """Every spike of 64 neurons in 600 ticks, and current and potential in every 20th."""
    with np.load(RECORDED) as file:
        given = {name: file[name].astype(np.int64) for name in file.files if name != "commit"}
    neurons = given["sums"].shape[1]
    parameters = {
        "threshold": given["vth"] << LSB_BITS,
        "decay_u": 4095 - given["du"],
        "decay": 4096 - given["dv"],
        "bias": given["bias_mant"] << given["bias_exp"],
    }
    core = replace(
        preset("loihi").core(),
        n_neurons=neurons,
        lanes=1,
        parameters=dict.fromkeys(parameters, "neuron"),
    )
    assert not (given["sums"] & 1).any()
    got = native_ticks(core, bare_image(core, **parameters), given["sums"] >> 1)
    spikes = np.unpackbits(given["spikes"].astype(np.uint8), axis=1)
    assert np.array_equal(got["fired"], spikes)
    assert np.array_equal(got["v"][::20], given["v"])
    assert np.array_equal(got["u"][::20], given["u"])
    assert spikes.sum() > 1000 and (spikes.sum(axis=0) > 0).sum() > 30
    wraps = (np.abs(np.diff(got["u"], axis=0)) > 1 << 23).sum()
    assert wraps > 10, "too few currents have wrapped"


def test_exponents_of_weights_are_as_in_lava() -> None:
    """Every spike, current and potential of 16 neurons in 80 ticks, for exponents of -8 to 7."""
    with np.load(EXPONENTS) as file:
        given = {name: file[name].astype(np.int64) for name in file.files if name != "commit"}
    weights = given["weights"] >> 1  # two of Loihi's, which are even, are one of ours
    sums = given["axon_spikes"] @ weights.T
    parameters = {
        "threshold": given["vth"] << LSB_BITS,
        "decay_u": 4095 - given["du"],
        "decay": 4096 - given["dv"],
    }
    for index, exponent in enumerate(given["exponents"].tolist()):
        core = replace(
            preset("loihi").core(),
            n_neurons=weights.shape[0],
            lanes=1,
            weight_exponent=7 + max(0, exponent),
            parameters=dict.fromkeys(parameters, "neuron")
            | {"negative_exponent": max(0, -exponent), "bias": 0},
        )
        image = bare_image(core, **parameters)
        for read in (native_ticks, numpy_ticks):
            got = read(core, image, sums)
            assert np.array_equal(got["fired"], given["spikes"][index]), exponent
            assert np.array_equal(got["v"], given["v"][index]), exponent
            assert np.array_equal(got["u"], given["u"][index]), exponent
    assert (given["spikes"].sum(axis=(1, 2)) > 5).sum() >= 5
