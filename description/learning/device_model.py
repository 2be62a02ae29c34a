"""Memristive devices as they are measured: the models of this folder, or a user's TOML file."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from spikelet.description.checks import check_int
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.devices import STEP_BITS, Devices
from spikelet.description.learning.scaling import check_number
from spikelet.description.named_files import chosen, read_file, read_folder

__all__ = ["DeviceModel", "device_model", "device_models"]


@dataclass(frozen=True)
class DeviceModel:
    """How the conductance of a device answers to pulses, as a share of its range.

    Parameters
    ----------
    name, title, source : str
        ``source`` says where the figures come from.
    potentiation, depression : list of float
        Conductance before the first and after each further pulse up, from the lowest to the
        highest, and down, from the highest to the lowest; in any unit. At least 2 values each.
    on_off : float
        Ratio of the highest to the lowest conductance, above 1; 0: without limit.
    noise : float
        Standard deviation of a pulse's step, 0..1 of the range.
    variation : float
        Standard deviation of the factor of the size of steps from device to device, 0..0.5.

    Raises
    ------
    SpikeletError
        If a field is outside its range, or a curve is not monotone.
    """

    name: str
    title: str
    source: str
    potentiation: tuple[float, ...]
    depression: tuple[float, ...]
    on_off: float = 0.0
    noise: float = 0.0
    variation: float = 0.0

    def __post_init__(self) -> None:
        what = f"device model {self.name!r}:"
        for name in ("name", "title", "source"):
            if not isinstance(getattr(self, name), str):
                raise SpikeletError(f"{what} {name} must be text, not {getattr(self, name)!r}")
        for name, sign, word in (("potentiation", 1, "fall"), ("depression", -1, "rise")):
            curve = getattr(self, name)
            if not isinstance(curve, tuple | list) or len(curve) < 2:
                raise SpikeletError(f"{what} {name} must be 2 or more conductances, not {curve!r}")
            for value in curve:
                check_number(f"{what} {name}", value, 0, 1e12)
            object.__setattr__(self, name, tuple(map(float, curve)))
            for pulse, (before, after) in enumerate(pairwise(curve)):
                if (after - before) * sign < 0:
                    raise SpikeletError(
                        f"{what} {name} must be monotone, but with pulse {pulse + 1} it goes from "
                        f"{before:g} to {after:g}",
                        remedy=f"average over more devices: it must never {word}",
                    )
            if curve[0] == curve[-1]:
                raise SpikeletError(f"{what} {name} must change, but is {curve[0]:g} throughout")
        if self.on_off:
            check_number(f"{what} on_off", self.on_off, 1.01, 1e12)
        check_number(f"{what} noise", self.noise, 0, 1)
        check_number(f"{what} variation", self.variation, 0, 0.5)

    def devices(self, count: int, *, levels: int = 16, pulses: int = 1, **more: Any) -> Devices:
        """Return what a chip builds of it.

        Parameters
        ----------
        count : int
            Devices of a synapse.
        levels : int
            2..256; each stands for as large a part of the range.
        pulses : int
            Of the device for each pulse of the rule, 1..1000: where one moves it by less than 1/16
            of a level.
        more
            Further fields of :class:`Devices`, such as ``write_bits``.

        Raises
        ------
        SpikeletError
            If no pulse moves the device far enough, or they do not fit a chip.
        """
        check_int(f"device model {self.name!r}: levels", levels, 2, 256)
        check_int(f"device model {self.name!r}: pulses", pulses, 1, 1000)
        top = levels - 1
        up = self._steps(self.potentiation, top, pulses)
        down = self._steps(self.depression[::-1], top, pulses, down=True)
        for name, steps in (("up", up), ("down", down)):
            if not any(steps):
                raise SpikeletError(
                    f"device model {self.name!r}: a pulse {name} moves a device of {levels} levels "
                    "by less than 1/32 of a level",
                    remedy="give more pulses, or more levels",
                )
        given: dict[str, Any] = {
            "bits": top.bit_length(),
            "noise": round((self.noise * np.sqrt(pulses) * top) * (1 << STEP_BITS)),
            "off": round(top / (self.on_off - 1)) if self.on_off else 0,
            "name": self.name,
            "source": self.source,
        }
        return Devices(count, up=up, down=down, **{**given, **more})

    @staticmethod
    def _steps(
        rising: tuple[float, ...], top: int, pulses: int, *, down: bool = False
    ) -> tuple[int, ...]:
        """Return the step at each level, from a curve that rises and that is run along or back."""
        curve = (np.array(rising) - rising[0]) / (rising[-1] - rising[0]) * top
        at = np.arange(len(curve))
        rises = np.concatenate([[True], np.diff(curve) > 0])
        level = np.arange(top + 1)
        pulse = np.interp(level, curve[rises], at[rises])
        after = np.interp(np.clip(pulse + (-pulses if down else pulses), 0, at[-1]), at, curve)
        moved = np.rint(np.abs(after - level) * (1 << STEP_BITS)).astype(int)
        return tuple(moved.tolist())

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "DeviceModel":
        """Return the model of a file's keys; SpikeletError names one that is unknown or missing."""
        known = [f.name for f in fields(cls)]
        needed = ("name", "title", "source", "potentiation", "depression")
        for key in values:
            if key not in known:
                raise SpikeletError(f"unknown key {key!r}; valid keys are {', '.join(known)}")
        for key in needed:
            if key not in values:
                raise SpikeletError(f"key {key!r} is missing")
        return cls(**values)


@cache
def device_models() -> dict[str, DeviceModel]:
    """Return the models of this folder by name, in alphabetical order."""
    return read_folder("spikelet.description.learning", DeviceModel.from_dict)


def device_model(model: str | Path) -> DeviceModel:
    """Return a model by its name, or that of a file, whose name ends in ``.toml``.

    SpikeletError if there is no such model, or the file is not one, with the file's name.
    """
    return chosen(model, "device model", device_models(), _read)


def _read(path: Path) -> DeviceModel:
    return read_file(path, "device model", DeviceModel.from_dict)
