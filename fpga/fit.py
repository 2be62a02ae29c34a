"""Whether a chip fits a device, estimated from its structure before any synthesis.

Memories and multipliers are counted as synthesis builds them; look-up tables are estimated by a
linear model whose coefficients were fitted to synthesis results (``fpga/family_costs.py``).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.fpga.devices import Device
from spikelet.fpga.family_costs import FAMILY_COSTS, multiplier_cells
from spikelet.fpga.logic_terms import LOGIC_TERMS, logic_terms, multiplications
from spikelet.fpga.memories import Memory, PlacedMemory, chip_memories, place_memory
from spikelet.fpga.remedies import Change, changes

__all__ = [
    "LUT_TERMS",
    "SELF_TEST_PROGRAM",
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
    "image",
)
"""Names of what takes LUTs; see :func:`lut_terms`."""

SELF_TEST_PROGRAM = "self-test program"
"""Name of an image's memory that loads the chip, and so has a word for each word of weights."""


@dataclass(frozen=True)
class FitReport:
    """What a chip needs and what a device has, by resource.

    Parameters
    ----------
    device : str
    needed, available : dict of str to int
        ``luts`` (needed: an estimate), ``block_rams``, ``dsps``, ``sprams``, ``memory_bits``.
    largest : tuple of (str, int)
        The memories that take most, in bits, largest first.
    problems : tuple of str
        What does not fit and by how much; empty if everything fits.
    remedies : tuple of str
        Changes after which it would fit, as options of ``spikelet compile``.
    """

    device: str
    needed: dict[str, int]
    available: dict[str, int]
    largest: tuple[tuple[str, int], ...]
    problems: tuple[str, ...]
    remedies: tuple[str, ...]

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
        return f"{self.device}: {counts}: {verdict}"


def check_fit(chip: ChipParams, device: Device, image: Sequence[Memory] | None = None) -> FitReport:
    """Return whether a chip fits a device, and if not what is too much and what would fit.

    Parameters
    ----------
    chip : ChipParams
    device : Device
    image : sequence of Memory, or None
        For a board: the memories that its image holds beside the chip; the one that is called
        :data:`SELF_TEST_PROGRAM` grows and shrinks with the weights. None: the bare chip.
    """
    need = _needed(chip, device, image)
    problems = _problems(need, device)

    def fits(change: Change) -> bool:
        resized = None if image is None else _resized(image, chip, change.chip)
        return not _problems(_needed(change.chip, change.device, resized), change.device)

    memories = sorted([*chip_memories(chip), *(image or ())], key=lambda memory: -memory.bits)
    return FitReport(
        device=device.name,
        needed=need,
        available=_available(device),
        largest=tuple((memory.name, memory.bits) for memory in memories[:3]),
        problems=tuple(problems),
        remedies=changes(chip, device, fits, board=image is not None) if problems else (),
    )


def require_fit(
    chip: ChipParams, device: Device, image: Sequence[Memory] | None = None
) -> FitReport:
    """Return :func:`check_fit`'s report; SpikeletError with the numbers if it does not fit."""
    report = check_fit(chip, device, image)
    if not report.fits:
        largest = ", ".join(f"{name} {bits} bits" for name, bits in report.largest)
        what = "chip" if image is None else "chip, with what the image holds beside it,"
        raise SpikeletError(
            f"the {what} does not fit {device.name}: it needs {'; '.join(report.problems)}. "
            f"Largest memories: {largest}",
            remedy=f"compile with {' or with '.join(report.remedies)}"
            if report.remedies
            else "use a smaller network: neither fewer lanes, pipelines or weight bits, nor SPRAM, "
            f"nor another device makes room; {report.largest[0][0]} is the largest memory",
        )
    return report


def lut_terms(
    chip: ChipParams, device: Device, image: Sequence[Memory] | None = None
) -> Counter[str]:
    """Return how much there is of what takes LUTs: those of :func:`logic_terms`, and of memories.

    ``ram multiplexer``: bits of the multiplexers that join RAM cells to a deeper memory;
    ``distributed ram``: its cells; ``register memory``: bits of memories that become registers;
    ``table``: bits of ROMs that become logic; ``image``: 1 if there is a self-test.
    """
    terms = logic_terms(chip)
    for _, placed in _placed(chip, device, image):
        terms["ram multiplexer"] += placed.multiplexers
        terms["distributed ram"] += placed.cells * (placed.resource == "distributed_rams")
        terms["register memory"] += placed.cells * (placed.resource == "registers")
        terms["table"] += placed.cells * (placed.resource == "tables")
    terms["image"] = int(image is not None)
    return terms


def _placed(
    chip: ChipParams, device: Device, image: Sequence[Memory] | None
) -> Iterable[tuple[Memory, PlacedMemory]]:
    costs = FAMILY_COSTS[device.family]
    for memory in (*chip_memories(chip), *(image or ())):
        yield memory, place_memory(memory, costs.rams)


def _needed(chip: ChipParams, device: Device, image: Sequence[Memory] | None) -> dict[str, int]:
    costs = FAMILY_COSTS[device.family]
    need = {"luts": 0, "block_rams": 0, "dsps": 0, "sprams": 0, "memory_bits": 0}
    for memory, placed in _placed(chip, device, image):
        if placed.resource in need:
            need[placed.resource] += placed.cells
            need["memory_bits"] += memory.bits
    need["dsps"] = sum(
        number * multiplier_cells(left, right, costs.multiplier)
        for core in chip.cores
        for left, right, number in multiplications(core)
    )
    terms = lut_terms(chip, device, image)
    need["luts"] = round(sum(costs.luts[name] * terms[name] for name in LUT_TERMS))
    return need


def _resized(image: Sequence[Memory], before: ChipParams, after: ChipParams) -> tuple[Memory, ...]:
    """Return an image's memories with a program that loads the weights of another chip."""
    words = [sum(c.weight_rows * c.weight_banks for c in chip.cores) for chip in (before, after)]
    return tuple(
        replace(memory, rows=memory.rows + words[1] - words[0])
        if memory.name == SELF_TEST_PROGRAM
        else memory
        for memory in image
    )


def _problems(need: dict[str, int], device: Device) -> list[str]:
    problems = []
    usable = FAMILY_COSTS[device.family].usable
    for name in ("luts", "block_rams", "dsps", "sprams"):
        available = _available(device)[name]
        limit = int(available * usable) if name == "luts" else available
        if need[name] > limit:
            over = f"{need[name]} {name.replace('_', ' ')} of {available}"
            note = f", of which {usable:.0%} can be used" if limit != available else ""
            problems.append(f"{over}{note} ({need[name] - limit} too many)")
    return problems


def _available(device: Device) -> dict[str, int]:
    return {
        "luts": device.luts,
        "block_rams": device.block_rams,
        "dsps": device.dsps,
        "sprams": device.sprams,
        "memory_bits": device.block_rams * device.block_ram_bits + device.sprams * 262144,
    }
