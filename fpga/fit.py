"""Whether a chip fits a device, estimated from its structure before any synthesis.

Memories are counted exactly as they are built; look-up tables are estimated by a linear model whose
coefficients were fitted to synthesis results.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from fpga.devices import DEVICES, Device
from spikelet.description.packets import destination_packet, flit_packet
from spikelet.description.params import ChipParams, CoreParams, unsigned_bits
from spikelet.errors import SpikeletError

__all__ = [
    "LUT_COEFFICIENTS",
    "FitReport",
    "Memory",
    "check_fit",
    "chip_memories",
    "logic_terms",
    "require_fit",
]

LUT_COEFFICIENTS = {
    "ecp5": {"chip": 710.0, "core": 850.0, "sum": 2.5, "pipeline": 7.2, "router": 7.1},
    "ice40": {"chip": 710.0, "core": 1300.0, "sum": 3.05, "pipeline": 13.4, "router": 6.25},
}
"""LUTs for each unit of :func:`logic_terms`, fitted by ``python -m benchmarks.fit_estimates``."""

_FILL = 0.9
"""Share of a device's LUTs beyond which placement and routing tend to fail."""

_LARGEST_DISTRIBUTED = 31
"""ECP5: 16 x 4 bit cells up to which Yosys prefers distributed RAM to a block RAM."""

_SMALLEST_BLOCK = 65
"""iCE40: bits from which Yosys prefers a block RAM to registers."""

_DISTRIBUTED_LUTS = 6
"""LUTs that a distributed RAM of 16 x 4 bits takes, with its share of the write decoder."""


@dataclass(frozen=True)
class Memory:
    """A memory of the chip, in banks that synthesis places one by one.

    Parameters
    ----------
    name : str
    rows, bank_bits, banks : int
    kind : str
        ``"auto"``, ``"block"`` or ``"spram"``.
    """

    name: str
    rows: int
    bank_bits: int
    banks: int = 1
    kind: str = "auto"

    @property
    def bits(self) -> int:
        """Bits of all banks."""
        return self.rows * self.bank_bits * self.banks


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
        Changes after which it would fit.
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


def chip_memories(chip: ChipParams) -> list[Memory]:
    """Return every memory of the cores; the queues of their routers count as LUTs."""
    memories = []
    for number, core in enumerate(chip.cores):
        memories += [
            replace(memory, name=f"core {number} {memory.name}")
            for memory in _core_memories(core, destination_packet(chip, core).width)
        ]
    return memories


def _core_memories(core: CoreParams, destination_bits: int) -> Iterable[Memory]:
    weight_bits = min(32, core.lanes * core.weight_bits)
    row_bits = unsigned_bits(core.rows - 1)
    bitmap_rows = core.delay_slots << (core.scan_words - 1).bit_length()
    yield Memory("weights", core.weight_rows, weight_bits, core.weight_banks, core.weight_memory)
    yield Memory("state", core.rows, core.potential_bits + 1, core.pipelines)
    yield Memory("destinations", core.n_neurons + core.list_entries, destination_bits)
    yield Memory("axon list", core.n_axons, unsigned_bits(core.n_axons - 1))
    yield Memory("axon bitmap", bitmap_rows, core.scan_bits)
    yield Memory("fired queue", core.rows, core.pipelines + row_bits)
    for name, bits in (
        ("threshold", core.potential_bits),
        ("decay", 12),
        ("bias", core.potential_bits),
        ("reset_potential", core.potential_bits),
    ):
        if getattr(core, name) == "neuron":
            yield Memory(name, core.rows, bits, core.pipelines)


def _place(memory: Memory, device: Device) -> tuple[str, int]:
    """Return the resource that a memory takes, and how many of it."""
    if memory.kind == "spram" and device.sprams:
        return "sprams", memory.banks * -(-memory.rows // 16384) * -(-memory.bank_bits // 16)
    cells = -(-memory.rows // 16) * -(-memory.bank_bits // 4)
    bits = memory.rows * memory.bank_bits
    if memory.kind == "auto" and device.distributed_ram and cells <= _LARGEST_DISTRIBUTED:
        return "luts", memory.banks * cells * _DISTRIBUTED_LUTS
    if memory.kind == "auto" and not device.distributed_ram and bits < _SMALLEST_BLOCK:
        return "luts", memory.banks * bits
    blocks = min(
        -(-memory.rows // rows) * -(-memory.bank_bits // width)
        for rows, width in device.block_ram_shapes
    )
    return "block_rams", memory.banks * blocks


def _needed(chip: ChipParams, device: Device) -> dict[str, int]:
    needed = {"luts": 0, "block_rams": 0, "dsps": 0, "sprams": 0, "memory_bits": 0}
    for memory in chip_memories(chip):
        resource, number = _place(memory, device)
        needed[resource] += number
        needed["memory_bits"] += memory.bits
    needed["dsps"] = sum(_multipliers(core, device) for core in chip.cores)
    needed["luts"] += round(_logic(chip, device))
    return needed


def _multipliers(core: CoreParams, device: Device) -> int:
    """Return the DSPs of the decay multipliers: signed potential by 12 bits and a sign."""
    if core.decay == "none":
        return 0
    width = {"ecp5": 18, "ice40": 16}[device.family]
    return core.pipelines * -(-core.potential_bits // width)


def logic_terms(chip: ChipParams) -> dict[str, int]:
    """Return how much there is of what takes LUTs.

    ``chip``: 1; ``core``: cores; ``sum``: bits of the sums of all lanes; ``pipeline``: potential
    bits of all pipelines; ``router``: ports of all routers, times the bits of a flit.
    """
    return {
        "chip": 1,
        "core": len(chip.cores),
        "sum": sum(core.lanes * core.current_bits for core in chip.cores),
        "pipeline": sum(core.pipelines * core.potential_bits for core in chip.cores),
        "router": _router_ports(chip) * flit_packet(chip).width,
    }


def _router_ports(chip: ChipParams) -> int:
    """Return the ports of all routers: of cores and of the host, and two for each link."""
    if chip.topology == "tree":
        return 3 * max(1, chip.width - 1)
    around = chip.topology in ("torus", "ring")
    along_row, along_column = (
        size if around and size > 1 else size - 1 for size in (chip.width, chip.height)
    )
    links = chip.height * along_row + chip.width * along_column
    return len(chip.cores) + 1 + 2 * links


def _logic(chip: ChipParams, device: Device) -> float:
    factor = LUT_COEFFICIENTS[device.family]
    return sum(factor[name] * number for name, number in logic_terms(chip).items())


def _problems(needed: dict[str, int], device: Device) -> list[str]:
    problems = []
    for name, available in _available(device).items():
        limit = int(available * _FILL) if name == "luts" else available
        if needed[name] > limit:
            over = f"{needed[name]} {name.replace('_', ' ')} of {available}"
            note = f", of which {_FILL:.0%} can be used" if limit != available else ""
            problems.append(f"{over}{note} ({needed[name] - limit} too many)")
    return problems


def _available(device: Device) -> dict[str, int]:
    return {
        "luts": device.luts,
        "block_rams": device.block_rams,
        "dsps": device.dsps,
        "sprams": device.sprams,
        "memory_bits": device.block_rams * device.block_ram_bits + device.sprams * 262144,
    }


def check_fit(chip: ChipParams, device: Device) -> FitReport:
    """Return whether a chip fits a device, and if not what is too much and what would fit."""
    needed = _needed(chip, device)
    problems = _problems(needed, device)
    memories = sorted(chip_memories(chip), key=lambda memory: -memory.bits)
    return FitReport(
        device=device.name,
        needed=needed,
        available=_available(device),
        largest=tuple((memory.name, memory.bits) for memory in memories[:3]),
        problems=tuple(problems),
        remedies=tuple(_remedies(chip, device)) if problems else (),
    )


def require_fit(chip: ChipParams, device: Device) -> FitReport:
    """Return :func:`check_fit`'s report; SpikeletError with the numbers if it does not fit."""
    report = check_fit(chip, device)
    if not report.fits:
        largest = ", ".join(f"{name} {bits} bits" for name, bits in report.largest)
        raise SpikeletError(
            f"the chip does not fit {device.name}: it needs {'; '.join(report.problems)}. "
            f"Largest memories: {largest}",
            remedy=" or ".join(report.remedies) or "use a smaller network",
        )
    return report


def _remedies(chip: ChipParams, device: Device) -> Iterable[str]:
    def fits(cores: Iterable[CoreParams], target: Device) -> bool:
        changed = replace(chip, cores=tuple(cores))
        return not _problems(_needed(changed, target), target)

    in_spram = [replace(core, weight_memory="spram") for core in chip.cores]
    if device.sprams and fits(in_spram, device):
        yield "weights in SPRAM"
    lanes = max(core.lanes for core in chip.cores)
    while lanes > 1:
        lanes //= 2
        if fits((_with_lanes(core, lanes) for core in chip.cores), device):
            yield f"at most {lanes} lanes"
            break
    widest = max(core.weight_bits for core in chip.cores)
    for bits in range(widest - 1, 1, -1):
        if fits(
            (replace(core, weight_bits=min(core.weight_bits, bits)) for core in chip.cores), device
        ):
            yield f"weights of {bits} bits"
            break
    for other in sorted(DEVICES.values(), key=lambda device: device.luts):
        if other != device and fits(chip.cores, other):
            yield f"device {other.name}"
            break


def _with_lanes(core: CoreParams, lanes: int) -> CoreParams:
    lanes = min(core.lanes, lanes)
    return replace(core, lanes=lanes, pipelines=min(core.pipelines, lanes))
