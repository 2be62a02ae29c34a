"""What images that load their chip from the board's flash have in common."""

from spikelet.boards import Board
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.artefact import digest_of
from spikelet.description.chip.flash_image import flash_image
from spikelet.fpga.fit import Beside
from spikelet.fpga.live_top import LiveTop, live_memories
from spikelet.fpga.memories import Memory
from spikelet.images.image import FLASH_FILE, BoardImage
from spikelet.rtl_gen.emit import to_verilog

__all__ = ["OFFSET", "flash_board_image", "led_lines"]

OFFSET = 1 << 20
"""Address of weights in the flash: behind the bitstream, which has 104 KB on the iCEBreaker."""


def flash_board_image(
    compiled: CompiledNetwork, top: LiveTop, luts: int, memories: tuple[Memory, ...]
) -> BoardImage:
    """Return the image of a top module that loads its chip from flash.

    Parameters
    ----------
    compiled : CompiledNetwork
    top : LiveTop
    luts : int
        As of the kind of image.
    memories : tuple of Memory
        Of its source.
    """
    contents = flash_image(compiled.chip, compiled.image.program(compiled.chip))
    inputs = {name: compiled.digests[name] for name in ("chip contents", "chip mapping")}
    return BoardImage(
        lambda: to_verilog(top, "top"),
        top.ports,
        Beside(luts, (*live_memories(compiled.chip), *memories)),
        {**inputs, "flash": digest_of(contents)},
        {"flash_offset": OFFSET, "ticks": top.ticks},
        {FLASH_FILE: contents},
    )


def led_lines(board: Board) -> list[str]:
    """Return what the LEDs say."""
    last = len(board.leds) - 1
    return [
        f"  LED {last} is lit once the weights are loaded, LED {last - 1} if those in the flash "
        f"are not of this chip, or damaged, and both if events were lost; LED {last - 2} changes "
        "with every window",
        f"  LEDs 0 to {last - 3} show the class in binary, LED 0 the lowest bit; LEDs: "
        f"{board.led_places}",
        f"  {board.button_place} starts again",
    ]
