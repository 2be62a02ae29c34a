"""Whether a chip fits a device, estimated from its structure before any synthesis.

Memories and multipliers are counted as synthesis builds them; look-up tables are estimated by a
linear model whose coefficients were fitted to synthesis results (``Family.lut_costs``).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.fpga.families.family import Device, Family
from spikelet.fpga.logic_terms import LOGIC_TERMS, logic_terms, multiplications
from spikelet.fpga.memories import Memory, PlacedMemory, chip_memories, place_memory
from spikelet.fpga.remedies import Change, changes

__all__ = [
    "LUT_TERMS",
    "SELF_TEST_PROGRAM",
    "Beside",
    "FitReport",
    "check_fit",
    "lut_terms",
    "require_fit",
]

LUT_TERMS = (
    *LOGIC_TERMS,
    "ram multiplexer",
    "distributed ram",
    "register memory",
    "table",
    "product",
    "image",
)
"""Names of what takes LUTs; see :func:`lut_terms`."""

SELF_TEST_PROGRAM = "self-test program"
"""Name of an image's memory that loads the chip, and so has a word for each word of weights."""


@dataclass(frozen=True)
class Beside:
    """What the image of a board holds beside the chip.

    Parameters
    ----------
    luts : int
        Logic cells, of a table of four inputs, that it takes, without its memories; families scale
        them (``image`` of their costs). ``python -m benchmarks.image_costs`` compares with packing.
    memories : tuple of Memory
        The one that is called :data:`SELF_TEST_PROGRAM` grows and shrinks with the weights.
    """

    luts: int
    memories: tuple[Memory, ...]


@dataclass(frozen=True)
class FitReport:
    """What a chip needs and what a device has, by resource.

    Parameters
    ----------
    device : str
    needed, available : dict of str to int
        The device's resources except flip-flops, and ``memory_bits``. The LUTs needed are an
        estimate.
    largest : tuple of (str, int)
        The memories that take most, in bits, largest first.
    problems : tuple of str
        What does not fit and by how much; empty if everything fits.
    remedies : tuple of str
        Changes after which it would fit, as options of ``spikelet compile``.
    guessed : tuple of str
        Families, of the device or a remedy's, whose LUTs were never compared with synthesis.
    """

    device: str
    needed: dict[str, int]
    available: dict[str, int]
    largest: tuple[tuple[str, int], ...]
    problems: tuple[str, ...]
    remedies: tuple[str, ...]
    guessed: tuple[str, ...] = ()

    @property
    def caution(self) -> str:
        """What the estimate is worth, if it is only a guess; else empty."""
        if not self.guessed:
            return ""
        return f"LUTs of {' and '.join(self.guessed)} are a guess: never compared with synthesis"

    @property
    def fits(self) -> bool:
        """Whether everything fits."""
        return not self.problems

    def __str__(self) -> str:
        counts = ", ".join(
            f"{self.needed[name]} of {available} {name.replace('_', ' ')}"
            for name, available in self.available.items()
            if self.needed[name]
        )
        verdict = "fits" if self.fits else "does not fit: " + "; ".join(self.problems)
        caution = f" ({self.caution})" if self.caution else ""
        return f"{self.device}: {counts}: {verdict}{caution}"


def check_fit(chip: ChipParams, device: Device, beside: Beside | None = None) -> FitReport:
    """Return whether a chip fits a device, and if not what is too much and what would fit.

    Parameters
    ----------
    chip : ChipParams
    device : Device
    beside : Beside or None
        For a board: what its image holds beside the chip. None: the bare chip.
    """
    need = _needed(chip, device, beside)
    problems = _problems(need, device)

    def fits(change: Change) -> bool:
        resized = None if beside is None else _resized(beside, chip, change.chip)
        return not _problems(_needed(change.chip, change.device, resized), change.device)

    memories = sorted(_memories(chip, beside), key=lambda memory: -memory.bits)
    found = changes(chip, device, fits, board=beside is not None) if problems else ()
    families = dict.fromkeys(d.family for d in (device, *(change.device for change in found)))
    return FitReport(
        device=device.name,
        needed=need,
        available=_available(device),
        largest=tuple((memory.name, memory.bits) for memory in memories[:3]),
        problems=tuple(problems),
        remedies=tuple(change.options for change in found),
        guessed=tuple(family.title for family in families if family.lut_error is None),
    )


def require_fit(chip: ChipParams, device: Device, beside: Beside | None = None) -> FitReport:
    """Return :func:`check_fit`'s report; SpikeletError with the numbers if it does not fit."""
    report = check_fit(chip, device, beside)
    if not report.fits:
        largest = ", ".join(f"{name} {bits} bits" for name, bits in report.largest)
        what = "chip" if beside is None else "chip, with what the image holds beside it,"
        raise SpikeletError(
            f"the {what} does not fit {device.name}: it needs {'; '.join(report.problems)}. "
            f"Largest memories: {largest}",
            remedy=f"compile with {' or with '.join(report.remedies)}"
            + (f". {report.caution}" if report.caution else "")
            if report.remedies
            else "use a smaller network: neither fewer lanes, pipelines or weight bits, nor "
            f"another memory or device makes room; {report.largest[0][0]} is the largest memory",
        )
    return report


def lut_terms(chip: ChipParams, device: Device, beside: Beside | None = None) -> Counter[str]:
    """Return how much there is of what takes LUTs: those of :func:`logic_terms`, and of memories.

    ``ram multiplexer``: bits of the multiplexers that join RAM cells to a deeper memory;
    ``distributed ram``: its cells; ``register memory``: bits of memories that become registers;
    ``table``: bits of ROMs that become logic; ``product``: bits of one operand times those of the
    other, of multiplications in a family without multipliers; ``image``: what the logic of an image
    takes in cells of a table of four inputs.
    """
    terms = logic_terms(chip)
    for _, placed in _placed(chip, device, beside):
        terms["ram multiplexer"] += placed.multiplexers
        terms["distributed ram"] += placed.cells * (placed.resource == "distributed_rams")
        terms["register memory"] += placed.cells * (placed.resource == "registers")
        terms["table"] += placed.cells * (placed.resource == "tables")
    if device.family.multiplier is None:
        for core in chip.cores:
            for left, right, number in multiplications(core):
                terms["product"] += left * right * number
    if beside is not None:
        terms["image"] += beside.luts
    return terms


def _placed(
    chip: ChipParams, device: Device, beside: Beside | None
) -> Iterable[tuple[Memory, PlacedMemory]]:
    for memory in _memories(chip, beside):
        yield memory, place_memory(memory, device.family.rams)


def _estimated(device: Device) -> dict[str, int]:
    """Return the device's number of each resource but flip-flops.

    They are not estimated: a chip takes at most as many of them as of LUTs, a learning core with
    tags 7,300 beside 7,600, and LUTs may not fill a device.
    """
    return {name: n for name, n in device.capacity.items() if name != "flip_flops"}


def _needed(chip: ChipParams, device: Device, beside: Beside | None) -> dict[str, int]:
    family = device.family
    need = dict.fromkeys([*_estimated(device), "memory_bits"], 0)
    for memory, placed in _placed(chip, device, beside):
        if placed.resource in need:
            need[placed.resource] += placed.cells
            need["memory_bits"] += memory.bits
    if family.multiplier:
        need["dsps"] = sum(
            number * family.multiplier.cells(left, right)
            for core in chip.cores
            for left, right, number in multiplications(core)
        )
    terms = lut_terms(chip, device, beside)
    need["luts"] = round(sum(_lut_cost(family, name) * terms[name] for name in LUT_TERMS))
    return need


def _lut_cost(family: Family, term: str) -> float:
    if term not in family.lut_costs:
        raise SpikeletError(
            f"family {family.name}: lut_costs lacks {term!r}",
            remedy="python -m benchmarks.fit_estimates --fit prints what synthesis of chips gives",
        )
    return family.lut_costs[term]


def _memories(chip: ChipParams, beside: Beside | None) -> Iterable[Memory]:
    yield from chip_memories(chip)
    yield from beside.memories if beside else ()


def _resized(beside: Beside, before: ChipParams, after: ChipParams) -> Beside:
    """Return what is beside another chip: the program loads its weights."""
    words = [sum(c.weight_rows * c.weight_banks for c in chip.cores) for chip in (before, after)]
    memories = tuple(
        replace(memory, rows=memory.rows + words[1] - words[0])
        if memory.name == SELF_TEST_PROGRAM
        else memory
        for memory in beside.memories
    )
    return replace(beside, memories=memories)


def _problems(need: dict[str, int], device: Device) -> list[str]:
    problems = []
    usable = device.family.usable
    for name, available in _estimated(device).items():
        limit = int(available * usable) if name == "luts" else available
        if need[name] > limit:
            over = f"{need[name]} {name.replace('_', ' ')} of {available}"
            note = f", of which {usable:.0%} can be used" if limit != available else ""
            problems.append(f"{over}{note} ({need[name] - limit} too many)")
    return problems


def _available(device: Device) -> dict[str, int]:
    bits = {resource.name: resource.bits for resource in device.family.resources}
    available = _estimated(device)
    memory_bits = sum(number * bits[name] for name, number in available.items())
    return {**available, "memory_bits": memory_bits}
