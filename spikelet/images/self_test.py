"""The self-test: an image that stores samples, and says by LEDs whether the chip does as golden."""

from spikelet.boards import Board
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.artefact import digest_of
from spikelet.description.chip.flash_image import program_words
from spikelet.description.errors import SpikeletError
from spikelet.fpga.board_top import BoardTop
from spikelet.fpga.fit import Beside
from spikelet.fpga.self_test import SelfTest
from spikelet.fpga.self_test_image import image_memories, program_memory, time_limit
from spikelet.images.image import BoardImage, ImageKind, ImageOptions
from spikelet.rtl_gen.chip import Chip
from spikelet.rtl_gen.emit import to_verilog
from spikelet.runs.self_test_run import stored_samples

__all__ = ["KIND"]

_LEARNED_FROM = 20
"""Samples that are stored of a network that learns, unless it is told."""


class _SelfTest(ImageKind):
    name = "self-test"
    title = "stores samples, and tells by LEDs whether the chip does with them what golden did"
    luts = 470
    takes = ("samples", "sample", "count", "cycle_limit")

    def beside(self, compiled: CompiledNetwork) -> Beside:
        words = program_words(compiled.image.program(compiled.chip))
        return Beside(self.luts, (program_memory(words),))

    def make(self, compiled: CompiledNetwork, board: Board, options: ImageOptions) -> BoardImage:
        samples, sample, count = options.samples, options.sample, options.count
        if samples is None:
            raise SpikeletError(
                f"the image for {board.name} stores a sample, and none was given",
                remedy="give a samples file, or build the image host-link, which stores none",
            )
        left = len(samples.spikes) - sample
        count = count or (max(1, min(_LEARNED_FROM, left)) if compiled.learns else 1)
        stored = stored_samples(compiled, samples, sample, count)
        inputs = {name: compiled.digests[name] for name in ("chip contents", "chip mapping")}
        inputs["stored samples"] = digest_of(samples.spikes[sample : sample + count])
        chip = compiled.chip
        limit = time_limit(chip, stored, options.cycle_limit)
        return BoardImage(
            lambda: to_verilog(BoardTop(SelfTest(Chip(chip), chip, stored, limit), board), "top"),
            ("clk", "button", "led"),
            Beside(self.luts, image_memories(compiled.chip, stored)),
            inputs,
            {"cycle_limit": limit},
        )

    def guidance(self, board: Board) -> list[str]:
        last = len(board.leds) - 1
        return [
            f"  then look at LED {last}, which lights if the chip did what golden did, "
            f"and LED {last - 1}, which lights if not",
            f"  LEDs 0 to {last - 2} show the class in binary, LED 0 the lowest bit; LEDs: "
            f"{board.led_places}",
            f"  {board.button_place} starts the test again",
        ]


KIND = _SelfTest()
"""Needs samples."""
