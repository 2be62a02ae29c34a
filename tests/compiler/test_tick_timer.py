"""Networks whose chips are compiled without the timer by which ticks begin by themselves."""

from pathlib import Path

import numpy as np
import pytest

from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.chip.memory_map import (
    CHIP_REGISTERS,
    TIMER_REGISTERS,
    chip_registers,
    describe,
    register_number,
)
from spikelet.description.errors import SpikeletError
from spikelet.network.toml_file import load_toml
from spikelet.runs.run import run
from tests.compiler.test_sparse_synapses import network_of

NETWORK = """
outputs = ["cells"]
[inputs.axons]
size = 4
[populations.cells]
size = 4
neuron = "snntorch-zero"
threshold = 4
[[projections]]
source = "axons"
target = "cells"
weights = [-8, 7]
[chip]
tick_timer = %s
"""


def test_the_timer_is_left_out_where_limits_say_so(tmp_path: Path) -> None:
    network = network_of(1.0, (40, 24, 8))
    usual = compile_network(network)
    lean = compile_network(network, limits={"tick_timer": False})
    assert usual.chip.tick_timer
    assert not lean.chip.tick_timer
    assert "tick_timer" not in usual.chip.to_dict(), "digests of chips that have one are as before"
    assert lean.chip.digest != usual.chip.digest
    lean.save(tmp_path / "saved")
    assert not CompiledNetwork.load(tmp_path / "saved").limits.tick_timer
    assert CompiledNetwork.load(tmp_path / "saved").chip == lean.chip

    spikes = np.random.default_rng(3).random((1, 6, 40)) < 0.5
    wanted, found = (run(compiled, spikes) for compiled in (usual, lean))
    assert found.output_counts().any()
    assert (found.output_counts() == wanted.output_counts()).all()


def test_other_registers_keep_their_addresses() -> None:
    lean = compile_network(network_of(1.0, (40, 24, 8)), limits={"tick_timer": False}).chip
    names = chip_registers(lean)
    assert set(CHIP_REGISTERS) - set(names) == set(TIMER_REGISTERS)
    numbers = {name: CHIP_REGISTERS.index(name) for name in names}
    assert describe(lean)["chip_registers"] == numbers
    for name in TIMER_REGISTERS:
        with pytest.raises(
            SpikeletError, match=f"(?s)^the chip has no register {name!r}, .*: .* --tick-timer"
        ) as error:
            register_number(lean, name)
        assert "dropped_packets" in str(error.value)


def test_files_say_so_and_a_value_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "network.toml"
    path.write_text(NETWORK % "false")
    assert not load_toml(path).limits.tick_timer
    path.write_text(NETWORK % "0")
    with pytest.raises(SpikeletError, match="tick_timer must be true or false, not 0"):
        load_toml(path)
