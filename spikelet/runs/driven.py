"""A run on a chip behind the driver, whatever carries the words."""

from spikelet.description.chip.state import ChipState
from spikelet.description.run.recording import Recording
from spikelet.host.driver import Chip
from spikelet.runs.board import board_chip
from spikelet.runs.wanted import Wanted

__all__ = ["driven", "run_board"]


def driven(
    chip: Chip, wanted: Wanted, *, check: bool = False
) -> tuple[Recording, ChipState | None]:
    """Load a chip, run samples, and take a snapshot if one is wanted.

    Parameters
    ----------
    chip : Chip
    wanted : Wanted
    check : bool
        Whether what is loaded is read back and compared.
    """
    if wanted.start is None:
        chip.load(wanted.image, check=check)
    else:
        chip.restore(wanted.state, check=check)
    recording = chip.run(
        wanted.events(),
        record=wanted.record,
        neurons=wanted.compiled.neurons,
        progress=wanted.progress,
        reward=wanted.reward,
        clear=wanted.clear,
        stop_at_output=wanted.early_stop,
    )
    return recording, chip.snapshot() if wanted.snapshot else None


def run_board(wanted: Wanted) -> tuple[Recording, ChipState | None]:
    """Run on a board whose bitstream is the image ``host-link``; what is loaded is read back."""
    port, params = wanted.port.found(say=wanted.say), wanted.compiled.chip
    with board_chip(port, params, wanted.folder) as chip:
        words = len(wanted.image.program(params))
        wanted.say(f"{port.name}: {words:,} words are loaded, read back and compared")
        return driven(chip, wanted, check=True)
