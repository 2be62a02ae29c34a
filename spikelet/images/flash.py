# amaranth: UnusedElaboratable=no
"""What images that load their chip themselves have in common: from flash, or from the bitstream."""

from spikelet.boards import Board
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.artefact import digest_of
from spikelet.description.chip.flash_image import flash_image
from spikelet.fpga.fit import Beside
from spikelet.fpga.live_sources import AerSource, SerialSource, StoredSource
from spikelet.fpga.live_top import FLASH_PORTS, LiveTop, live_memories
from spikelet.fpga.memories import Memory
from spikelet.fpga.stored_program import StoredProgram
from spikelet.images.image import FLASH_FILE, BoardImage, has_ports
from spikelet.rtl_gen.emit import to_verilog

__all__ = ["OFFSET", "led_lines", "self_loading_image"]

OFFSET = 1 << 20
"""Address of weights in the flash: behind the bitstream, which has 104 KB on the iCEBreaker."""


def self_loading_image(
    compiled: CompiledNetwork,
    board: Board,
    source: AerSource | SerialSource | StoredSource,
    luts: int,
    memories: tuple[Memory, ...],
    **timing: int,
) -> BoardImage:
    """Return the image of a top module that loads its chip.

    It does so from the board's flash. If the board has no pins of one, since its clock
    comes from a primitive of the FPGA, the program stands in block RAMs of the bitstream, whose
    initial contents are there as soon as the FPGA has started.

    Parameters
    ----------
    compiled : CompiledNetwork
    board : Board
    source : AerSource, SerialSource or StoredSource
        Where events come from.
    luts : int
        As of the kind of image.
    memories : tuple of Memory
        Of the source.
    **timing
        ``ticks``, ``period`` and ``pause`` of :class:`LiveTop`.
    """
    contents = flash_image(compiled.chip, compiled.image.program(compiled.chip))
    program = None if has_ports(board, FLASH_PORTS) else StoredProgram(contents)
    top = LiveTop(compiled.chip, board, source, offset=OFFSET, program=program, **timing)
    stored = (program.memory,) if program else ()
    inputs = {name: compiled.digests[name] for name in ("chip contents", "chip mapping")}
    return BoardImage(
        lambda: to_verilog(top, "top"),
        top.ports,
        Beside(luts, (*live_memories(compiled.chip), *memories, *stored)),
        {**inputs, "flash": digest_of(contents)},
        {"ticks": top.ticks} if program else {"flash_offset": OFFSET, "ticks": top.ticks},
        {} if program else {FLASH_FILE: contents},
    )


def led_lines(board: Board) -> list[str]:
    """Return what the LEDs say."""
    last = len(board.leds) - 1
    place = "flash" if has_ports(board, FLASH_PORTS) else "bitstream"
    return [
        f"  LED {last} is lit once the weights are loaded, LED {last - 1} if those in the {place} "
        f"are not of this chip, or damaged, and both if events were lost; LED {last - 2} changes "
        "with every window",
        f"  LEDs 0 to {last - 3} show the class in binary, LED 0 the lowest bit; LEDs: "
        f"{board.led_places}",
        f"  {board.button_place} starts again",
    ]
