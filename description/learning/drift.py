"""Drift of memristive devices: conductances that fall with time, and noise when they are read."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spikelet.description.checks import check_int
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.devices import Devices
from spikelet.description.learning.scaling import check_number

__all__ = ["Drift"]

_Codes = npt.NDArray[np.int32]

_LONGEST = 1e12
"""Seconds."""


@dataclass(frozen=True)
class Drift:
    """How conductances fall: ``G(t) = G(start) * (t / start) ** -nu``, each device with its own nu.

    The power law of phase-change memory: Ielmini et al. 2007, "Recovery and drift dynamics of
    resistance and threshold voltages in phase-change memories", IEEE Transactions on Electron
    Devices 54(2). The same device has the same nu at all times, and nothing adds up over them: the
    levels at a time are those at ``start``, made smaller once and rounded to the nearest level.

    Parameters
    ----------
    nu : float
        Mean exponent, 0..1.
    spread : float
        Standard deviation of the exponent from device to device, 0..1; none is below 0.
    start : float
        Seconds after programming at which the levels are what was programmed, above 0.
    read_noise : float
        Standard deviation of a reading, 0..1 of the range. A reading is of all devices at once, not
        of each spike.
    seed : int
        1..2**32 - 1.

    Raises
    ------
    SpikeletError
        If a field is outside its range.
    """

    nu: float = 0.05
    spread: float = 0.0
    start: float = 1.0
    read_noise: float = 0.0
    seed: int = 1

    def __post_init__(self) -> None:
        for name in ("nu", "spread", "read_noise"):
            check_number(f"drift: {name}", getattr(self, name), 0, 1)
        check_number("drift: start", self.start, 1e-9, _LONGEST)
        if self.seed == 0:
            raise SpikeletError("drift: seed must not be 0", remedy="take any from 1 to 2^32 - 1")
        check_int("drift: seed", self.seed, 1, (1 << 32) - 1)

    def codes(
        self, devices: Devices, codes: _Codes, seconds: float, *, array: int = 0, reading: int = 0
    ) -> _Codes:
        """Return the codes of devices after some time; stuck ones stay, and so do all counts.

        Parameters
        ----------
        devices : Devices
        codes : array of int32, shape (count, ...)
            At ``start``.
        seconds : float
            Since programming, ``start`` or more.
        array : int
            0 or more: each has exponents and readings of its own.
        reading : int
            0 or more: each has noise of its own.

        Raises
        ------
        SpikeletError
            If ``seconds`` is outside its range.
        """
        check_number("drift: seconds", seconds, self.start, _LONGEST)
        check_int("drift: array", array, 0, 1 << 32)
        check_int("drift: reading", reading, 0, 1 << 32)
        level = devices.each(codes, "level")
        exponents = self._generator(array, 0).normal(self.nu, self.spread, level.shape)
        found = (devices.off + level) * (seconds / self.start) ** -np.maximum(exponents, 0)
        if self.read_noise:
            noise = self._generator(array, 1, reading).standard_normal(level.shape)
            found = found + noise * self.read_noise * (devices.levels - 1)
        moved = np.clip(np.rint(found - devices.off), 0, devices.levels - 1).astype(np.int64)
        fields = {name: devices.each(codes, name) for name in ("stuck", "variation", "writes")}
        return devices.joined(level=np.where(fields["stuck"] == 1, level, moved), **fields)

    def _generator(self, *numbers: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence([self.seed, *numbers]))
