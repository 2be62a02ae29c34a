"""Program-and-verify: devices pulsed until they are read at the level that they should have."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from spikelet.description.checks import check_int
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.devices import Devices
from spikelet.description.learning.variability import Variability
from spikelet.description.summary import summary
from spikelet.golden.devices import programmed
from spikelet.network.device_drift import devices_of, with_codes
from spikelet.network.integers import IntegerNetwork
from spikelet.network.matrices import dense

__all__ = ["Written", "written"]

_Codes = npt.NDArray[np.int32]
_Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Written:
    """How far the devices of a projection were written.

    Parameters
    ----------
    source, target : str
    pulses : int
        Given to all devices together.
    unreached : array of bool, shape (count, n_source, n_target), of pairs (2 * count, ...)
        Devices that were still further from their level than the tolerance.
    worst : int
        Largest distance that is left, in levels.
    """

    __repr__ = summary

    source: str
    target: str
    pulses: int
    unreached: _Bool
    worst: int

    def __str__(self) -> str:
        return (
            f"{self.source} -> {self.target}: {self.pulses / self.unreached.size:.1f} pulses a "
            f"device, {int(self.unreached.sum())} of {self.unreached.size} not reached, worst by "
            f"{self.worst} levels"
        )


def written(
    network: IntegerNetwork,
    *,
    tolerance: int = 0,
    limit: int = 100,
    seed: int = 1,
    variability: Variability | None = None,
) -> tuple[IntegerNetwork, tuple[Written, ...]]:
    """Return a network as program-and-verify would write it, from devices at the lowest level.

    Each device is read; where it is too low it gets a pulse up, where it is too high one down; so
    on until it is near enough, or the limit is reached. Pulses are those of the device's curves,
    with its noise and variation; stuck devices are where they are. It compiles to the same chip,
    with other contents.

    Parameters
    ----------
    network : IntegerNetwork
        With the levels to be reached.
    tolerance : int
        Levels by which a device may be off, 0..255.
    limit : int
        Most pulses of a device, 1..10,000.
    seed : int
        Of the pulses' noise, 0 or more.
    variability : Variability or None
        Of the devices that are written to; None: as the network has them.

    Raises
    ------
    SpikeletError
        If a value is outside its range, or no projection is made of devices.
    """
    check_int("written: tolerance", tolerance, 0, 255)
    check_int("written: limit", limit, 1, 10_000)
    check_int("written: seed", seed, 0, (1 << 32) - 1)
    found, reports = {}, []
    for number, projection, devices, codes in devices_of(network):
        generator = np.random.default_rng([seed, number])
        real = codes
        if variability is not None:
            real = variability.codes(devices, dense(projection.weights), projection.title)
        wanted = devices.each(codes, "level")
        found[number], pulses = _write(devices, real, wanted, tolerance, limit, generator)
        distance = np.abs(wanted - devices.each(found[number], "level"))
        unreached, worst = distance > tolerance, int(distance.max(initial=0))
        reports.append(Written(projection.source, projection.target, pulses, unreached, worst))
    if not found:
        raise SpikeletError(
            f"network {network.name!r} has no projections made of devices, which could be written",
            remedy="give a projection a rule and devices",
        )
    return with_codes(network, found), tuple(reports)


def _write(
    devices: Devices,
    codes: _Codes,
    wanted: npt.NDArray[np.int64],
    tolerance: int,
    limit: int,
    generator: np.random.Generator,
) -> tuple[_Codes, int]:
    """Return what becomes of codes on the way to the wanted levels, and all pulses."""
    one = replace(devices, count=1, pairs=False, refresh=0)
    fields = {name: devices.each(codes, name) for name in ("stuck", "variation", "writes")}
    level = np.where(fields["stuck"] == 1, devices.each(codes, "level"), 0)
    now = one.codes(level=level, **fields).astype(np.int64)
    pulses = 0
    for _ in range(limit):
        error = wanted - one.read(now, "level")
        given = np.sign(error) * (np.abs(error) > tolerance)
        if not given.any():
            break
        pulses += int(np.abs(given).sum())
        draws = generator.integers(0, 1 << 16, now.shape) if one.draws else None
        now = programmed(one, given, now, draws)
    fields = {name: one.read(now, name) for name in ("level", *fields)}
    return devices.joined(**fields), pulses
