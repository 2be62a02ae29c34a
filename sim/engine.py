"""The Verilated engine: the driver of ``host/``, linked to a chip in a shared library.

The library is built once for each design and kept by its content. The chip is used through its
ports only, so the same engine runs the generated RTL and a netlist that came out of synthesis.
"""

from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.run.events import Events, checked_reward
from spikelet.description.run.joined import joined_samples
from spikelet.description.run.recording import Recording
from spikelet.description.side_by_side import share_out
from spikelet.host.driver import Chip
from spikelet.sim.verilated_link import VerilatedLink
from spikelet.sim.verilator import Design

__all__ = ["VerilatedChip"]

_PARTS = 4
"""In which samples are given to each thread: whoever is late takes fewer of them."""


class VerilatedChip(Chip):
    """A chip in compiled simulation.

    Parameters
    ----------
    chip : ChipParams
    design : Design
        Verilog of the chip, top module ``chip``.
    name : str
        Engine name for the Recordings, such as ``"rtl"``.
    optimise : str
        ``"run"`` or ``"build"``; see :func:`spikelet.sim.verilator.build_library`.
    threads : int
        How many samples may run side by side, each in a chip of its own, which is loaded as this
        one was last loaded or restored: what was written to the link besides is not known there.
        Samples that go on from the one before, and those of chips that learn, run one by one.
    power_on_seed : int or None
        As for :class:`VerilatedLink`.

    Raises
    ------
    SpikeletError
        If a tool is missing, or the design is not this chip.
    """

    def __init__(
        self,
        chip: ChipParams,
        design: Design,
        *,
        name: str = "rtl",
        optimise: str = "run",
        threads: int = 1,
        power_on_seed: int | None = None,
    ) -> None:
        keeps = any(core.learning or core.update.kept for core in chip.cores)
        self._threads = 1 if keeps else threads
        self._another = partial(
            VerilatedChip, chip, design, name=name, optimise=optimise, power_on_seed=power_on_seed
        )
        self._others: list[VerilatedChip] = []
        self._verilated = VerilatedLink(design, optimise=optimise, power_on_seed=power_on_seed)
        super().__init__(chip, self._verilated, name=name)

    @property
    def library(self) -> Path:
        """The library's file, in the cache."""
        return self._verilated.library

    @property
    def cycles(self) -> int:
        """Clock cycles simulated so far, in all chips."""
        return self._verilated.cycles + sum(other.cycles for other in self._others)

    def close(self) -> None:
        """Free the simulated chips."""
        for other in self._others:
            other.close()
        self._others.clear()
        super().close()

    def run(self, events: Events, **options: Any) -> Recording:
        """Run a batch of samples, side by side where they do not depend on each other.

        Parameters, result and errors are those of :meth:`Chip.run`.
        """
        side_by_side = min(self._threads, events.samples)
        goes_on = not options.get("clear", True) or options.get("start") is not None
        if side_by_side < 2 or goes_on:
            return super().run(events, **options)
        image, run_here = self._loaded(), super().run
        reward = options.get("reward")
        rewards = checked_reward(self.chip, reward, events.samples, events.ticks)
        while len(self._others) < side_by_side - 1:
            self._others.append(self._another())
        n_parts = min(events.samples, side_by_side * _PARTS)
        cuts = [events.samples * i // n_parts for i in range(n_parts + 1)]
        found: dict[int, Recording] = {}
        progress = options.get("progress", lambda samples: None)
        done, lock = 0, Lock()

        def run_part(chip: VerilatedChip, number: int) -> None:
            nonlocal done
            here = slice(cuts[number], cuts[number + 1])
            if chip is not self and chip._image is not image:
                chip.load(image)
            runs = run_here if chip is self else chip.run
            own = {"reward": rewards[here], "progress": lambda samples: None}
            part = events.samples_between(here.start, here.stop)
            found[number] = runs(part, **{**options, **own})
            with lock:
                done += here.stop - here.start
                progress(done)

        chips = [self, *self._others[: side_by_side - 1]]
        try:
            # The state after the last sample is to be that of this chip.
            last = partial(run_part, self, n_parts - 1)
            share_out(range(n_parts - 1), [partial(run_part, chip) for chip in chips], last)
        except SpikeletError:
            return run_here(events, **options)  # which names the sample as the caller counts it
        return joined_samples([found[number] for number in range(n_parts)])
