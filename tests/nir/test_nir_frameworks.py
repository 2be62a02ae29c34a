"""Networks that frameworks exported: the float network does what the framework itself recorded.

``tests/fixtures/frameworks`` says which networks these are.
"""

import warnings
from pathlib import Path
from typing import Any

import h5py
import nir
import numpy as np
import pytest

from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.models import neuron_models
from spikelet.network.network import Network
from spikelet.nir import conventions
from spikelet.nir.convention import CURRENT_GAINS, DECAYS, GAINS, STARTS, STEPS, WRITTEN
from spikelet.nir.frameworks import FRAMEWORKS
from spikelet.nir.importer import load_network
from spikelet.nir.specification import FIELDS
from spikelet.runs.recorded import Recorded, compare_recorded
from spikelet.samples.samples import Samples
from tests.helpers.networks import affine, linear, sink, source, write

EXPORTED = Path(__file__).parents[1] / "fixtures" / "frameworks"
RECORDED = np.load(EXPORTED / "recorded.npz")

EXACT: dict[str, tuple[str, str | None]] = {
    "st_ff_learn": ("snntorch", None),
    "st_ff_zero": ("snntorch", "snntorch-zero"),
    "st_syn": ("snntorch", None),
    "no_lif": ("norse", None),
    "no_lif_sub": ("norse", "lif-subtract"),
    "no_lif_vleak": ("norse", None),
    "sj_if": ("spikingjelly", None),
    "sj_lif": ("spikingjelly", None),
    "sj_cuba": ("spikingjelly", None),
    "si_iaf_default": ("sinabs", None),
    "si_lif_single": ("sinabs", "lif-subtract-ge"),
    "rp_lif": ("rockpool", None),
    "sx_if": ("spyx", None),
    "sx_lif": ("spyx", None),
    "st_conv_nopool": ("snntorch", None),
    "sj_conv": ("spikingjelly", None),
}
"""Framework, and the neuron model where it is not the usual one."""


def samples_of(name: str, *, layers: bool = True) -> Samples:
    """Return input with what the framework of a network recorded on it."""
    expected = {"": RECORDED[f"{name}/expected"]}
    if layers:
        begin = f"{name}/layer_"
        expected |= {n.removeprefix(begin): RECORDED[n] for n in RECORDED if n.startswith(begin)}
    return Samples(RECORDED["spikes"], RECORDED["labels"], expected=expected)


def read(
    name: str, framework: str | None = None, neuron: str | None = None, **more: Any
) -> Network:
    return load_network(EXPORTED / f"{name}.nir", neuron, framework=framework, **more)


def held(name: str, *options: Any, **more: Any) -> Recorded:
    found = compare_recorded(read(name, *options, **more), samples_of(name))
    assert found is not None
    return found


@pytest.mark.parametrize("name", EXACT)
def test_every_spike_is_the_frameworks_own(name: str) -> None:
    found = held(name, *EXACT[name])
    assert found.all_equal and found.samples == len(RECORDED["spikes"]) == 40
    assert len(found.layers) == 3 and all(layer.recorded > 100 for layer in found.layers[:2])
    assert found.words.startswith("float network equals the recorded spikes in 40 of 40 samples (")


@pytest.mark.parametrize(
    ("name", "options", "fits"),
    [
        ("no_lif_sub", ("norse",), "--framework norse --neuron lif-subtract"),
        ("no_lif_vleak", ("nir", None, 1e-6), "--framework norse"),
        ("si_lif_single", ("nir", None, 1.0), "--framework sinabs --neuron lif-subtract-ge"),
        ("si_iaf_default", ("sinabs", "lif-subtract-ge"), "--framework sinabs"),
        ("sx_lif", ("nir", None, 1.0), "--framework spyx"),
        ("sx_if", ("norse",), "--framework spyx"),
        ("sj_if", ("nir",), "--framework spikingjelly"),
        ("st_ff_zero", ("snntorch",), "--framework snntorch --neuron snntorch-zero"),
    ],
)
def test_another_reading_is_seen_and_the_right_one_named(
    name: str, options: tuple[Any, ...], fits: str
) -> None:
    framework, neuron, dt = (*options, None, None)[:3]
    found = held(name, framework, neuron, dt=dt)
    assert found.equal < found.samples / 2 and found.tried >= 1
    assert fits in found.fitting and fits in found.difference


@pytest.mark.parametrize("name", ["si_iaf_default", "rp_lif"])
def test_several_spikes_a_tick_are_counted(name: str) -> None:
    framework = "sinabs" if name.startswith("si") else "rockpool"
    network = read(name, framework)
    assert network.origin is not None and not network.origin.approximate
    found = compare_recorded(network, samples_of(name))
    assert found is not None and found.all_equal and found.layers[0].further > 100
    once = read(name, framework, "lif-subtract-ge")
    assert once.origin is not None and not once.origin.approximate  # that was asked for
    found = compare_recorded(once, samples_of(name))
    assert found is not None and not found.all_equal


def test_a_reset_to_0_of_several_spikes_is_approximate() -> None:
    network = read("si_iaf_default", "sinabs", "lif-ge")
    assert network.origin is not None and "several times in a tick" in network.origin.approximate[0]


# What is recognised by its numbers


@pytest.mark.parametrize(
    ("name", "dt", "framework"),
    [
        ("sj_if", None, "spikingjelly"),
        ("sj_if", 1e-4, "spikingjelly"),
        ("sx_lif", 1.0, "spyx"),
        ("sx_lif", 1e-4, "spyx"),
        ("si_lif_single", 1.0, "sinabs"),
        ("si_lif_single", 1e-4, "sinabs"),
        ("rp_lif", 1e-3, "rockpool"),
        ("no_lif", 1e-3, "norse"),
        ("st_ff_zero", 1e-3, "snntorch"),
    ],
)
def test_numbers_of_another_framework_are_asked_about(
    name: str, dt: float | None, framework: str
) -> None:
    with pytest.raises(SpikeletError, match=rf"(?s)numbers as of .*--framework {framework}.*nir"):
        read(name, None, "nir-euler", dt=dt)
    with pytest.raises(
        SpikeletError, match=rf"(?s)not known.*numbers fit --framework .*{framework}"
    ):
        read(name, dt=dt)


def test_what_nobody_says_is_doubted() -> None:
    plain = read("no_lif", None, "nir-euler", dt=1e-6).origin
    assert plain is not None and len(plain.doubts) == 1 and "nothing says which" in plain.doubts[0]
    rest = read("no_lif_vleak", None, "nir-euler", dt=1e-6).origin
    assert rest is not None and "v_leak is not 0" in rest.doubts[1]
    said = read("no_lif_vleak", "norse").origin
    assert said is not None and not said.doubts and "reset_method (reset_value)" in said.unsaid


@pytest.mark.parametrize(
    ("name", "framework", "shown"),
    [
        ("sx_lif", "snntorch", "neuron 0 has r 0.9 where snnTorch 1.0 writes tau/dt = "),
        ("st_ff_zero", "sinabs", "tau is 0.001; sinabs 3.1 writes 0.1.."),
        ("sj_cuba", "sinabs", "sinabs 3.1 writes no CubaLIF nodes"),
        ("si_lif_single", "norse", "tau is 8.85759..9.95611; Norse 1.1 writes 0..0.001"),
        ("rp_lif", "spyx", "neuron 0 has r 9.048374 where Spyx 1.0 writes 1 - dt/tau = -99"),
    ],
)
def test_a_framework_that_did_not_write_the_file(name: str, framework: str, shown: str) -> None:
    with pytest.raises(SpikeletError, match="--framework says") as info:
        read(name, framework)
    assert shown in info.value.args[0], info.value


def test_a_model_that_the_framework_does_not_have(tmp_path: Path) -> None:
    with pytest.raises(SpikeletError, match="says norse, whose neurons are not of model snntorch"):
        read("no_lif", "norse", "snntorch-zero")
    with pytest.raises(SpikeletError, match="Norse 1.1 has no CubaLIF with reset 'subtract'"):
        load_network(
            one(tmp_path, cuba(tau_syn=5e-6, tau_mem=1e-5)), "lif-subtract", framework="norse"
        )
    with pytest.raises(SpikeletError, match="--framework must be one of snntorch, norse, sinabs"):
        read("no_lif", "nest")


def one(folder: Path, node: Any, **metadata: Any) -> Path:
    """Write 3 inputs, weights, 2 neurons."""
    nodes = {"in": source(3), "fc": affine(2, 3, 1), "l": node, "out": sink(2)}
    return write(folder / "net.nir", nodes, **metadata)


def cuba(**fields: Any) -> Any:
    values = {"tau_syn": 2e-3, "tau_mem": 1e-2, "r": 1.0, "v_leak": 0.0, "v_threshold": 1.0}
    values |= {"v_reset": 0.0, "w_in": 1.0, **fields}
    return nir.CubaLIF(**{k: np.broadcast_to(v, (2,)).astype(float) for k, v in values.items()})


# What a kind of node means


def test_a_synaptic_current_by_forward_euler(tmp_path: Path) -> None:
    node = cuba(r=3.0, w_in=[2.0, 4.0], v_leak=0.5, v_reset=-0.25)
    path = one(tmp_path, node)
    (layer,) = (network := load_network(path, framework="nir", dt=1e-3)).populations
    assert layer.neuron.name == "cuba-lif"
    gain = np.array([1.0, 2.0]) * 0.3  # w_in dt/tau_syn, r dt/tau_mem
    fc = affine(2, 3, 1)
    np.testing.assert_allclose(network.projections[0].weights, fc.weight.T * gain)
    found = layer.parameters
    np.testing.assert_allclose(found["decay"], 0.9)
    np.testing.assert_allclose(found["decay_i"], 0.5)
    np.testing.assert_allclose(found["bias_i"], fc.bias * gain)
    np.testing.assert_allclose(found["bias"], 0.05)
    np.testing.assert_allclose(found["reset_potential"], -0.25)


@pytest.mark.parametrize("beta", [1.0, 1.25, np.nextafter(np.float32(1), 2)])
def test_a_beta_that_snntorch_clamps(tmp_path: Path, beta: float) -> None:
    """Above 1 its exporter writes a tau below 0, at 1 none that ends: a neuron without a leak."""
    with np.errstate(divide="ignore"):
        tau = np.array([np.float32(1e-4) / (np.float32(1) - np.float32(beta)), 1e-3], np.float32)
    node = nir.LIF(tau, tau / np.float32(1e-4), 0 * np.ones(2), np.ones(2))
    path = one(tmp_path, node)
    found = load_network(path, framework="snntorch").populations[0].parameters
    np.testing.assert_allclose(found["decay"], [1, 0.9])
    with pytest.raises(SpikeletError):
        load_network(path, framework="nir", dt=1e-4)


def test_potentials_are_counted_from_where_they_start(tmp_path: Path) -> None:
    """SpikingJelly's start at v_reset, to which they also decay."""
    node = nir.LIF(*(np.full(2, x) for x in (2e-4, 1.0, -0.5, 1.0, -0.5)))
    found = load_network(one(tmp_path, node), framework="spikingjelly").populations[0].parameters
    np.testing.assert_allclose(found["threshold"], 1.5)
    np.testing.assert_allclose(found["reset_potential"], 0)
    np.testing.assert_allclose(found["bias"], affine(2, 3, 1).bias * 0.5)
    node = nir.LIF(*(np.full(2, x) for x in (1e-5, 1.0, 0.5, 1.0, 0.0)))
    with pytest.raises(SpikeletError, match=r"start at 0\.5, which neuron model lif-subtract"):
        load_network(one(tmp_path, node), "lif-subtract", framework="norse")
    node = nir.LIF(*(np.full(2, x) for x in (1e-5, 1.0, 1.5, 1.0, 0.0)))
    with pytest.raises(SpikeletError, match=r"v_threshold must be above the start .* 1\.5"):
        load_network(one(tmp_path, node), framework="norse")


def test_a_threshold_of_zero(tmp_path: Path) -> None:
    node = nir.IF(np.ones(2), np.array([0.0, 1.0]))
    with pytest.raises(SpikeletError, match="v_threshold must be above 0, found 0(?s:.*)silent at"):
        load_network(one(tmp_path, node), framework="spyx")


# What metadata say


@pytest.mark.parametrize(
    ("metadata", "model"),
    [
        ({"simulator": "snntorch 1.0"}, "snntorch-subtract"),
        ({"simulator": "snntorch", "reset_mechanism": "none"}, "snntorch-none"),
        ({"simulator": "snntorch", "reset_mechanism": "zero"}, "snntorch-zero"),
        ({"simulator": "Sinabs 3", "reset_mechanism": "subtract"}, "lif-multispike"),
        ({"simulator": "norse", "reset_mechanism": "zero"}, "nir-euler"),
        ({"simulator": "sinabs", "reset_mechanism": "value"}, "lif-ge"),
    ],
)
def test_the_framework_and_reset_of_the_metadata(
    tmp_path: Path, metadata: dict[str, str], model: str
) -> None:
    path = one(tmp_path, nir.IF(np.ones(2), np.ones(2)), **metadata)
    network = load_network(path)
    assert network.populations[0].neuron.name == model
    assert network.origin is not None and "metadata 'simulator'" in network.origin.reading[0]


@pytest.mark.parametrize(
    ("metadata", "options", "words"),
    [
        (
            {"simulator": "norse"},
            {"framework": "sinabs"},
            "says simulator 'norse', but --framework",
        ),
        ({"simulator": "spyx", "reset_mechanism": "zero"}, {}, "'zero', which Spyx 1.0 does not"),
        (
            {"simulator": "snntorch", "reset_delay": False},
            {},
            "says reset_delay False, but that of",
        ),
        ({"inhibition": True}, {"framework": "snntorch"}, "inhibition True, which a chip does not"),
        ({"graded_spikes_factor": 2.0}, {"framework": "snntorch"}, "graded_spikes_factor 2.0"),
    ],
)
def test_metadata_that_cannot_be_so(
    tmp_path: Path, metadata: dict[str, Any], options: dict[str, Any], words: str
) -> None:
    path = one(tmp_path, nir.IF(np.ones(2), np.ones(2)), **metadata)
    with pytest.raises(SpikeletError) as info:
        load_network(path, **options)
    assert words in info.value.args[0] and info.value.remedy


def test_metadata_that_are_not_read_are_said(tmp_path: Path) -> None:
    node = nir.IF(np.ones(2), np.ones(2), metadata={"delay": 3})
    origin = load_network(one(tmp_path, node, author="me"), framework="nir").origin
    assert origin is not None and "metadata not read: author, delay of l" in origin.reading


# Files that are not finished, or say more than NIR


@pytest.mark.parametrize(
    ("name", "node", "remedy"),
    [
        ("no_lif_default", "'1'", "r, tau, v_leak, v_threshold) are scalars"),
        ("si_conv", "'0'", "graph.nodes['0'].input_shape = (rows, columns)"),
    ],
)
def test_a_file_that_its_exporter_left_unfinished(name: str, node: str, remedy: str) -> None:
    with pytest.raises(SpikeletError, match=f"broken off at node {node}") as info:
        read(name, "norse")
    assert remedy in str(info.value)


ODD = {
    "empty": np.zeros(0),
    "of another size": np.ones(3),
    "a text": "fast",
    "complex": np.array([1j, 2]),
    "NaN": np.full(2, np.nan),
    "infinite": np.full(2, np.inf),
    "zero": np.zeros(2),
    "negative": -np.ones(2),
    "huge": np.full(2, 1e300),
    "a matrix": np.ones((2, 3)),
    "missing": None,
}


READ_BY: tuple[dict[str, Any], ...] = (
    *({"framework": name} for name in ("snntorch", "norse", "spyx", "rockpool")),
    *({"neuron": name, "dt": 1e-3} for name in ("nir-euler", "snntorch-subtract")),
)


@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize("kind", ["LIF", "CubaLIF"])
def test_odd_fields_are_read_or_refused(kind: str, value: str, tmp_path: Path) -> None:
    """By a convention or none: a network, or an error."""
    usual = {"LIF": nir.LIF(*(np.full(2, x) for x in (1e-2, 1.0, 0.0, 1.0, 0.0)))}
    usual |= {"CubaLIF": cuba()}
    refused = 0
    for field in FIELDS[kind]:
        path = one(tmp_path, usual[kind])
        with h5py.File(path, "a") as file:
            del file[f"node/nodes/l/{field}"]
            if value != "missing":
                file[f"node/nodes/l/{field}"] = ODD[value]
        for options in READ_BY:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    load_network(path, **options)
                except SpikeletError as error:
                    assert error.remedy, error
                    refused += 1
    assert refused > 5


# Conventions are data


def test_every_file_of_the_folder_is_in_the_table() -> None:
    files = {
        p.stem for p in Path(str(conventions.__file__).replace("__init__.py", "")).glob("*.py")
    }
    assert {name.partition("-")[0] for name in FRAMEWORKS} == files - {"__init__"}


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_a_convention_names_what_is_there(name: str) -> None:
    convention = FRAMEWORKS[name]
    assert convention.name == name and convention.title and convention.source
    assert convention.step in STEPS and set(convention.rules) <= {"LIF", "IF", "CubaLIF"}
    for kind, rule in convention.rules.items():
        models = [*rule.models.values(), *rule.recurrent.values()]
        assert convention.reset in rule.models and set(models) <= set(neuron_models())
        assert rule.decay in DECAYS if kind != "IF" else rule.decay == ""
        assert rule.gain in GAINS and rule.start in STARTS
        assert {*rule.r, *rule.w_in} <= set(WRITTEN) and (rule.r or name == "nir")
        assert rule.current_gain in CURRENT_GAINS if kind == "CubaLIF" else not rule.current_gain


def test_the_fields_of_nir_are_those_of_nir() -> None:
    for kind, fields in FIELDS.items():
        own = set(getattr(nir, kind).__dataclass_fields__) - {"metadata"}
        ports = {"input_type", "output_type"}
        assert own - ports == set(fields) - ports - {"shape"}, kind


def test_a_field_that_nir_does_not_have(tmp_path: Path) -> None:
    path = write(
        tmp_path / "net.nir",
        {"in": source(3), "fc": linear(2, 3), "l": nir.IF(np.ones(2), np.ones(2)), "out": sink(2)},
    )
    with h5py.File(path, "a") as file:
        file["node/nodes/l/refractory"] = np.ones(2)
    with pytest.raises(SpikeletError, match="'l' .*field refractory is none of NIR's IF nodes"):
        load_network(path, "nir-euler")
