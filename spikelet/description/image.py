"""What is loaded into a chip: weights, neuron parameters and destination tables."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from spikelet.description.memory_map import ChipMap
from spikelet.description.packets import destination_packet
from spikelet.description.params import ChipParams, CoreParams, check_range
from spikelet.errors import SpikeletError

__all__ = ["HOST", "NO_DESTINATION", "ChipImage", "CoreImage"]

NO_DESTINATION = -2
"""Destination core of an unused entry."""

HOST = -1
"""Destination core that stands for the host; the axon is then the output line."""


@dataclass(frozen=True)
class CoreImage:
    """Contents of one core.

    Parameters
    ----------
    weights : array of int16, shape (n_axons, n_neurons)
    threshold, decay, bias, reset_potential : array of int32, shape (1,) or (n_neurons,)
        In potential LSBs (decay: 0..4095, in 1/4096); as the core's ``"shared"`` or ``"neuron"``
        says; shape (1,) of 0 where the core has none. Thresholds are 0 or more.
    destinations : array of int32, shape (n_neurons, fan_out, 3)
        (core, axon, delay) of each; core :data:`HOST` or :data:`NO_DESTINATION`; delay 1 or more
        (1 towards the host). Unused entries come last.
    """

    weights: npt.NDArray[np.int16]
    threshold: npt.NDArray[np.int32]
    destinations: npt.NDArray[np.int32]
    decay: npt.NDArray[np.int32] = field(default_factory=lambda: np.zeros(1, np.int32))
    bias: npt.NDArray[np.int32] = field(default_factory=lambda: np.zeros(1, np.int32))
    reset_potential: npt.NDArray[np.int32] = field(default_factory=lambda: np.zeros(1, np.int32))

    def check(self, core: CoreParams, name: str) -> None:
        """Raise SpikeletError, naming the field and value, unless this fits ``core``."""
        for what, shape in (
            ("weights", (core.n_axons, core.n_neurons)),
            ("destinations", (core.n_neurons, core.fan_out, 3)),
        ):
            if getattr(self, what).shape != shape:
                raise SpikeletError(
                    f"{name}: {what} must have shape {shape}, not {getattr(self, what).shape}"
                )
        check_range(f"{name}: weights", self.weights, core.weight_min, core.weight_max)
        if core.weight_format == "binary" and not np.all(self.weights != 0):
            raise SpikeletError(f"{name}: binary weights must be +1 or -1, found 0")
        for what, low, high in (
            ("threshold", 0, core.v_max),
            ("decay", 0, 4095),
            ("bias", core.v_min, core.v_max),
            ("reset_potential", core.v_min, core.v_max),
        ):
            values = getattr(self, what)
            n_values = core.n_neurons if getattr(core, what) == "neuron" else 1
            if values.shape != (n_values,):
                raise SpikeletError(
                    f"{name}: {what} must have shape ({n_values},), not {values.shape}"
                )
            check_range(f"{name}: {what}", values, low, high)


@dataclass(frozen=True)
class ChipImage:
    """Contents of a chip, core by core."""

    cores: tuple[CoreImage, ...]

    def check(self, chip: ChipParams) -> None:
        """Raise SpikeletError, naming core, field and value, unless this fits ``chip``."""
        if len(self.cores) != len(chip.cores):
            raise SpikeletError(f"image: {len(self.cores)} cores for a chip of {len(chip.cores)}")
        for index, (image, core) in enumerate(zip(self.cores, chip.cores, strict=True)):
            image.check(core, f"core {index}")
            _check_destinations(chip, index, image.destinations)

    def program(self, chip: ChipParams) -> npt.NDArray[np.uint32]:
        """Return the configuration writes that load this: (writes, 2), address and data."""
        self.check(chip)
        chip_map = ChipMap(chip)
        writes = []
        for index, (image, core) in enumerate(zip(self.cores, chip.cores, strict=True)):
            for region, offsets, words in _core_words(chip, core, image):
                if region in chip_map.cores[index]:
                    addresses = chip_map.address(index, region, offsets)
                    writes.append(np.stack([addresses, words.astype(np.uint32)], axis=1))
        return np.concatenate(writes)


def _check_destinations(chip: ChipParams, source: int, destinations: npt.NDArray[np.int32]) -> None:
    for target in np.unique(destinations[..., 0]):
        _, axon, delay = destinations[destinations[..., 0] == target].T
        if target == NO_DESTINATION:
            continue
        name = f"core {source}: destination"
        if target == HOST:
            check_range(f"{name} output line", axon, 0, chip.n_outputs - 1)
            check_range(f"{name} delay to the host", delay, 1, 1)
        elif 0 <= target < len(chip.cores):
            check_range(f"{name} axon of core {target}", axon, 0, chip.cores[target].n_axons - 1)
            slots = chip.cores[target].delay_slots
            check_range(f"{name} delay to core {target}", delay, 1, slots - 1)
        else:
            raise SpikeletError(f"{name} core must be in 0..{len(chip.cores) - 1}, found {target}")


def _core_words(
    chip: ChipParams, core: CoreParams, image: CoreImage
) -> list[tuple[str, npt.NDArray[np.int64], npt.NDArray[np.uint32]]]:
    """Return (region, offsets, words) of each region of a core."""
    words = [("weights", *_weight_words(core, image.weights))]
    for name in ("threshold", "decay", "bias", "reset_potential"):
        values = getattr(image, name)
        words.append((name, np.arange(len(values)), values.astype(np.int32).view(np.uint32)))
    destinations = _destination_words(chip, image.destinations)
    words.append(("destinations", np.arange(destinations.size), destinations))
    return words


def _weight_words(
    core: CoreParams, weights: npt.NDArray[np.int16]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint32]]:
    stored = (weights < 0) if core.weight_format == "binary" else weights
    mask = (1 << core.weight_bits) - 1
    codes = stored.astype(np.int64).reshape(core.n_axons, core.groups, core.lanes) & mask
    rows = codes.transpose(1, 0, 2).reshape(core.weight_rows, core.lanes)
    bits = (rows[..., None] >> np.arange(core.weight_bits)) & 1
    flat = bits.reshape(core.weight_rows, -1)
    padded = np.zeros((core.weight_rows, core.weight_banks * 32), np.uint64)
    padded[:, : flat.shape[1]] = flat
    banked = padded.reshape(core.weight_rows, core.weight_banks, 32) << np.arange(
        32, dtype=np.uint64
    )
    stride = 1 << (core.weight_banks - 1).bit_length()
    offsets = np.arange(core.weight_rows)[:, None] * stride + np.arange(core.weight_banks)
    return offsets.ravel(), banked.sum(axis=2).astype(np.uint32).ravel()


def _destination_words(
    chip: ChipParams, destinations: npt.NDArray[np.int32]
) -> npt.NDArray[np.uint32]:
    target, axon, delay = np.moveaxis(destinations, 2, 0)
    valid = target != NO_DESTINATION
    to_core = target >= 0
    following = np.concatenate([valid[:, 1:], np.zeros((len(valid), 1), bool)], axis=1)
    packet = destination_packet(chip)
    return packet.pack(
        axon=np.where(valid, axon, 0),
        delay=np.where(valid, delay - 1, 0),
        x=np.where(to_core, target % chip.mesh_width, 0),
        y=np.where(to_core, target // chip.mesh_width + 1, 0),
        last=~following,
        valid=valid,
    ).ravel()
