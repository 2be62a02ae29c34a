"""Networks whose devices have drifted, and thresholds that make up for it."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError
from spikelet.description.learning.devices import Devices
from spikelet.description.learning.drift import Drift
from spikelet.network.integer_layers import IntegerProjection
from spikelet.network.integers import IntegerNetwork
from spikelet.network.matrices import dense

__all__ = ["compensated", "devices_of", "drifted", "with_codes"]

_SCALED = ("threshold", "bias")

_Codes = npt.NDArray[np.int32]


def devices_of(network: IntegerNetwork) -> Iterator[tuple[int, IntegerProjection, Devices, _Codes]]:
    """Yield number, projection, devices and their codes of each projection made of devices."""
    for number, projection in enumerate(network.projections):
        devices = projection.rule.devices if projection.rule else None
        if devices is None:
            continue
        codes = projection.devices
        if codes is None:
            codes = devices.joined(level=devices.shared(dense(projection.weights)))
        yield number, projection, devices, codes


def with_codes(network: IntegerNetwork, codes: dict[int, _Codes]) -> IntegerNetwork:
    """Return the network with other devices of some projections, by number, and their weights."""
    projections = list(network.projections)
    for number, _, devices, _ in devices_of(network):
        if number in codes:
            weights = devices.weights(codes[number]).astype(np.int16)
            projections[number] = replace(
                projections[number], weights=weights, devices=codes[number]
            )
    return replace(network, projections=tuple(projections))


def drifted(
    network: IntegerNetwork, drift: Drift, seconds: float, *, reading: int = 0
) -> IntegerNetwork:
    """Return a network as its devices are some time after they were programmed.

    It compiles to the same chip, with other contents.

    Parameters
    ----------
    network : IntegerNetwork
        As programmed: ``PlasticNetwork.integers()``, or ``Run.network`` of what was learned.
    drift : Drift
    seconds : float
        Since programming.
    reading : int
        0 or more: each has read noise of its own.

    Raises
    ------
    SpikeletError
        If no projection is made of devices, or ``seconds`` is outside its range.
    """
    codes = {
        number: drift.codes(devices, codes, seconds, array=number, reading=reading)
        for number, _, devices, codes in devices_of(network)
    }
    if not codes:
        raise SpikeletError(
            f"network {network.name!r} has no projections made of devices, which could drift",
            remedy="give a projection a rule and devices",
        )
    return with_codes(network, codes)


def compensated(programmed: IntegerNetwork, now: IntegerNetwork) -> IntegerNetwork:
    """Return ``now`` with thresholds and biases as much smaller as its conductances have become.

    A factor for each population, measured by reading all devices that lead to it: the sum of their
    conductances now, over that when they were programmed. After the global drift compensation of
    Joshi et al. 2020, "Accurate deep neural network inference using computational phase-change
    memory", Nature Communications 11:2473, which scales the outputs instead.

    Parameters
    ----------
    programmed, now : IntegerNetwork
        The same network, before and after a drift.

    Raises
    ------
    SpikeletError
        If projections into a population are partly not made of devices, nothing is left of its
        conductances, or the networks are not the same.
    """
    sums: dict[str, list[float]] = {}
    for index, network in enumerate((programmed, now)):
        for _, projection, devices, codes in devices_of(network):
            level = devices.each(codes, "level")
            scales = np.tile(devices.scales, len(devices.sides))
            total = float(np.tensordot(scales, devices.off + level, 1).sum())
            sums.setdefault(projection.target, [0.0, 0.0])[index] += total
    populations = []
    for population in now.populations:
        before, after = sums.get(population.name, (1.0, 1.0))
        what = f"network {now.name!r}: population {population.name!r}"
        if not before or not after:
            raise SpikeletError(f"{what}: its devices, now or as programmed, conduct nothing")
        into = [p for p in now.projections if p.target == population.name]
        fixed = [p for p in into if p.rule is None or p.rule.devices is None]
        if population.name in sums and fixed:
            raise SpikeletError(
                f"{what}: {fixed[0].title} is not made of devices, and does not drift with them",
                remedy="make all projections into it of devices",
            )
        parameters = dict(population.parameters)
        for name in set(_SCALED) & set(parameters):
            values = np.rint(parameters[name] * (after / before)).astype(np.int32)
            least = 1 if name == "threshold" else None
            parameters[name] = np.maximum(values, least) if least else values
        populations.append(replace(population, parameters=parameters))
    return replace(now, populations=tuple(populations))
