"""A compiled network as far as a host needs it: read with numpy alone, however it was made."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.compiled_files import chip_of, described, image_of, read_compiled
from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.run.events import Events
from spikelet.description.run.input_spikes import checked_spikes
from spikelet.description.summary import summary

__all__ = ["HostNetwork"]


@dataclass(frozen=True, eq=False)
class HostNetwork:
    """What a host needs of a compiled network to load and run it, and no more.

    What has the same name in a compiled network is the same there.

    Parameters
    ----------
    name : str
    chip : ChipParams
    image : ChipImage
        As compiled, before any learning.
    routes : array of int64, shape (routes, 4)
        (input, core, axon, delay): where each input's spikes are sent.
    neurons : tuple of int
        Neurons in use in each core.
    n_inputs : int
        Input lines.
    input_levels : int
        Largest count of an input line in a tick; 1 where none is graded.
    output_latency : int
        Ticks from an input to the last outputs that it can cause.
    """

    __repr__ = summary

    name: str
    chip: ChipParams
    image: ChipImage
    routes: npt.NDArray[np.int64]
    neurons: tuple[int, ...]
    n_inputs: int
    input_levels: int
    output_latency: int

    @classmethod
    def load(cls, folder: str | Path) -> "HostNetwork":
        """Read it from a project folder, or from ``compiled`` in it.

        SpikeletError, naming the file, if one is missing, damaged, of another version, or not of
        the same run as the others.
        """
        place = Path(folder)
        place = place / "compiled" if (place / "compiled").is_dir() else place
        fields, arrays = read_compiled(place)
        with described(place):
            chip, network = chip_of(fields), fields["network"]
            slices = [part for layer in fields["layers"] for part in layer["slices"]]
            used = {part["core"]: part["count"] for part in slices}
            depth = {p["name"]: p["depth"] for p in network["populations"]}
            return cls(
                network["name"],
                chip,
                image_of(chip, arrays),
                arrays["routes"],
                tuple(used[core] for core in range(len(chip.cores))),
                sum(math.prod(group["shape"]) for group in network["inputs"]),
                max(group.get("levels", 1) for group in network["inputs"]),
                max(depth[name] for name in network["outputs"]),
            )

    def events(self, spikes: npt.ArrayLike, extra_ticks: int | None = None) -> Events:
        """Return the events of input spikes, and ticks for the last of them to come out.

        Parameters
        ----------
        spikes : array of 0 and 1, or counts, shape (samples, ticks, n_inputs)
        extra_ticks : int or None
            Ticks that follow; None: :attr:`output_latency`.

        Raises
        ------
        SpikeletError
            For another shape or other values.
        """
        levels = self.input_levels
        dense = checked_spikes(f"network {self.name!r}", spikes, self.n_inputs, levels)
        extra = self.output_latency if extra_ticks is None else extra_ticks
        return Events.from_spikes(dense, self.routes, extra_ticks=extra, counts=levels > 1)
