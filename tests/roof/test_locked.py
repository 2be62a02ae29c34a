"""One writer at a time, and nothing left over of those that were killed."""

import subprocess
import sys
from pathlib import Path

import pytest

from spikelet.description.errors import SpikeletError
from spikelet.locked import LOCK, writing

HOLD = """
import sys, time
from pathlib import Path
from spikelet.locked import writing
sys.argv = ["/usr/bin/spikelet", "verify", "p", "my samples.npz"]
with writing(Path({folder!r})):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path):  # type: ignore[no-untyped-def]
    """Start another process that is writing in a folder."""
    folder = tmp_path / "p"
    command = [sys.executable, "-c", HOLD.format(folder=str(folder))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        yield folder, process
        process.kill()


def test_another_writer_is_named(holder) -> None:  # type: ignore[no-untyped-def]
    folder, process = holder
    with pytest.raises(SpikeletError) as caught, writing(folder):
        pass
    message = str(caught.value)
    assert f"process {process.pid} (spikelet verify p 'my samples.npz', since 2" in message
    assert "remedy: wait until it has ended" in message


def test_what_a_killed_writer_left_is_cleared_away(holder) -> None:  # type: ignore[no-untyped-def]
    folder, process = holder
    (folder / "fpga" / "iCEBreaker.partial").mkdir(parents=True)
    (folder / "fpga" / "iCEBreaker.partial" / "netlist.v").write_text("half")
    (folder / "compiled").mkdir()
    (folder / "compiled" / ".chip.json.abc.partial").write_text("half")
    (folder / "compiled" / "chip.json").write_text("whole")
    process.kill()
    process.wait()
    with writing(folder):
        pass
    left = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    assert left == {"fpga", "compiled", "compiled/chip.json", LOCK}


def test_a_process_may_hold_a_folder_within_itself(tmp_path: Path) -> None:
    (tmp_path / "work.partial").mkdir()
    with writing(tmp_path):
        (tmp_path / "mine.partial").mkdir()
        with writing(tmp_path / "." / ""):
            assert (tmp_path / "mine.partial").exists(), "it is still being written"
        assert (tmp_path / ".writer.json").exists()
    assert not (tmp_path / ".writer.json").exists()


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SpikeletError, match="cannot be written"), writing(tmp_path / "file"):
        pass
