"""The Verilog of a chip in every simulator and mode, by the testbench that ships beside it."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.chip.destinations import HOST
from spikelet.description.chip.image import ChipImage
from spikelet.description.errors import SpikeletError
from spikelet.description.run.recorded_run import RecordedRun
from spikelet.golden.chip import run as run_golden
from spikelet.rtl_gen.emit import to_verilog, write_chip
from spikelet.rtl_gen.joined_chips import whole_chip
from tests.helpers.emitted import (
    ICARUS,
    Finished,
    recorded,
    run_testbench,
    small_network,
    with_output,
)
from tests.helpers.random_chips import random_chip


@pytest.fixture(scope="module")
def compiled() -> CompiledNetwork:
    """Return a small network."""
    return small_network()


@pytest.fixture(scope="module")
def folder(compiled, tmp_path_factory) -> Path:
    """Write the chip's files."""
    made: Path = tmp_path_factory.mktemp("emitted") / "rtl"
    write_chip(compiled.chip, compiled.image, "small", made, run=recorded(compiled))
    return made


def replay(folder: Path, work: Path, simulator: str = "icarus-2012", verilog: str = "") -> Finished:
    """Run the testbench, on other Verilog if some is given."""
    chip = folder / "chip.v"
    if verilog:
        chip = work / "chip.v"
        work.mkdir(exist_ok=True)
        chip.write_text(verilog)
    return run_testbench(
        simulator, [chip, folder / "testbench.v"], "chip_testbench", work / "built", folder
    )


@pytest.mark.parametrize(
    ("simulator", "initial_values"),
    [
        *((name, value) for name in ICARUS for value in (True, False)),
        # with Verilator, every register and memory begins with a random value
        *(pytest.param("verilator", value, marks=pytest.mark.slow) for value in (False, True)),
    ],
)
def test_the_chip_passes(simulator, initial_values, folder, compiled, tmp_path):
    """As emitted, and with what a reset must do alone; all values of the run are compared."""
    chip = whole_chip(compiled.chip)
    done = replay(
        folder, tmp_path, simulator, to_verilog(chip, "chip", initial_values=initial_values)
    )
    run = RecordedRun.load(folder)
    assert run.output_spikes > 0
    assert done.status == 0, done.output
    assert f"PASS: {run.samples} samples of {run.ticks} ticks, {run.values} values" in done.output
    assert f"{run.output_spikes} output spikes" in done.output


@pytest.mark.parametrize("seed", [1])
def test_nothing_waits_for_an_event_at_time_0(seed):
    """Combinational logic is continuous assignments, in chips of every kind."""
    verilog = to_verilog(whole_chip(random_chip(np.random.default_rng(seed))), "chip")
    assert not re.search(r"always\s*@\s*\(?\s*\*", verilog)
    assert set(re.findall(r"always[^\n;]*?(?=\n| begin)", verilog)) == {"always @(posedge clk)"}
    assert not re.search(r"function [^;]*\$", verilog)


def test_emission_is_the_same_every_time(compiled, folder, tmp_path):
    write_chip(compiled.chip, compiled.image, "small", tmp_path, run=recorded(compiled))
    for path in folder.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name


def changed(compiled: CompiledNetwork, folder: Path, image: ChipImage, work: Path) -> Finished:
    """Load other contents than those that golden ran, and replay its run."""
    run = replace(recorded(compiled), program=image.program(compiled.chip))
    write_chip(compiled.chip, compiled.image, "small", work / "rtl", run=run)
    return replay(work / "rtl", work)


def core_changed(compiled: CompiledNetwork, core: int, **fields: object) -> ChipImage:
    """Return the image with other contents of one core."""
    cores = list(compiled.image.cores)
    cores[core] = replace(cores[core], **fields)
    return ChipImage(tuple(cores))


def test_a_wrong_weight_fails(compiled, folder, tmp_path):
    weights = compiled.image.cores[0].weights.copy()
    used = np.flatnonzero(recorded(compiled).flits)
    assert used.size
    weights[0, 0] ^= 1
    done = changed(compiled, folder, core_changed(compiled, 0, weights=weights), tmp_path)
    assert done.status != 0 and re.search(r"FAIL: address \w+ at sample 0, tick \d", done.output)
    assert "PASS" not in done.output


def test_a_missing_output_spike_fails(compiled, folder, tmp_path):
    events = compiled.events(np.ones((1, 4, 6), np.uint8))
    assert run_golden(compiled.chip, compiled.image, events).outputs.any()
    last = next(
        i for i, c in enumerate(compiled.image.cores) if (c.destinations[:, 1] == HOST).any()
    )
    table = compiled.image.cores[last].destinations
    image = core_changed(compiled, last, destinations=table[table[:, 1] != HOST])
    done = changed(compiled, folder, image, tmp_path)
    assert done.status != 0
    assert re.search(r"FAIL: spikes of output \d at .*: expected \d+, got 0", done.output)


@pytest.mark.parametrize(
    ("port", "value", "message"),
    [
        ("busy", "1'b1", "hangs at sample 0, tick 0"),
        ("busy", "1'bx", "hangs at sample 0, tick 0: nothing for"),
        ("config_request__ready", "1'bx", "hangs"),
        ("event_out__valid", "1'bx", "a spike of no output"),
        ("config_response__payload", "32'hx", "FAIL: address"),
        ("config_response__valid", "1'b0", "hangs"),
    ],
)
def test_a_hang_and_an_unknown_value_fail(port, value, message, folder, tmp_path):
    verilog = (folder / "chip.v").read_text()
    broken = with_output(verilog, port, value)
    done = replay(folder, tmp_path, verilog=broken)
    assert done.status != 0 and message in done.output, done.output
    assert "PASS" not in done.output


@pytest.mark.parametrize("name", ["program", "recorded_events", "recorded_expected"])
def test_a_cut_file_fails(name, folder, compiled, tmp_path):
    """In the testbench, and where Python reads the run."""
    write_chip(compiled.chip, compiled.image, "small", tmp_path, run=recorded(compiled))
    path = tmp_path / f"{name}.hex"
    path.write_text(path.read_text()[: path.stat().st_size // 2])
    done = replay(tmp_path, tmp_path / "work")
    assert done.status != 0 and "missing, cut short or of another run" in done.output
    with pytest.raises(SpikeletError, match="cut short, changed, or of another run"):
        RecordedRun.load(tmp_path)


def test_a_run_is_read_as_it_was_written(folder, compiled):
    run, read = recorded(compiled), RecordedRun.load(folder)
    for name, value in vars(run).items():
        assert np.array_equal(getattr(read, name), value), name
