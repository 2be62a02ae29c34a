"""A board's self-test at each level, from the design as it was written to the bitstream.

The board is simulated from configuration to the LED that gives the verdict. Every level runs in
lock step with the design: LEDs are compared in every clock cycle, and so is every bit of a register
that can be found by its name.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from spikelet.boards import Board
from spikelet.description.errors import SpikeletError
from spikelet.fpga.bitstream.circuit import verilog
from spikelet.fpga.bitstream.round_trip import RoundTrip, round_trip
from spikelet.fpga.families import device_named
from spikelet.fpga.families.family import Device, Family
from spikelet.fpga.registers import RegisterBit, netlist_names, placed_names, register_bits
from spikelet.sim.paired import Paired, PairedBoards
from spikelet.sim.verilator import Design

__all__ = ["LEVELS", "BuiltBoard", "Level", "Proof", "board_levels"]

LEVELS = ("rtl", "board", "netlist", "configuration")
"""From the chip's Verilog down to what the bitstream holds."""

_LIMIT = 1 << 28
_VERDICTS = ("dark", "failed", "passed", "both")


@dataclass(frozen=True)
class Level:
    """A level, compared with the one that stands for it above.

    Parameters
    ----------
    name : str
    compared : str
        What, in words; and with what.
    equal : bool
    found : str
        What differs; empty if nothing does.
    samples : int
    cycles : int or None
        Clock cycles from configuration to the verdict; None if nothing was simulated.
    """

    name: str
    compared: str
    equal: bool
    found: str
    samples: int
    cycles: int | None = None


@dataclass(frozen=True)
class Proof:
    """The levels of one build, from golden down.

    Parameters
    ----------
    board : str
    levels : tuple of Level
    """

    board: str
    levels: tuple[Level, ...]

    @property
    def equal(self) -> bool:
        """Whether every level equals the one above."""
        return all(level.equal for level in self.levels)

    @property
    def round_trip_only(self) -> bool:
        """Whether the bitstream was unpacked, and the circuit that it makes not simulated."""
        names = {level.name for level in self.levels}
        return "round trip" in names and "configuration" not in names

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-compatible values, with what follows from the fields."""
        levels = [asdict(level) for level in self.levels]
        return {"board": self.board, "equal": self.equal, "levels": levels}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "Proof":
        """Inverse of :meth:`to_dict`; KeyError or TypeError for other fields."""
        return cls(fields["board"], tuple(Level(**level) for level in fields["levels"]))


class BuiltBoard:
    """A self-test that was built for a board, with what its levels have in common.

    Parameters
    ----------
    folder : Path
        Of :func:`spikelet.fpga.flow.build_bitstream`; its files are only read.
    board : Board
    """

    def __init__(self, folder: Path, board: Board) -> None:
        self.folder = folder
        self.board = board
        self.design = (folder / "design.v").read_text()
        self._registers: tuple[RegisterBit, ...] | None = None

    @property
    def device(self) -> Device:
        """The board's FPGA."""
        return device_named(self.board.device)

    @property
    def family(self) -> Family:
        """Of the board's FPGA."""
        return self.device.family

    @property
    def sites(self) -> dict[str, str]:
        """The pin of each port bit of a self-test."""
        return {pin.port: pin.site for pin in self.board.pins_of(("clk", "button", "led"))}

    @property
    def netlist(self) -> dict[str, Any]:
        """The top module of Yosys's ``netlist.json``."""
        module: dict[str, Any] = json.loads((self.folder / "netlist.json").read_text())
        return dict(module["modules"]["top"])

    def registers(self, places: dict[str, str]) -> list[tuple[str, str, str]]:
        """Return name and both references of each register bit that has a place."""
        if self._registers is None:
            self._registers = register_bits(self.design, "top")
        return [
            (bit.name, bit.reference("first"), f"second.{places[bit.name]}")
            for bit in self._registers
            if bit.name in places
        ]

    @property
    def register_count(self) -> int:
        """Bits of registers in the design."""
        self.registers({})
        return len(self._registers or ())

    def models(self, text: str) -> Design:
        """Return Verilog of the family's cells, with their models."""
        return Design(text, self.family.cell_models, self.family.include_folders())

    def pair(
        self,
        second: Design,
        registers: Sequence[tuple[str, str, str]] = (),
        *,
        variants: bool = False,
    ) -> PairedBoards:
        """Return the design and another description of it in one model."""
        leds = len(self.board.leds)
        return PairedBoards(self.design, second, leds=leds, registers=registers, variants=variants)

    def run(self, pair: PairedBoards, *, variant: int = 0, limit: int = _LIMIT) -> Paired:
        """Run a pair, its button released, until the LEDs give the verdict."""
        return pair.run(
            limit=limit,
            released=int(self.board.pin("button").inverted),
            inverted=sum(pin.inverted << place for place, pin in enumerate(self.board.leds)),
            verdicts=0b11 << len(self.board.leds) - 2,
            variant=variant,
        )

    def verdict(self, lit: int) -> str:
        """Return what the last two LEDs say."""
        return _VERDICTS[lit >> len(self.board.leds) - 2]


def board_levels(
    built: BuiltBoard,
    samples: int,
    last: str,
    progress: Callable[[str], None] = lambda line: None,
) -> Iterator[Level]:
    """Yield the levels of a built self-test below the chip's Verilog, down to ``last``.

    Parameters
    ----------
    built : BuiltBoard
    samples : int
        That the image stores.
    last : str
        Of :data:`LEVELS`.
    progress : callable
        Is given a line for each level.

    Raises
    ------
    SpikeletError
        If a tool is missing or fails.
    """
    wanted = LEVELS[: LEVELS.index(last) + 1]
    if "board" in wanted:
        progress("board: simulating the top module from its pins")
        yield _board(built, samples)
    if "netlist" in wanted:
        progress("netlist: simulating the cells beside the design")
        yield _netlist(built, samples)
    if "configuration" in wanted:
        progress("configuration: unpacking the bitstream")
        trip = round_trip(built.family, built.folder, built.board.bitstream_options)
        yield _round_trip(built, trip, samples)
        yield from _configuration(built, trip, samples, progress)


def _board(built: BuiltBoard, samples: int) -> Level:
    ran = built.run(built.pair(built.models("")))
    said = built.verdict(ran.lit[0])
    return Level(
        "board",
        "the top module's verdict on every output count and every readable word of golden",
        said == "passed",
        "" if said == "passed" else f"the LEDs say {said}",
        samples,
        ran.verdicts[0],
    )


def _netlist(built: BuiltBoard, samples: int) -> Level:
    text = (built.folder / "netlist.v").read_text()
    registers = built.registers(netlist_names(built.netlist, text))
    second = text.replace("module top(", "module second(", 1)
    return _paired("netlist", built, second, registers, samples)


def _paired(
    name: str,
    built: BuiltBoard,
    second: str,
    registers: list[tuple[str, str, str]],
    samples: int,
    notes: str = "",
) -> Level:
    ran = built.run(built.pair(built.models(second), registers))
    said = built.verdict(ran.lit[1])
    found = []
    if ran.leds_differ is not None:
        found.append(f"the LEDs differ from the design's in cycle {ran.leds_differ:,}")
    if ran.registers_differ is not None:
        found.append(f"register {ran.register} differs in cycle {ran.registers_differ:,}")
    if said != "passed":
        found.append(f"the LEDs say {said}")
    if not registers:
        found.append("no register of the design was found by its name")
    compared = (
        f"LEDs and {len(registers):,} of {built.register_count:,} register bits "
        f"({ran.changed:,} of them changed) with the design's in each of {ran.cycles:,} cycles"
    )
    return Level(name, compared + notes, not found, "; ".join(found), samples, ran.verdicts[1])


def _round_trip(built: BuiltBoard, trip: RoundTrip, samples: int) -> Level:
    found = f"byte {trip.differs_at:,} differs" if trip.differs_at is not None else ""
    return Level(
        "round trip",
        f"the bitstream's {trip.size:,} bytes with what is packed of it unpacked",
        not found,
        found,
        samples,
    )


def _configuration(
    built: BuiltBoard, trip: RoundTrip, samples: int, progress: Callable[[str], None]
) -> Iterator[Level]:
    placed = (built.folder / built.family.placed_file).read_text()
    netlist = built.netlist
    contents = built.family.memory_contents(trip.unpacked, netlist)
    if contents:
        inside, wanted = contents
        wrong = sum(((wanted - inside) + (inside - wanted)).values())
        yield Level(
            "memory contents",
            f"those of {sum(wanted.values())} block RAMs in the unpacked bitstream with the "
            "netlist's",
            not wrong,
            f"{wrong} differ" if wrong else "",
            samples,
        )
    try:
        configured = built.family.configured(built.device, trip.unpacked, placed, built.sites)
    except SpikeletError as error:
        yield Level("configuration", "the circuit of the bitstream", False, str(error), samples)
        return
    if configured is None:
        return
    circuit = configured.circuit
    loop = circuit.loop()
    if loop:
        found = f"{len(loop)} nets depend on each other without a clock"
        yield Level("configuration", "the circuit of the bitstream", False, found, samples)
        return
    progress("configuration: simulating the bitstream beside the design")
    registers = built.registers(placed_names(netlist, configured.names))
    notes = "".join(f"; {line}" for line in circuit.assumed)
    second = verilog(circuit, "second")
    yield _paired("configuration", built, second, registers, samples, notes)
