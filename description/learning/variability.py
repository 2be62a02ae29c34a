"""How the devices of a projection differ from one another: sizes of steps, stuck and dead cells."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from spikelet.description.checks import check_int, check_range
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.devices import VARIATION_BITS, Devices
from spikelet.description.learning.scaling import check_number
from spikelet.description.summary import summary

__all__ = ["DEAD", "STUCK", "Variability"]

STUCK = 1
"""In a fault map: stuck where the device is."""

DEAD = 2
"""In a fault map: stuck at the lowest level."""

_Codes = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Variability:
    """What is wrong with the devices of a projection, drawn from a seed or given.

    Parameters
    ----------
    seed : int
        1..2**32 - 1.
    step : float
        Standard deviation, from device to device, of the factor of the size of its steps, 0..0.5.
        The factor is rounded to eighths, and is 0 to 15/8.
    stuck, dead : float
        Shares of devices that are stuck at a random level, and at the lowest, 0..1 together.
    faults : array of int, shape (count, n_source, n_target), or None
        A fault map, in the place of ``stuck`` and ``dead``: 0, :data:`STUCK` or :data:`DEAD`.
        Of differential pairs it has ``2 * count`` devices, those of G+ first.

    Raises
    ------
    SpikeletError
        If a field is outside its range.
    """

    __repr__ = summary

    seed: int = 1
    step: float = 0.0
    stuck: float = 0.0
    dead: float = 0.0
    faults: npt.NDArray[np.integer] | None = None

    def __post_init__(self) -> None:
        if self.seed == 0:
            raise SpikeletError(
                "variability: seed must not be 0", remedy="take any from 1 to 2^32 - 1"
            )
        check_int("variability: seed", self.seed, 1, (1 << 32) - 1)
        check_number("variability: step", self.step, 0, 0.5)
        check_number("variability: stuck", self.stuck, 0, 1)
        check_number("variability: dead", self.dead, 0, 1 - self.stuck)
        if self.faults is not None:
            if self.stuck or self.dead:
                raise SpikeletError("variability: give faults, or stuck and dead, not both")
            object.__setattr__(self, "faults", np.asarray(self.faults))
            if self.faults.dtype.kind not in "iu":
                raise SpikeletError(
                    f"variability: faults must be integers, not {self.faults.dtype}"
                )
            check_range("variability: faults", self.faults, 0, DEAD)

    def built(self, devices: Devices) -> Devices:
        """Return devices that can be stuck, or vary, as far as this needs it."""
        faults = bool(self.stuck or self.dead or self.faults is not None)
        return replace(
            devices,
            faults=devices.faults or faults,
            variation=devices.variation or self.step > 0,
        )

    def codes(
        self, devices: Devices, weights: npt.NDArray[np.integer], what: str = "devices"
    ) -> _Codes:
        """Return the codes of devices that would make weights, shape (count, source, target).

        SpikeletError, which ``what`` opens, if a fault map has another shape.
        """
        levels = devices.shared(weights)
        generator = np.random.default_rng(np.random.SeedSequence(self.seed))
        shape, most = levels.shape, 1 << (VARIATION_BITS - 1)
        factors = np.rint(generator.normal(0, self.step, shape) * 8)
        variation = np.clip(factors, -most, most - 1).astype(np.int64)
        chances = generator.random(shape)
        anywhere = generator.integers(0, devices.levels, shape)
        if self.faults is None:
            stuck, dead = chances < self.stuck, chances >= 1 - self.dead
            levels = np.where(stuck, anywhere, levels)
        else:
            if self.faults.shape != shape:
                raise SpikeletError(
                    f"{what}: faults must have shape {shape}: devices, sources, targets; not "
                    f"{self.faults.shape}"
                )
            stuck, dead = self.faults == STUCK, self.faults == DEAD
        levels = np.where(dead, 0, levels)
        return devices.joined(level=levels, stuck=stuck | dead, variation=variation)
