"""``spikelet virtual-board``: a board in simulation that other programs find at a terminal."""

import os
import re
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import spikelet
from spikelet.cli import main
from spikelet.description.errors import SpikeletError
from spikelet.project import Project
from spikelet.sim.pseudo_terminal import PseudoTerminal
from tests.helpers.networks import lif, linear, sink, source, write


def invoke(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    return result.exit_code, result.output


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compile a network of 8 to 4 neurons, and write samples beside it."""
    here = tmp_path_factory.mktemp("virtual_board")
    nodes = {"in": source(8), "fc": linear(4, 8), "out": lif(4), "end": sink(4)}
    network = write(here / "network.nir", nodes)
    compiled = spikelet.compile(network, "snntorch-zero", 1e-3)
    Project(here / "project").save(compiled, network=network)
    spikes = np.random.default_rng(1).random((3, 6, 8)) < 0.6
    np.savez(here / "samples.npz", spikes=spikes, labels=np.zeros(3, np.int64))
    return here


BACKGROUND = ["sh", "-c", 'trap "" INT; exec "$@"', "sh"]
"""Begins a command as a script does that does not wait for it."""


@pytest.mark.slow
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_another_program_runs_samples_on_it(folder: Path, ending: signal.Signals) -> None:
    project, samples = folder / "project", folder / "samples.npz"
    command = [
        *BACKGROUND,
        sys.executable,
        "-m",
        "spikelet",
        "virtual-board",
        project,
        "icebreaker",
    ]
    faults = ["--baud", "2000000", "--offset", "-0.02", "--damage", "0.0005", "--seed", "3"]
    with (
        subprocess.Popen([*command, *faults], stdout=subprocess.PIPE, text=True) as server,
        ExitStack() as at_the_end,
    ):
        at_the_end.callback(server.kill)  # else a failure here waits for it
        assert server.stdout
        lines = []
        for line in server.stdout:
            lines.append(line)
            if found := re.match(r"iCEBreaker is at (\S+), 2,000,000 baud", line):
                break
        assert found, lines
        port = ("--port", found[1], "--baud", 2_000_000)
        for _ in range(2):
            code, output = invoke("run", project, samples, "--engine", "board", *port)
            assert code == 0, output
        server.send_signal(ending)
        rest = server.stdout.read()
        assert server.wait(30) == 0
    assert "LEDs 0 to 6: " in rest
    assert re.search(r"bytes to the board, .* clock cycles, .* of the board's speed", rest)
    chosen = np.load(samples)["spikes"]
    golden = spikelet.run(Project(project).load(), chosen).recording
    kept = spikelet.Recording.load(project / "runs" / "board" / "recording.npz")
    assert kept.first_difference(golden) is None


@pytest.mark.parametrize(
    ("arguments", "message", "remedy"),
    [
        (("nowhere",), "board must be one of", "choose one of these boards"),
        (
            ("iCEBreaker", "--baud", 3_000_000),
            "12000000 Hz cannot be divided to 3000000 baud within 1 %",
            "the nearest rate that can be had is 2400000 baud",
        ),
        (("iCEBreaker", "--offset", 0.06), "offset must be in -0.05..0.05, not 0.06", ""),
        (("iCEBreaker", "--damage", 1), "damage must be in 0..1, without 1, not 1.0", ""),
    ],
)
def test_what_cannot_be_is_named(
    folder: Path, arguments: tuple[object, ...], message: str, remedy: str
) -> None:
    code, output = invoke("virtual-board", folder / "project", *arguments)
    assert code != 0
    assert message in output
    assert remedy in output


def test_a_system_without_pseudo_terminals_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tty", None)
    with pytest.raises(SpikeletError, match=r"has no pseudo-terminals") as raised:
        PseudoTerminal()
    assert "subsystem for Linux" in raised.value.remedy


def test_a_system_that_has_none_left_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left() -> tuple[int, int]:
        raise OSError("out of pty devices")

    monkeypatch.setattr(os, "openpty", none_left)
    with pytest.raises(SpikeletError, match=r"no pseudo-terminal can be opened: out of pty"):
        PseudoTerminal()


def test_what_nobody_reads_is_lost_and_counted() -> None:
    terminal = PseudoTerminal()
    lost = sum(terminal.write(bytes(1000)) for _ in range(200))
    assert 0 < lost < 200_000
    assert terminal.read(10) == b""
    terminal.close()
