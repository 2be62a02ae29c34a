"""The command line's odd values, full disks, and errors that nobody thought of."""

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from spikelet.cli import main
from spikelet.description.errors import SpikeletError
from spikelet.description.run.recording import AtomicFile
from spikelet.locked import LOCK
from tests.helpers.networks import affine, lif, sink, source, write


def invoke(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)
    return result.exit_code, result.output


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compile a small network into ``b``; ``s.npz`` has samples."""
    made = tmp_path_factory.mktemp("values")
    nodes = {"in": source(4), "fc": affine(3, 4, 1), "a": lif(3), "out": sink(3)}
    write(made / "n.nir", nodes)
    spikes = np.random.default_rng(0).random((3, 6, 4)) < 0.5
    np.savez(made / "s.npz", spikes=spikes, labels=np.arange(3))
    assert invoke("compile", made / "n.nir", "-o", made / "b", *NEURON)[0] == 0
    return made


NEURON = ("--neuron", "nir-euler", "--dt", "1e-3")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("run b s.npz --count 0", "0 is not in the range x>=1"),
        ("run b s.npz --count -3", "-3 is not in the range x>=1"),
        ("run b s.npz --count 1.5", "'1.5' is not a valid integer"),
        ("verify b s.npz --count 0", "0 is not in the range x>=1"),
        ("verify b s.npz --netlist-samples 0", "0 is not in the range x>=1"),
        ("verify b s.npz --level board", "compares a board's build, and no board is named"),
        ("verify b s.npz --level board --board Nexys", "board must be one of"),
        ("verify b s.npz --level silicon", "'silicon' is not one of 'rtl', 'board', 'netlist'"),
        ("build b iCEBreaker --samples s.npz --seeds 0", "0 is not in the range x>=1"),
        ("build b iCEBreaker --samples s.npz --sample -1", "-1 is not in the range x>=0"),
        ("build b iCEBreaker --samples s.npz --sample 99", "sample must be in 0..2, not 99"),
        ("report b --sample -1", "-1 is not in the range x>=0"),
        ("compile n.nir -o c --placement-seed -1", "-1 is not in the range x>=0"),
        ("compile n.nir -o c --lanes 12", "lanes must be a power of two, not 12"),
        ("compile n.nir -o c --lanes 0", "0 is not in the range x>=1"),
        ("compile n.nir -o c --pipelines 64", "pipelines must be an int in 1..16, not 64"),
        ("compile n.nir -o c --max-neurons 0", "0 is not in the range x>=1"),
        ("compile n.nir -o c --max-neurons 5000", "max_neurons must be an int in 1..4096"),
        ("compile n.nir -o c --weight-bits 0", "weight_bits must be in 1..8, found 0"),
        ("compile n.nir -o c --weight-bits few", "--weight-bits must be a number of bits, or"),
        ("compile n.nir -o c --weight-bits z=4", "weight_bits are given for 'z', which is no"),
        ("compile n.nir -o n.nir", "n.nir cannot be written"),
        ("compile n.nir -o s.npz", "a file is in the place of a folder"),
        ("compile s.npz -o c", "s.npz is not an HDF5 file"),
        ("run b n.nir", "n.nir is an HDF5 file"),
        ("run s.npz s.npz", "s.npz is no project folder"),
        ("run b s.npz:test_", "has no test_spikes"),
        ("learn absent.toml s.npz -o c --epochs 0", "0 is not in the range x>=1"),
        ("learn absent.toml s.npz -o c --seed -1", "-1 is not in the range x>=0"),
    ],
)
def test_values_end_in_messages(
    folder: Path, monkeypatch: pytest.MonkeyPatch, command: str, message: str
) -> None:
    """And nothing is written, nothing lost."""
    monkeypatch.chdir(folder)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    words = command.split()
    code, output = invoke(*words, *(NEURON if words[0] == "compile" else ()))
    assert code in (1, 2) and message in " ".join(output.split()), output
    assert before == {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (ZeroDivisionError("by 0"), 70, "internal error: ZeroDivisionError: by 0"),
        (RecursionError("deep"), 70, "please report it"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (MemoryError("38 GiB"), 1, "not enough memory: 38 GiB"),
        (OSError(errno.ENOSPC, "No space left", "out/x"), 1, "free space on that disk"),
        (ImportError("no amaranth"), 1, "spikelet doctor lists"),
        (SpikeletError("wrong", remedy="right"), 1, "remedy: right"),
    ],
)
def test_no_error_is_a_traceback(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, message: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("spikelet.samples.plastic_samples.load_learning_samples", fail)
    found, output = invoke("run", folder / "b", folder / "s.npz")
    assert found == code and message in output and "Traceback" not in output
    if isinstance(error, KeyboardInterrupt):
        return  # click has its own word for it
    with pytest.raises(type(error)):
        invoke("--debug", "run", folder / "b", folder / "s.npz")


def test_a_reader_that_has_seen_enough() -> None:
    """As in ``spikelet doctor | head -1``: no word of a broken pipe."""
    program = "from spikelet.cli import main; main(['compile', '--help'])"
    done = subprocess.run(
        f'{sys.executable} -c "{program}" | true',
        shell=True,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""


def test_output_in_ascii(folder: Path, tmp_path: Path) -> None:
    """A terminal that cannot show a name gets its numbers."""
    program = "from spikelet.cli import main; main()"
    files = (folder / "b", folder / "s.npz", "--recording", tmp_path / "größe.npz")
    done = subprocess.run(
        [sys.executable, "-c", program, "run", *files],
        env={**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"Recording in" in done.stdout and done.stdout.isascii()


@pytest.mark.parametrize("when", ["write", "close"])
def test_a_full_disk_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    path = tmp_path / "out.npz"
    path.write_text("old")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = 1 << 20 if when == "write" else 4097
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limit[1]))
    try:
        with (
            pytest.raises(SpikeletError, match=r"out\.npz cannot be written: File too large") as e,
            AtomicFile(path) as file,
        ):
            file.write(bytes(size))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert "nothing half-written" in e.value.remedy
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("command", ["compile n.nir -o new", "run b s.npz -o new/t.npz"])
def test_a_full_disk_behind_each_command(
    folder: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Every place where one of them writes in turn; what was there before is there afterwards."""
    monkeypatch.chdir(folder)
    words = command.split()
    words += NEURON if words[0] == "compile" else ()
    finish = AtomicFile.__exit__
    monkeypatch.setattr("spikelet.rtl_gen.emit.whole_chip", lambda _: None)
    monkeypatch.setattr(
        "spikelet.rtl_gen.emit.to_verilog", lambda *_, **__: "module chip; endmodule"
    )
    for place in range(60):
        count = iter(range(100))

        def full(self, kind, error, trace, place=place, count=count):
            if kind is None and next(count) == place:
                kind, error = OSError, OSError(errno.ENOSPC, "No space left on device")
            return finish(self, kind, error, trace)

        monkeypatch.setattr(AtomicFile, "__exit__", full)
        code, output = invoke(*words)
        left = {path.name for path in (folder / "new").rglob(".*")} - {LOCK}
        assert not left, left
        if code == 0:
            break
        assert "No space left" in output and "free space on that disk" in output
    assert 0 < place < 59
