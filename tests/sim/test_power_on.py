"""Registers and memories random at power-on: reset and what is loaded are all that a chip needs."""

import re

import numpy as np
import pytest

from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.memory_map import ChipMap
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.model import NeuronModel
from spikelet.description.neurons.models import neuron_model
from spikelet.description.run.events import Events
from spikelet.golden.chip import GoldenChip
from spikelet.rtl_gen.emit import to_verilog
from spikelet.rtl_gen.joined_chips import whole_chip
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.verilated_link import VerilatedLink
from spikelet.sim.verilator import Design
from tests.helpers.random_chips import random_chip, random_events, random_image, spiking
from tests.helpers.random_plastic import random_plastic_chip, random_plastic_image, random_reward

POWER_ON = (1, 2, 77)
"""Seeds of what registers and memories hold at power-on."""

PLASTIC = (1008, 1012)
FIXED = (1, 2)
RECORD = ("spikes", "states", "learning", "checksums")


def _slow(seed: int) -> object:
    return pytest.param(seed, marks=pytest.mark.slow)


def _plastic(seed: int) -> tuple[ChipParams, ChipImage, Events]:
    rng = np.random.default_rng(seed)

    def draw() -> tuple[ChipParams, ChipImage, Events]:
        chip = random_plastic_chip(rng)
        return chip, random_plastic_image(rng, chip), random_events(rng, chip)

    return spiking(draw)


def _fixed(seed: int, model: NeuronModel | None = None) -> tuple[ChipParams, ChipImage, Events]:
    rng = np.random.default_rng(seed)

    def draw() -> tuple[ChipParams, ChipImage, Events]:
        chip = random_chip(rng, model=model)
        return chip, random_image(rng, chip), random_events(rng, chip)

    return spiking(draw)


def _check(chip: ChipParams, image: ChipImage, events: Events, verilog: str) -> None:
    """Compare the first run after each power-on with golden's."""
    rng = np.random.default_rng(5)
    rewarded = any(core.learning for core in chip.cores)
    reward = random_reward(rng, chip, events.samples, events.ticks) if rewarded else None
    record = RECORD if rewarded else RECORD[:2]
    expected = GoldenChip(chip, image).run(events, record=record, reward=reward)
    for seed in POWER_ON:
        engine = VerilatedChip(chip, Design(verilog), optimise="build", power_on_seed=seed)
        with engine:
            engine.load(image)
            got = engine.run(events, record=record, reward=reward, cycle_limit=20_000)
        difference = got.first_difference(expected)
        assert difference is None, f"power-on {seed}: {difference}"


def _verilog(chip: ChipParams) -> str:
    text = to_verilog(whole_chip(chip), "chip", initial_values=False)
    assert "initial" not in text and not re.search(r"^ *(output )?reg [^=;]* = ", text, re.M)
    return text


@pytest.mark.parametrize("seed", [PLASTIC[0], *map(_slow, PLASTIC[1:])])
def test_a_learning_chip_does_what_golden_does_after_any_power_on(seed: int) -> None:
    chip, image, events = _plastic(seed)
    _check(chip, image, events, _verilog(chip))


@pytest.mark.slow
@pytest.mark.parametrize("seed", FIXED)
def test_several_cores_do_what_golden_does_after_any_power_on(seed: int) -> None:
    chip, image, events = _fixed(seed)
    assert len(chip.cores) > 1
    _check(chip, image, events, _verilog(chip))


def test_power_on_is_random_and_repeatable() -> None:
    """What nothing has written reads as other words after another power-on."""
    chip = _plastic(PLASTIC[0])[0]
    design = Design(_verilog(chip))
    addresses = ChipMap(chip).address(0, "weights", np.arange(40))
    found = {}
    for place, seed in enumerate((1, 1, 2)):
        with VerilatedChip(chip, design, optimise="build", power_on_seed=seed) as engine:
            found[place] = engine.read(addresses)
    assert (found[0] == found[1]).all()
    assert (found[0] != found[2]).any()


@pytest.mark.slow
def test_a_register_without_its_reset_is_found() -> None:
    chip, image, events = _plastic(PLASTIC[0])
    text = _without_reset(_verilog(chip), "chip.tick_control", "fsm_state")
    with pytest.raises((AssertionError, SpikeletError), match=r"power-on|does not answer|cycles"):
        _check(chip, image, events, text)


def test_a_table_and_what_neurons_draw_need_no_initial_values() -> None:
    chip, image, events = _fixed(2, neuron_model("probabilistic"))
    assert "initial" in to_verilog(whole_chip(chip), "chip")
    _check(chip, image, events, _verilog(chip))


@pytest.mark.parametrize("seed", [0, -1, 1 << 31])
def test_a_seed_out_of_range_is_refused(seed: int) -> None:
    with pytest.raises(
        SpikeletError, match=rf"^power_on_seed must be in 1\.\.2147483647, not {seed}$"
    ):
        VerilatedLink(Design("module chip; endmodule"), power_on_seed=seed)


def _without_reset(verilog: str, module: str, register: str) -> str:
    """Return the Verilog with a register that keeps what it had at power-on."""
    begin = verilog.index(f"module \\{module} (")
    end = verilog.index("endmodule", begin)
    body = verilog[begin:end]
    following = re.search(rf"^    {register} <= (\S+) ;$", body, re.M)
    assert following is not None
    reset = rf"^  assign {re.escape(following[1])}  = rst \? \S+ : "
    changed, count = re.subn(
        reset, f"  assign {following[1]}  = ".replace("\\", r"\\"), body, flags=re.M
    )
    assert count == 1
    return verilog[:begin] + changed + verilog[end:]
