"""What would make a chip fit: options of ``spikelet compile``, tried by the estimate."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import Any

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.fpga.families import devices
from spikelet.fpga.families.family import Device

__all__ = ["Change", "changes"]

_ChipChange = Callable[[ChipParams], ChipParams]
_Way = list[tuple[str, _ChipChange]]


@dataclass(frozen=True)
class Change:
    """A chip and a device to try, and the options that give them."""

    chip: ChipParams
    device: Device
    options: str


def changes(
    chip: ChipParams, device: Device, fits: Callable[[Change], bool], *, board: bool
) -> tuple[Change, ...]:
    """Return the changes with which a chip fits: alone, else together; another device at last.

    Options that fit without a further one are not offered again beside it. Of each the value is the
    nearest to the present one. A larger device is offered as it is, or else, if nothing fits the
    present one, with other options.

    Parameters
    ----------
    chip : ChipParams
    device : Device
    fits : callable
        Whether a change fits, by the estimate.
    board : bool
        Whether to offer boards rather than devices.
    """
    here = list(_found(chip, device, "", fits))
    names = _on_boards() if board else {name: name for name in devices()}
    others = sorted(
        (found for name, found in devices().items() if name in names),
        key=lambda other: other.capacity["luts"],
    )
    targets = [(other, f"--target {names[other.name]}") for other in others if other != device]
    for other, target in targets:
        change = Change(chip, other, target)
        if fits(change):
            return (*here, change)
    if not here:
        for other, target in targets:
            here += _found(chip, other, f"{target} ", fits)
    return tuple(here)


def _on_boards() -> dict[str, str]:
    """Return the first board of each device that some board has."""
    from spikelet.boards import BOARDS  # noqa: PLC0415 - they take long to import

    return {board.device: name for name, board in reversed(BOARDS.items())}


def _found(
    chip: ChipParams, device: Device, prefix: str, fits: Callable[[Change], bool]
) -> Iterator[Change]:
    """Yield the changes of the smallest sets of options with which a chip fits a device."""
    ways = _ways(chip, device)
    enough: list[set[int]] = []
    for size in range(1, len(ways) + 1):
        for chosen in combinations(range(len(ways)), size):
            if any(known <= set(chosen) for known in enough):
                continue
            for options in product(*(ways[way] for way in chosen)):
                changed = _changed(chip, [change for _, change in options])
                if changed is None:
                    continue
                text = prefix + " ".join(option for option, _ in options)
                change = Change(changed, device, text)
                if fits(change):
                    enough.append(set(chosen))
                    yield change
                    break


def _changed(chip: ChipParams, chosen: list[_ChipChange]) -> ChipParams | None:
    """Return a changed chip; None if such cores cannot be built."""
    try:
        for change in chosen:
            chip = change(chip)
    except SpikeletError:  # a rule's bounds, or the narrowest weights of their format
        return None
    return chip


def _ways(chip: ChipParams, device: Device) -> list[_Way]:
    """Return, for each option that may help, its values and what they make of a chip."""
    cores = chip.cores

    def halves(largest: int) -> list[int]:
        return [largest >> shift for shift in range(1, largest.bit_length())]

    in_spram: _Way = [("--weight-memory spram", _of_cores(weight_memory=lambda _: "spram"))]
    may = device.offers("spram") and any(core.weight_memory != "spram" for core in cores)
    ways: list[_Way] = [
        in_spram if may else [],
        [(f"--weight-bits {n}", _with_bits(n)) for n in _narrower(cores)],
        [(f"--lanes {n}", _with_lanes(n)) for n in halves(max(c.lanes for c in cores))],
        [(f"--pipelines {n}", _with_pipelines(n)) for n in halves(max(c.pipelines for c in cores))],
        [(f"--fifo-depth {n}", _with_fifo_depth(n)) for n in halves(chip.fifo_depth) if n > 1],
        [("--no-tick-timer", _without_timer)] if chip.tick_timer else [],
    ]
    return [way for way in ways if way]


def _narrower(cores: tuple[CoreParams, ...]) -> range:
    """Return narrower widths of the weights, widest first: those that ``--weight-bits`` takes."""
    return range(max(core.weight_bits for core in cores) - 1, 1, -1)


def _of_cores(**fields: Callable[[CoreParams], object]) -> _ChipChange:
    """Return the change that gives fields of every core new values."""

    def change(chip: ChipParams) -> ChipParams:
        cores = []
        for core in chip.cores:
            values: dict[str, Any] = {name: value(core) for name, value in fields.items()}
            cores.append(replace(core, **values))
        return replace(chip, cores=tuple(cores))

    return change


def _with_bits(bits: int) -> _ChipChange:
    return _of_cores(weight_bits=lambda core: min(core.weight_bits, bits))


def _with_lanes(lanes: int) -> _ChipChange:
    return _of_cores(
        lanes=lambda core: min(core.lanes, lanes),
        synapse_options=lambda core: core.synapse_format.options_with(core, min(core.lanes, lanes)),
        pipelines=lambda core: min(core.pipelines, lanes),
    )


def _with_pipelines(pipelines: int) -> _ChipChange:
    return _of_cores(pipelines=lambda core: min(core.pipelines, pipelines))


def _without_timer(chip: ChipParams) -> ChipParams:
    return replace(chip, tick_timer=False)


def _with_fifo_depth(depth: int) -> _ChipChange:
    return lambda chip: replace(chip, fifo_depth=depth)
