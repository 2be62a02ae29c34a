# amaranth: UnusedElaboratable=no
"""Stored samples: an image that shows the classes of samples, one after the other, for ever."""

from spikelet.boards import Board
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.errors import SpikeletError
from spikelet.fpga.fit import Beside
from spikelet.fpga.live_sources import StoredSource
from spikelet.fpga.live_top import live_memories
from spikelet.images.flash import led_lines, self_loading_image
from spikelet.images.image import BoardImage, ImageKind, ImageOptions
from spikelet.runs.self_test_run import stored_samples

__all__ = ["KIND"]

_SHOWN_S = 1
_COUNT = 10
"""Samples that are stored, unless it is told, and if there are as many."""


class _Stored(ImageKind):
    name = "stored"
    title = "shows the classes of stored samples again and again, without a host"
    luts = 120  # the chip's way of reading words back falls away
    takes = ("samples", "sample", "count")

    def beside(self, compiled: CompiledNetwork) -> Beside:
        return Beside(self.luts, live_memories(compiled.chip))

    def make(self, compiled: CompiledNetwork, board: Board, options: ImageOptions) -> BoardImage:
        if options.samples is None:
            raise SpikeletError(
                f"the image for {board.name} stores samples, and none were given",
                remedy="give a samples file, or build a live image, whose events come from pins",
            )
        if compiled.learns:
            raise SpikeletError(
                f"network {compiled.name!r} learns, so samples that are shown again and again have "
                "no certain classes",
                remedy="build the self-test, which runs them once",
            )
        left = len(options.samples.spikes) - options.sample
        count = options.count or max(1, min(_COUNT, left))
        run = stored_samples(compiled, options.samples, options.sample, count)
        source = StoredSource(compiled.chip, run)
        return self_loading_image(
            *(compiled, board, source, self.luts, (source.memory,)),
            ticks=run.events.ticks,
            pause=_SHOWN_S * board.chip_hz,
        )

    def guidance(self, board: Board) -> list[str]:
        return led_lines(board)


KIND = _Stored()
"""Needs samples."""
