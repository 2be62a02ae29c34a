"""Files of frameworks' modules, against the spikes that these gave.

``tests/fixtures/modules/make.py`` made both, in the environment of each framework.
"""

from pathlib import Path

import numpy as np
import pytest

import spikelet
from spikelet.network.reference import run_layers
from tests.frameworks import norse_cases, sinabs_cases, snntorch_cases, spikingjelly_cases
from tests.frameworks.cases import TICKS, sample

FOLDER = Path(__file__).parents[1] / "fixtures" / "modules"
CASES = {
    "snntorch": snntorch_cases.CASES,
    "norse": norse_cases.CASES,
    "spikingjelly": spikingjelly_cases.CASES,
    "sinabs": sinabs_cases.CASES,
}
NAMES = [(framework, name) for framework, cases in CASES.items() for name in cases]
RECORDED = {framework: dict(np.load(FOLDER / f"{framework}.npz")) for framework in CASES}


@pytest.mark.parametrize(("framework", "name"), NAMES)
def test_a_modules_file_spikes_as_the_module_did(framework: str, name: str, tmp_path: Path) -> None:
    """Read without an option, in each layer, sample, tick and neuron."""
    recorded, case = RECORDED[framework], CASES[framework][name]
    (tmp_path / "net.nir").write_bytes(recorded[f"{name}.nir"].tobytes())
    network = spikelet.load_network(tmp_path / "net.nir")
    assert tuple(p.neuron.name for p in network.populations) == case.models
    given = sample(case.inputs, time_axis=1)
    layers = run_layers(network, given.reshape(*given.shape[:2], -1))
    for population, layer in zip(network.populations, layers, strict=True):
        if f"{name}#{population.name}" in recorded:
            fired = recorded[f"{name}#{population.name}"]
            assert fired.max() > 1
        else:
            packed = recorded[f"{name}:{population.name}"]
            if population.name in network.readouts:
                np.testing.assert_allclose(layer.potentials, packed, rtol=1e-6)
                assert packed.std() > 0.1
                continue
            fired = np.unpackbits(packed, axis=1)[:, :TICKS]
        np.testing.assert_array_equal(layer.spikes, fired)
        assert 0.02 < (fired > 0).mean() < 0.98


@pytest.mark.parametrize("framework", CASES)
def test_every_case_is_recorded(framework: str) -> None:
    """Cases that are gone, or new, need the script again."""
    files = {f"{name}.nir" for name in CASES[framework]}
    assert files == {name for name in RECORDED[framework] if name.endswith(".nir")}
    assert str(RECORDED[framework]["version"]).startswith(framework)
