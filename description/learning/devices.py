"""Memristive synapses: a plastic synapse as devices of few levels, one programmed at a time.

The tick contract says what a pulse does. A *code* is what a chip stores of a device, lowest first:

====================  ===========================================================================
``bits``              its level, 0..``levels - 1``
1, with ``faults``    1: stuck, pulses do not move it
4, with ``variation`` ``v``, two's complement: its steps are ``(8 + v) / 8`` of the curve's
``write_bits``        pulses that it was given, up to the largest value
====================  ===========================================================================

Of differential pairs a code is that of the device of G+, and above it that of G-.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.checks import check_int, check_range
from spikelet.description.errors import SpikeletError

__all__ = [
    "CODE_BITS",
    "DEVICE_FIELDS",
    "LARGEST_COUNT",
    "MINUS",
    "NOISE_MEAN",
    "STEP_BITS",
    "VARIATION_BITS",
    "Devices",
]

STEP_BITS = 4
"""Steps, and the deviation of noise, are in units of ``2**-4`` of the distance of two levels."""

VARIATION_BITS = 4
CODE_BITS = 31
"""Most bits of a device's code."""

LARGEST_COUNT = 16
NOISE_MEAN = 45
"""Of twice the sum of three numbers of 0..15, whose standard deviation is 15.97: nearly 16."""

DEVICE_FIELDS = ("level", "stuck", "variation", "writes")
"""What a code has of a device, lowest first."""

MINUS = "minus_"
"""Before the name of a field: that of the device of G-."""

_LARGEST_WEIGHT = 255
_LARGEST_DIFFERENCE = 127
_LARGEST_STEP = 4095

_Codes = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Devices:
    """What a plastic synapse is made of: ``count`` devices, whose conductances add up.

    A device at level ``l`` has the conductance ``off + l``, so that the on/off ratio is ``(off +
    levels - 1) / off``. The weight is the sum. The rule's change, rounded, says by its sign whether
    a device gets a pulse up, a pulse down, or none; a counter of the core says which of them.

    With ``pairs`` there are ``count`` differential pairs, and the weight is the sum of their G+
    less that of their G-. A pulse up goes to the device of G+, one down to that of G-, and both
    raise its level: nothing but a refresh lowers one. See Suri et al. 2011, "Phase change memory as
    synapse for ultra-dense neuromorphic systems", IEDM.

    Parameters
    ----------
    count : int
        N, 1..16: devices, or pairs.
    up, down : tuple of int
        Size of a step by a pulse up or down at each level, in 1/16 of a level, 0..4095: as many as
        there are levels, 2 to ``2**bits``.
    bits : int
        Of a level, 1..8.
    noise : int
        Standard deviation of a pulse's step, in 1/16 of a level, 0..4095. See
        ``docs/memristors.md`` for the law.
    off : int
        Conductance of the lowest level, 0..255, in levels.
    faults : bool
        Whether devices can be stuck.
    variation : bool
        Whether the size of steps differs from device to device.
    write_bits : int
        Of a device's count of pulses, 0..16; 0: none.
    pairs : bool
        Whether a weight is a difference of two conductances.
    slice_bits : int
        Device ``d``, or pair, counts ``2**(slice_bits * d)`` times in the weight: bit slices. 0:
        all count alike. At most as many as levels have room for, so that there is no gap between
        weights.
    refresh : int
        Of pairs: where both devices are at this level or above after a pulse, the difference is
        written into one and the other is reset. 1..``levels - 1``; 0: never.
    name : str
    source : str
        Where the curves come from.

    Raises
    ------
    SpikeletError
        If a field is outside its range.
    """

    count: int
    up: tuple[int, ...]
    down: tuple[int, ...]
    bits: int = 4
    noise: int = 0
    off: int = 0
    faults: bool = False
    variation: bool = False
    write_bits: int = 0
    pairs: bool = False
    refresh: int = 0
    slice_bits: int = 0
    name: str = "custom"
    source: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        what = "devices:"
        check_int(f"{what} count", self.count, 1, LARGEST_COUNT)
        check_int(f"{what} bits", self.bits, 1, 8)
        check_int(f"{what} noise", self.noise, 0, _LARGEST_STEP)
        check_int(f"{what} off", self.off, 0, _LARGEST_WEIGHT)
        check_int(f"{what} write_bits", self.write_bits, 0, 16)
        for name in ("faults", "variation", "pairs"):
            if not isinstance(getattr(self, name), bool):
                raise SpikeletError(f"{what} {name} must be true or false")
        for name in ("up", "down"):
            steps = getattr(self, name)
            if not isinstance(steps, tuple | list):
                raise SpikeletError(f"{what} {name} must be a list of ints, not {steps!r}")
            object.__setattr__(self, name, tuple(steps))
            if not 2 <= len(steps) <= 1 << self.bits:
                raise SpikeletError(
                    f"{what} {name} has a step for each of {len(steps)} levels, but {self.bits} "
                    f"bits hold 2 to {1 << self.bits}",
                    remedy="give more bits, or fewer levels",
                )
            for step in steps:
                check_int(f"{what} {name}", step, 0, _LARGEST_STEP)
        if len(self.up) != len(self.down):
            raise SpikeletError(
                f"{what} up and down must be of the same levels, not {len(self.up)} and "
                f"{len(self.down)}"
            )
        check_int(f"{what} slice_bits", self.slice_bits, 0, 8)
        if self.levels < 1 << self.slice_bits:
            raise SpikeletError(
                f"{what} slice_bits of {self.slice_bits} need {1 << self.slice_bits} levels or "
                f"more, but there are {self.levels}: weights in between could not be written",
                remedy="give more levels, or fewer slice_bits",
            )
        most = _LARGEST_DIFFERENCE if self.pairs else _LARGEST_WEIGHT
        if self.w_max > most:
            each = "differences" if self.pairs else "conductances"
            raise SpikeletError(
                f"{what} {self.count} of {each} up to {self.w_max // sum(self.scales)} add up to "
                f"{self.w_max}, but a weight is at most {most}",
                remedy="use fewer devices, or fewer levels",
            )
        if self.refresh and not self.pairs:
            raise SpikeletError(
                f"{what} refresh is that of differential pairs, but there are none",
                remedy="give pairs, or leave it out",
            )
        check_int(f"{what} refresh", self.refresh, 0, self.levels - 1)
        if self.code_bits > CODE_BITS:
            raise SpikeletError(
                f"{what} a code of a pair takes {self.code_bits} bits, but has {CODE_BITS} at most",
                remedy="use fewer levels, or smaller write_bits",
            )

    @property
    def levels(self) -> int:
        """Levels of a device."""
        return len(self.up)

    @property
    def w_min(self) -> int:
        """Smallest weight."""
        return -self.w_max if self.pairs else sum(self.scales) * self.off

    @property
    def w_max(self) -> int:
        """Largest weight."""
        return sum(self.scales) * (self.levels - 1 + (0 if self.pairs else self.off))

    @property
    def scales(self) -> tuple[int, ...]:
        """How often each device, or pair, counts in the weight: a power of two."""
        return tuple(1 << self.slice_bits * device for device in range(self.count))

    @property
    def sides(self) -> tuple[str, ...]:
        """What precedes the names of fields: of a device alone, or of those of G+ and of G-."""
        return ("", MINUS) if self.pairs else ("",)

    @property
    def draws(self) -> bool:
        """Whether a pulse draws: for its noise, or to round."""
        whole = 1 << STEP_BITS
        used = self.up if self.pairs else (*self.up, *self.down)
        fractions = any(step % whole for step in used)
        return bool(self.noise) or self.variation or fractions

    @property
    def fields(self) -> dict[str, tuple[int, int]]:
        """First bit and bits of each of a code's fields, as far as there are.

        They are :data:`DEVICE_FIELDS` and, of pairs, the same with :data:`MINUS` before.
        """
        widths = (self.bits, int(self.faults), VARIATION_BITS * self.variation, self.write_bits)
        found, first = {}, 0
        for side in self.sides:
            for name, bits in zip(DEVICE_FIELDS, widths, strict=True):
                if bits:
                    found[f"{side}{name}"] = (first, bits)
                first += bits
        return found

    @property
    def code_bits(self) -> int:
        """Bits of a code."""
        return sum(bits for _, bits in self.fields.values())

    def read(self, codes: npt.NDArray[np.integer], name: str) -> npt.NDArray[np.int64]:
        """Return a field of codes; zeros if there is none of this name."""
        wide: npt.NDArray[np.int64] = codes.astype(np.int64)
        if name not in self.fields:
            return np.zeros_like(wide)
        first, bits = self.fields[name]
        values = (wide >> first) & ((1 << bits) - 1)
        signed = name.removeprefix(MINUS) == "variation"
        return values - (values >> (bits - 1) << bits) if signed else values

    def each(self, codes: npt.NDArray[np.integer], name: str) -> npt.NDArray[np.int64]:
        """Return a field of each device, codes of shape (count, ...), those of G+ first.

        Shape (count, ...), and of pairs (2 * count, ...).
        """
        return np.concatenate([self.read(codes, f"{side}{name}") for side in self.sides])

    def codes(self, **values: npt.NDArray[np.integer] | npt.NDArray[np.bool_]) -> _Codes:
        """Return the codes with these fields, given by name; what is not given is 0."""
        total = np.zeros((), np.int64)
        for name, value in values.items():
            if name in self.fields:
                first, bits = self.fields[name]
                total = total | ((value.astype(np.int64) & ((1 << bits) - 1)) << first)
            elif np.any(value):
                raise SpikeletError(
                    f"devices: {name} is given, but these devices have none",
                    remedy="build them with it",
                )
        return total.astype(np.int32)

    def joined(self, **values: npt.NDArray[np.integer] | npt.NDArray[np.bool_]) -> _Codes:
        """Return the codes of fields as :meth:`each` has them; what is not given is 0."""
        fields = {}
        for name, value in values.items():
            for side, part in zip(self.sides, np.split(value, len(self.sides)), strict=True):
                fields[f"{side}{name}"] = part
        return self.codes(**fields)

    def differences(self, codes: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
        """Return what each code adds to its weight, in levels: G+, or of a pair G+ - G-."""
        return self.read(codes, "level") - self.read(codes, f"{MINUS}level")

    def weights(self, codes: _Codes) -> npt.NDArray[np.int64]:
        """Return the weights of codes of shape (count, ...)."""
        lowest = 0 if self.pairs else self.w_min
        found: npt.NDArray[np.int64] = np.tensordot(self.scales, self.differences(codes), 1)
        return lowest + found

    def shared(self, weights: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
        """Return levels that make these weights, as :meth:`each` does.

        They are as equal as they can be; of bit slices, the most significant first. Of a pair one
        is 0.
        """
        wide = weights.astype(np.int64)
        sums = [np.maximum(wide, 0), np.maximum(-wide, 0)] if self.pairs else [wide - self.w_min]
        if self.slice_bits:
            return np.concatenate([self._sliced(total) for total in sums])
        first = np.arange(self.count).reshape(-1, *[1] * weights.ndim)
        parts = [np.divmod(total, self.count) for total in sums]
        return np.concatenate([each + (first < left) for each, left in parts])

    def _sliced(self, total: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return levels of bit slices that add up to a total, shape (count, ...)."""
        parts = []
        for scale in reversed(self.scales):
            parts.append(np.minimum(total // scale, self.levels - 1))
            total = total - parts[-1] * scale
        return np.stack(parts[::-1])

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-compatible values."""
        values = asdict(self)
        if not self.pairs:  # what devices have no use for is not named
            del values["pairs"], values["refresh"]
        if not self.slice_bits:
            del values["slice_bits"]
        return values

    def check(
        self,
        codes: _Codes,
        weights: npt.NDArray[np.integer],
        plastic: npt.NDArray[np.bool_],
        what: str,
    ) -> None:
        """Raise SpikeletError unless codes, shape (count, n_axons, n_neurons), make the weights.

        Parameters
        ----------
        codes : array of int32
        weights : array, shape (n_axons, n_neurons)
        plastic : array of bool, shape (n_axons,)
            The others' devices are not used, and 0.
        what : str
            For messages.
        """
        check_range(f"{what}: devices", codes, 0, (1 << self.code_bits) - 1)
        levels = self.each(codes, "level")
        check_range(f"{what}: levels of devices", levels, 0, self.levels - 1)
        wrong = (self.weights(codes) != weights) & plastic[:, None]
        if wrong.any():
            axon, neuron = np.argwhere(wrong)[0].tolist()
            raise SpikeletError(
                f"{what}: the devices of axon {axon} and neuron {neuron} add up to "
                f"{self.weights(codes)[axon, neuron]}, but the weight is {weights[axon, neuron]}"
            )
