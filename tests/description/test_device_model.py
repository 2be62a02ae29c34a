"""Measured devices: from two curves to steps by level; files, and what is wrong in them."""

import numpy as np
import pytest
from click.testing import CliRunner

from spikelet.cli import main
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.device_model import DeviceModel, device_model, device_models
from spikelet.golden.devices import programmed

LINE = {
    "name": "line",
    "title": "t",
    "source": "s",
    "potentiation": (0, 5, 10),
    "depression": (3, 1),
}


def model(**changes):
    return DeviceModel(**{**LINE, **changes})


def test_steps_are_those_of_the_curves():
    devices = model(noise=0.1, on_off=5.0).devices(2, levels=5, write_bits=3)
    assert devices.up == (32, 32, 32, 16, 0)  # half the range, as far as it goes
    assert devices.down == (0, 16, 32, 48, 64)
    assert (devices.noise, devices.off, devices.bits, devices.write_bits) == (6, 1, 3, 3)
    assert (devices.w_min, devices.w_max, devices.name) == (2, 10, "line")
    curved = model(potentiation=(0, 3, 4, 4)).devices(1, levels=5)
    assert curved.up == (48, 37, 27, 16, 0)
    fine = model(potentiation=tuple(range(41))).devices(1, levels=5, pulses=10)
    assert fine.up == (16,) * 4 + (0,)


def test_the_models_that_are_there():
    assert {"cbram", "mtj", "pcm", "rram"} <= set(device_models())
    for found in device_models().values():
        devices = found.devices(7)
        assert devices.levels == 16 and len(found.source) > 40
        assert all(a >= b for a, b in zip(devices.up, devices.up[1:], strict=False))
    assert device_model("pcm").devices(1).down == tuple(range(0, 256, 16))  # RESET is abrupt


@pytest.mark.parametrize(("name", "chances", "off"), [("cbram", 4, 0), ("mtj", 2, 1)])
def test_binary_devices_switch_by_chance(name, chances, off):
    devices = device_model(name).devices(1, levels=2)
    assert (devices.up, devices.down) == ((chances, 0), (0, chances)) and devices.off == off
    draws = np.arange(1 << 16)
    for pulse in (1, -1):
        level = np.full(1 << 16, pulse < 0)
        now = programmed(devices, np.full(1 << 16, pulse), level.astype(np.int64), draws)
        assert (now != level).mean() == chances / 16


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"potentiation": (0, 5, 4, 9)}, "potentiation must be monotone, .* pulse 2 .* 5 to 4"),
        ({"depression": (3, 2, 2.5)}, "depression must be monotone, .* pulse 2 .* 2 to 2.5"),
        ({"potentiation": (1, 1)}, "potentiation must change, but is 1 throughout"),
        ({"potentiation": (1,)}, "must be 2 or more conductances"),
        ({"depression": ("x", 1)}, "depression must be a number in 0.."),
        ({"on_off": 0.5}, "on_off must be a number in 1.01"),
        ({"noise": 2}, "noise must be a number in 0..1, not 2"),
        ({"variation": 0.7}, "variation must be a number in 0..0.5, not 0.7"),
        ({"title": 3}, "title must be text, not 3"),
    ],
)
def test_what_a_model_cannot_be(changes, message):
    with pytest.raises(SpikeletError, match=message):
        model(**changes)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"levels": 1}, "levels must be an int in 2..256, not 1"),
        ({"pulses": 0}, "pulses must be an int in 1..1000, not 0"),
        ({"levels": 32, "bits": 4}, "a step for each of 32 levels, but 4 bits hold 2 to 16"),
    ],
)
def test_what_cannot_be_built_of_a_model(options, message):
    with pytest.raises(SpikeletError, match=message):
        model().devices(1, **options)
    with pytest.raises(SpikeletError, match="moves a device of 2 levels by less than 1/32"):
        model(potentiation=tuple(range(101))).devices(1, levels=2)


def test_files(tmp_path):
    file = tmp_path / "mine.toml"
    text = 'name="m"\ntitle="t"\nsource="s"\npotentiation=[0, 1]\ndepression=[1, 0]\n'
    file.write_text(text)
    assert device_model(file) == device_model(str(file))
    for wrong, message in (
        (text + "nois = 3", "mine.toml: unknown key 'nois'; valid keys are name, title"),
        (text.replace('name="m"', ""), "mine.toml: key 'name' is missing"),
        (
            text.replace("[0, 1]", "[1, 0]"),
            "mine.toml: device model 'm': potentiation must be mono",
        ),
        ("name = ", "mine.toml: Invalid value"),
    ):
        file.write_text(wrong)
        with pytest.raises(SpikeletError, match=message):
            device_model(str(file))
    with pytest.raises(SpikeletError, match="there is no device model 'pmc'") as caught:
        device_model("pmc")
    assert "pcm, rram" in caught.value.remedy
    with pytest.raises(SpikeletError, match="none.toml cannot be read"):
        device_model("none.toml")


def test_the_command_lists_and_shows():
    listed = CliRunner().invoke(main, ["memristors", "--json"])
    assert listed.exit_code == 0 and '"pcm"' in listed.output
    shown = CliRunner().invoke(main, ["memristors", "pcm", "--levels", "4", "--count", "7"])
    assert shown.exit_code == 0 and "weights 0 to 21" in shown.output
    refused = CliRunner().invoke(main, ["memristors", "pcm", "--levels", "300"])
    assert refused.exit_code and "levels must be an int in 2..256, not 300" in refused.output
