"""Golden model of memristive synapses: what a pulse does. Twin of ``rtl_gen/devices.py``."""

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.image import CoreImage
from spikelet.description.learning.devices import NOISE_MEAN, Devices

__all__ = ["DeviceArray", "noise", "programmed"]

_Int = npt.NDArray[np.int64]
_FRACTION_BITS = 8


def noise(draws: _Int) -> _Int:
    """Return the noise of draws of 16 bits: mean 0, standard deviation nearly 16."""
    total = (draws >> 4 & 15) + (draws >> 8 & 15) + (draws >> 12 & 15)
    result: _Int = 2 * total - NOISE_MEAN
    return result


def programmed(devices: Devices, pulses: _Int, codes: _Int, draws: _Int | None) -> _Int:
    """Return the codes of devices after pulses.

    Parameters
    ----------
    devices : Devices
    pulses : array of int64
        1 up, -1 down, 0 none.
    codes : array of int64, same shape
    draws : array of int64, same shape, or None
        None where the devices do not draw.
    """
    level = devices.read(codes, "level")
    up, down = (np.array(steps, np.int64) for steps in (devices.up, devices.down))
    step = np.where(pulses > 0, up[level], -down[level])
    change = 2 * step * (8 + devices.read(codes, "variation")) + 8
    if draws is not None:
        change = change + devices.noise * noise(draws) + 16 * (draws & 15)
    moved = np.clip(level + (change >> _FRACTION_BITS), 0, devices.levels - 1)
    stuck = devices.read(codes, "stuck")
    given = pulses != 0
    writes = devices.read(codes, "writes")
    most = (1 << devices.write_bits) - 1
    fields = {
        "level": np.where(given & (stuck == 0), moved, level),
        "stuck": stuck,
        "variation": devices.read(codes, "variation"),
        "writes": np.minimum(writes + given, most),
    }
    return devices.codes(**fields).astype(np.int64)


class DeviceArray:
    """The devices of a core's synapses, and the counter that says which are programmed.

    Parameters
    ----------
    devices : Devices
    image : CoreImage
    """

    def __init__(self, devices: Devices, image: CoreImage) -> None:
        self.devices = devices
        self._codes = image.devices.copy()
        self._selected = int(image.selected[0])
        self._pulsed = False

    def program(
        self,
        here: tuple[npt.NDArray[np.intp], ...],
        pulses: _Int,
        weights: _Int,
        draws: _Int | None,
    ) -> _Int:
        """Give pulses to one device of each of some synapses; return their new weights.

        Parameters
        ----------
        here : tuple of array
            Index of the synapses.
        pulses, weights : array of int64, shape (axons, neurons)
        draws : array of int64, same shape, or None
        """
        pulses = np.broadcast_to(pulses, weights.shape)
        self._pulsed = self._pulsed or bool(pulses.any())
        chosen = self._codes[self._selected]
        old = chosen[here].astype(np.int64)
        new = programmed(self.devices, pulses, old, draws)
        chosen[here] = new
        return weights + self.devices.read(new, "level") - self.devices.read(old, "level")

    def end_tick(self) -> None:
        """Go on to the next device, if a pulse was given in this tick."""
        self._selected = (self._selected + self._pulsed) % self.devices.count
        self._pulsed = False

    def contents(self) -> dict[str, npt.NDArray[np.int32]]:
        """Return ``devices`` and ``selected`` of an image."""
        return {"devices": self._codes, "selected": np.array([self._selected], np.int32)}
