"""Golden model of memristive synapses: what a pulse does. Twin of ``rtl_gen/devices.py``."""

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.image import CoreImage
from spikelet.description.learning.devices import DEVICE_FIELDS, MINUS, NOISE_MEAN, Devices

__all__ = ["DeviceArray", "noise", "programmed"]

_Int = npt.NDArray[np.int64]
_FRACTION_BITS = 8


def noise(draws: _Int) -> _Int:
    """Return the noise of draws of 16 bits: mean 0, standard deviation nearly 16."""
    total = (draws >> 4 & 15) + (draws >> 8 & 15) + (draws >> 12 & 15)
    result: _Int = 2 * total - NOISE_MEAN
    return result


def programmed(devices: Devices, pulses: _Int, codes: _Int, draws: _Int | None) -> _Int:
    """Return the codes of devices, or of differential pairs, after pulses.

    Parameters
    ----------
    devices : Devices
    pulses : array of int64
        1 up, -1 down, 0 none.
    codes : array of int64, same shape
    draws : array of int64, same shape, or None
        None where the devices do not draw.
    """
    plus, minus = (
        {name: devices.read(codes, f"{side}{name}") for name in DEVICE_FIELDS}
        for side in ("", MINUS)
    )
    if not devices.pairs:
        plus["level"] = _moved(devices, pulses, plus, draws)
        _count(devices, plus, pulses != 0)
        return devices.codes(**plus).astype(np.int64)
    plus["level"] = _moved(devices, np.maximum(pulses, 0), plus, draws)
    minus["level"] = _moved(devices, np.maximum(-pulses, 0), minus, draws)
    common = np.minimum(plus["level"], minus["level"])
    due = (pulses != 0) & (devices.refresh > 0) & (common >= devices.refresh)
    due &= (plus["stuck"] | minus["stuck"]) == 0
    for side, sign in ((plus, 1), (minus, -1)):
        side["level"] = side["level"] - np.where(due, common, 0)
        _count(devices, side, (pulses == sign) | due)
    above = {f"{MINUS}{name}": value for name, value in minus.items()}
    return devices.codes(**plus, **above).astype(np.int64)


def _moved(devices: Devices, pulses: _Int, fields: dict[str, _Int], draws: _Int | None) -> _Int:
    """Return the levels of devices of these fields after pulses."""
    level = fields["level"]
    up, down = (np.array(steps, np.int64) for steps in (devices.up, devices.down))
    step = np.where(pulses > 0, up[level], -down[level])
    change = 2 * step * (8 + fields["variation"]) + 8
    if draws is not None:
        change = change + devices.noise * noise(draws) + 16 * (draws & 15)
    moved = np.clip(level + (change >> _FRACTION_BITS), 0, devices.levels - 1)
    result: _Int = np.where((pulses != 0) & (fields["stuck"] == 0), moved, level)
    return result


def _count(devices: Devices, fields: dict[str, _Int], written: npt.NDArray[np.bool_]) -> None:
    """Count a write, as far as the count has room."""
    fields["writes"] = np.minimum(fields["writes"] + written, (1 << devices.write_bits) - 1)


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
        change = self.devices.differences(new) - self.devices.differences(old)
        return weights + change * self.devices.scales[self._selected]

    def end_tick(self) -> None:
        """Go on to the next device, if a pulse was given in this tick."""
        self._selected = (self._selected + self._pulsed) % self.devices.count
        self._pulsed = False

    def contents(self) -> dict[str, npt.NDArray[np.int32]]:
        """Return ``devices`` and ``selected`` of an image."""
        return {"devices": self._codes, "selected": np.array([self._selected], np.int32)}
