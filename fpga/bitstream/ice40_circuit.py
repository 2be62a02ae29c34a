"""The circuit that a configuration makes of an iCE40, from nothing but its bits.

Cells are those of Yosys's ``ice40/cells_sim.v``, except logic cells, pins and global buffers, whose
models are here. What is not modelled raises an error as soon as a pin depends on it.
"""

from collections.abc import Mapping

import numpy as np

from spikelet.description.errors import SpikeletError
from spikelet.fpga.bitstream.circuit import OWN, Circuit, Configured, Net
from spikelet.fpga.bitstream.ice40_configuration import Configuration, symbols
from spikelet.fpga.bitstream.ice40_database import Bel, Bit, Database

__all__ = ["Ice40Circuit", "NotModelledError"]

_LUT = (4, 14, 15, 5, 6, 16, 17, 7, 3, 13, 12, 2, 1, 11, 10, 0)
"""Places in ``LC_n`` of the LUT's bits."""
_CARRY, _DFF, _SET, _ASYNCHRONOUS = 8, 9, 18, 19
"""Places of a logic cell's other bits."""

_ZERO, _ONE = "1'b0", "1'b1"
_HIGH_IF_OPEN = ("CE", "RCLKE", "WCLKE", "CEN")
_NO_OUTPUT, _PLAIN_OUTPUT = 0b0000, 0b0110
_PLAIN_INPUT = 0b01
_MAC16_FIELDS = (
    *(("A_REG", 1), ("A_SIGNED", 1), ("BOTADDSUB_CARRYSELECT", 2), ("BOTADDSUB_LOWERINPUT", 2)),
    *(("BOTADDSUB_UPPERINPUT", 1), ("BOTOUTPUT_SELECT", 2), ("BOT_8x8_MULT_REG", 1)),
    *(("B_REG", 1), ("B_SIGNED", 1), ("C_REG", 1), ("D_REG", 1), ("MODE_8x8", 1)),
    *(("PIPELINE_16x16_MULT_REG1", 1), ("PIPELINE_16x16_MULT_REG2", 1)),
    *(("TOPADDSUB_CARRYSELECT", 2), ("TOPADDSUB_LOWERINPUT", 2), ("TOPADDSUB_UPPERINPUT", 1)),
    *(("TOPOUTPUT_SELECT", 2), ("TOP_8x8_MULT_REG", 1)),
)

_CHAINED = {"ACCUMCI": ("BOTADDSUB_CARRYSELECT", 2), "SIGNEXTIN": ("BOTADDSUB_LOWERINPUT", 3)}
"""What a multiplier takes from the one below, over a wire without a switch: the field and its value
that choose it (``SB_MAC16`` of Yosys's ``ice40/cells_sim.v``)."""


class NotModelledError(SpikeletError):
    """A pin depends on something that a configuration should not hold, or that has no model."""


class Ice40Circuit:
    """What the pins of an iCE40 depend on, found from the pins backwards.

    Parameters
    ----------
    database : Database
    configuration : Configuration
    package : str
        Such as ``"sg48"``.
    sites : mapping of str to str
        Pin of the package of each port bit, such as ``"led[0]"``.

    Raises
    ------
    NotModelledError
        With the tile. If two drivers meet in a wire, too.
    """

    def __init__(
        self,
        database: Database,
        configuration: Configuration,
        package: str,
        sites: Mapping[str, str],
    ) -> None:
        self._data = database
        self._bits = configuration
        self.circuit = Circuit()
        self._sources, self._switches = self._closed_switches()
        self._roots: dict[int, int] = {}
        self._todo: list[int] = []
        self._done: set[int] = set()
        self._ports = self._places(package, sites)
        self._inputs: dict[int, str] = {}
        self._pins(sites)
        while self._todo:
            wire = self._todo.pop()
            if wire not in self._done:
                self._done.add(wire)
                self._driver(wire)

    def configured(self, placed: str) -> Configured:
        """Return the circuit, with the names of nets that a placed ``.asc`` file has."""
        nets = {name: self.net_of(wire) for name, wire in symbols(placed).items()}
        return Configured(self.circuit, {name: net for name, net in nets.items() if net})

    def net_of(self, wire: int) -> str | None:
        """Return the net that a wire belongs to; None if no pin depends on it."""
        try:
            root = self._root(wire)
        except NotModelledError:
            return None
        return f"n{root}" if f"n{root}" in self.circuit.nets else None

    def _closed_switches(self) -> tuple[dict[int, list[int]], dict[tuple[int, int], int]]:
        """Return the wires that lead to each wire, and the switch between."""
        data = self._data
        switches, tiles = data.switches, self._bits.tiles
        x, y = switches["xy"][:, 0], switches["xy"][:, 1]
        value = np.zeros(len(switches), np.int64)
        for place in range(5):
            has = switches["bits"] > place
            bit = tiles[y, x, switches["at"][:, place, 0], switches["at"][:, place, 1]]
            value = np.where(has, value << 1 | bit, value)
        pips = data.pips
        closed = (switches["bel"][pips["switch"]] < 0) & (value[pips["switch"]] == pips["mask"])
        sources: dict[int, list[int]] = {}
        between = {}
        for pip in pips[closed]:
            source, target = int(pip["source"]), int(pip["target"])
            sources.setdefault(target, []).append(source)
            between[source, target] = int(pip["switch"])
        return sources, between

    def _places(self, package: str, sites: Mapping[str, str]) -> dict[str, int]:
        try:
            pins = self._data.pins(package)
            return {port: pins[site] for port, site in sites.items()}
        except KeyError as error:
            raise SpikeletError(f"{package} has no pin {error}") from error

    def _pins(self, sites: Mapping[str, str]) -> None:
        """Begin with the pins: what drives each output, and the name of each input."""
        buses: dict[str, dict[int, str]] = {}
        for port in sites:
            place = self._ports[port]
            bel = self._data.bels[place]
            name, _, index = port.rstrip("]").partition("[")
            kind = self._field(bel.x, bel.y, f"IOB_{bel.z}.PINTYPE_", 6)
            what = f"pin {sites[port]}"
            for number in range(6):
                self._uses(self._setting(bel.x, bel.y, f"IOB_{bel.z}.PINTYPE_{number}"), what)
            if kind >> 2 == _PLAIN_OUTPUT:
                buses.setdefault(name, {})[int(index or 0)] = self._wire(bel.inputs["D_OUT_0"])
            elif kind >> 2 == _NO_OUTPUT:
                self._inputs[place] = port
                width = self.circuit.inputs.get(name, 0)
                self.circuit.inputs[name] = max(width, int(index or 0) + 1)
            else:
                raise NotModelledError(f"{what} is of type {kind:06b}, which has no model")
        for name, bits in buses.items():
            self.circuit.outputs[name] = [bits.get(at, _ZERO) for at in range(max(bits) + 1)]

    def _setting(self, x: int, y: int, name: str) -> list[Bit]:
        return self._data.setting(x, y, name)

    def _field(self, x: int, y: int, name: str, width: int) -> int:
        bits = [bit for at in range(width) for bit in self._setting(x, y, f"{name}{at}")]
        return self._bits.value(bits)

    def _uses(self, bits: list[Bit], what: str) -> None:
        for bit in bits:
            self.circuit.bits.setdefault(bit, what)

    def _root(self, wire: int) -> int:
        """Follow the closed switches back to the wire that drives this one."""
        seen = []
        while wire not in self._roots:
            seen.append(wire)
            sources = self._sources.get(wire, [])
            drivers = len(sources) + (wire in self._data.outputs)
            if drivers > 1:
                raise NotModelledError(f"{self._data.wire_name(wire)} has {drivers} drivers")
            if not sources:
                self._roots[wire] = wire
                break
            if sources[0] in seen:
                raise NotModelledError(f"{self._data.wire_name(wire)} drives itself")
            wire = sources[0]
        root = self._roots[wire]
        for other in seen:
            self._roots[other] = root
        return root

    def _wire(self, wire: int, open_is: str = _ZERO) -> str:
        """Return the net of a wire, or its level if nothing drives it."""
        root = self._root(wire)
        while wire != root:
            source = self._sources[wire][0]
            switch = self._data.switches[self._switches[source, wire]]
            x, y = (int(at) for at in switch["xy"])
            at = switch["at"][: int(switch["bits"])]
            self._uses([(x, y, int(r), int(c)) for r, c in at], f"switch to wire {wire}")
            wire = source
        if root not in self._data.outputs:
            return open_is
        self._todo.append(root)
        return f"n{root}"

    def _driver(self, wire: int) -> None:
        """Describe what drives a wire that no switch leads to."""
        place, port = self._data.outputs[wire][0]
        bel = self._data.bels[place]
        network = self._data.wire_name(wire)
        if network.startswith("glb_netwk_"):
            self._global(wire, int(network.removeprefix("glb_netwk_")))
        elif bel.kind == "ICESTORM_LC":
            self._logic_cell(bel)
        elif bel.kind == "SB_IO":
            self._input(wire, place, port)
        elif bel.kind == "ICESTORM_RAM":
            self._ram(bel)
        elif bel.kind == "ICESTORM_DSP":
            self._multiplier(place, bel)
        elif bel.kind == "ICESTORM_SPRAM":
            self._spram(place, bel)
        elif bel.kind == "ICESTORM_PLL" and port == "LOCK":
            self._pll(place)
        else:
            raise NotModelledError(f"{bel.kind} at {bel.x} {bel.y} has no model")

    def _net(self, wire: int, expression: str, needs: tuple[str, ...] = (), cell: str = "") -> str:
        needs = tuple(name for name in needs if name[0] == "n")
        self.circuit.nets[f"n{wire}"] = Net(expression, needs, cell)
        return f"n{wire}"

    def _global(self, wire: int, number: int) -> None:
        """Describe a global network: a pin, a PLL behind it, or a buffer of the fabric."""
        row = self._data.networks[number]
        if (int(row["bank"]), *map(int, row["extra"])) in self._bits.extra:
            x, y, z = (int(value) for value in row["pad"])
            (place,) = [
                at
                for at, bel in enumerate(self._data.bels)
                if bel.kind == "SB_IO" and (bel.x, bel.y, bel.z) == (x, y, z)
            ]
            inner = self._wire(self._data.bels[place].outputs["D_IN_0"])
        else:
            (inner,) = [
                self._wire(self._data.bels[place].inputs["USER_SIGNAL_TO_GLOBAL_BUFFER"])
                for place, _ in self._data.outputs[wire]
                if self._data.bels[place].kind == "SB_GB"
            ]
        self._net(wire, inner, (inner,))

    def _input(self, wire: int, place: int, port: str) -> None:
        bel = self._data.bels[place]
        kind = self._field(bel.x, bel.y, f"IOB_{bel.z}.PINTYPE_", 2)
        if port != "D_IN_0" or kind != _PLAIN_INPUT:
            raise NotModelledError(f"the input at {bel.x} {bel.y} {bel.z} is of type {kind:02b}")
        for pll, other in self._data.outputs[wire]:
            if other in ("PLLOUT_A", "PLLOUT_B") and self._pll_type(pll):
                cell = self._pll(pll)
                self._net(wire, f"{cell}{OWN}", cell=cell)
                return
        enable = self._data.input_enables.get((bel.x, bel.y, bel.z))
        if enable is not None:
            ex, ey, ez = enable
            self._uses(self._setting(ex, ey, f"IoCtrl.IE_{ez}"), f"input at {bel.x} {bel.y}")
            if not self._bits.value(self._setting(ex, ey, f"IoCtrl.IE_{ez}")):
                self._net(wire, _ZERO)
                return
        if place not in self._inputs:
            raise NotModelledError(
                f"the input at {bel.x} {bel.y} {bel.z} is not a pin of the board"
            )
        self._net(wire, self._inputs[place])

    def _pll_type(self, place: int) -> int:
        fields = self._data.parameters[place]
        bits = [
            bit
            for at in range(3)
            for x, y, name in [fields[f"PLLTYPE_{at}"]]
            for bit in self._setting(x, y, f"PLL.{name}")
        ]
        return self._bits.value(bits)

    def _pll(self, place: int) -> str:
        """Describe a PLL as the cell models do, as a wire, and return the cell."""
        bel = self._data.bels[place]
        name = f"pll_{bel.x}_{bel.y}"
        if name in self.circuit.cells:
            return name
        if self._pll_type(place) % 2:
            inner = self._wire(bel.inputs["REFERENCECLK"])
        else:  # it takes its clock from the pin that its first output goes through
            inner = next(
                (
                    self._inputs[pin]
                    for pin, port in self._data.outputs[bel.outputs["PLLOUT_A"]]
                    if port == "D_IN_0" and pin in self._inputs
                ),
                _ZERO,
            )
        if inner == _ZERO:
            raise NotModelledError(
                f"the PLL at {bel.x} {bel.y} has no clock from a pin of the board"
            )
        clock, locked = f"{name}{OWN}", f"{name}_lock{OWN}"
        ports = {"REFERENCECLK": inner, "RESETB": _ONE, "BYPASS": _ZERO}
        ports |= {"PLLOUTGLOBAL": clock, "LOCK": locked}
        text = _instance("SB_PLL40_CORE", name, 1, {}, ports)
        self.circuit.cells[name] = f"wire {locked}; {text}"
        self._net(bel.outputs["LOCK"], locked, cell=name)
        self._done.add(bel.outputs["LOCK"])
        self.circuit.assumed.append(
            f"a clock cycle is one of the PLL at {bel.x} {bel.y}, whose settings are not looked at"
        )
        return name

    def _logic_cell(self, bel: Bel) -> None:
        x, y, z = bel.x, bel.y, bel.z
        settings = self._setting(x, y, f"LC_{z}")
        self._uses(settings, f"logic cell {x} {y} {z}")
        bits = [self._bits[bit] for bit in settings]
        levels = [self._wire(self._lut_input(bel, at)) for at in range(4)]
        table = sum(bits[at] << row for row, at in enumerate(_LUT))
        out = bel.outputs["O"]
        expression, needs = _lut(table, levels)
        self._done.add(out)
        if "LO" in bel.outputs:
            self._net(bel.outputs["LO"], expression, needs)
            self._done.add(bel.outputs["LO"])
        if bits[_DFF]:
            self._flip_flop(bel, bits, expression)
        else:
            self._net(out, expression, needs)
        self._done.add(bel.outputs["COUT"])
        if bits[_CARRY]:
            a, b, c = levels[1], levels[2], self._carry_in(bel)
            self._net(bel.outputs["COUT"], f"({a} & {b}) | (({a} | {b}) & {c})", (a, b, c))
        else:
            self._net(bel.outputs["COUT"], _ZERO)

    def _lut_input(self, bel: Bel, at: int) -> int:
        """Return the wire that leads to an input of a LUT in silicon, before nextpnr's swapping."""
        name = f"lutff_{bel.z}:in_{at}"
        for wire in self._data.sources(bel.inputs[f"I{at}"]):
            if self._data.wire_name(wire) == name:
                return wire
        raise SpikeletError(f"{self._data.path} has no wire {name}")

    def _carry_in(self, bel: Bel) -> str:
        if bel.z == 0:
            bits = self._setting(bel.x, bel.y, "CarryInSet")
            self._uses(bits, f"carry into {bel.x} {bel.y}")
            if self._bits.value(bits):
                return _ONE
        return self._wire(bel.inputs["CIN"])

    def _flip_flop(self, bel: Bel, bits: list[int], data: str) -> None:
        negative = self._setting(bel.x, bel.y, "NegClk")
        self._uses(negative, f"clock of {bel.x} {bel.y}")
        edge = "negedge" if self._bits.value(negative) else "posedge"
        clock = self._wire(bel.inputs["CLK"])
        enable = self._wire(bel.inputs["CEN"], _ONE)
        reset = self._wire(bel.inputs["SR"])
        name = f"ff_{bel.outputs['O']}"
        q = name + OWN
        step = f"{q} <= {data};" if enable == _ONE else f"if ({enable}) {q} <= {data};"
        when = f"{edge} {clock}"
        if reset != _ZERO:
            if bits[_ASYNCHRONOUS]:
                when += f", posedge {reset}"
            elif enable != _ONE:
                reset = f"{reset} & {enable}"
            step = f"if ({reset}) {q} <= 1'b{bits[_SET]}; else {step}"
        if clock == _ZERO:
            self.circuit.cells[name] = f"wire {q} = 1'b0;"
        else:
            self.circuit.cells[name] = f"reg {q} = 1'b0; always @({when}) {step}"
        self._net(bel.outputs["O"], q, cell=name)

    def _levels(self, bel: Bel, name: str, width: int) -> str:
        wires = [self._wire(bel.inputs[f"{name}{at}"]) for at in reversed(range(width))]
        return f"{{{', '.join(wires)}}}"

    def _level(self, bel: Bel, port: str) -> str:
        return self._wire(bel.inputs[port], _ONE if port in _HIGH_IF_OPEN else _ZERO)

    def _drive(self, bel: Bel, cell: str, port: str, width: int, needs: tuple[str, ...]) -> None:
        """Let nets be the bits of a cell's output."""
        for at in range(width):
            wire = bel.outputs[f"{port}{at}"]
            self._done.add(wire)
            self._net(wire, f"{cell}{OWN}[{at}]", needs, cell)

    def _ram(self, bel: Bel) -> None:
        x, y, name = bel.x, bel.y, f"ram_{bel.x}_{bel.y}"
        mode = [self._setting(x, y + 1, f"RamConfig.CBIT_{at}")[0] for at in range(4)]
        clocks = {"R": self._setting(x, y, "NegClk"), "W": self._setting(x, y + 1, "NegClk")}
        power = self._setting(x, y, "RamConfig.PowerUp")
        self._uses([*mode, *clocks["R"], *clocks["W"], *power], f"block RAM {x} {y}")
        if not self._bits.value(power):
            raise NotModelledError(f"the block RAM at {x} {y} has no power")
        contents = self._bits.rams.get((x, y), 0)
        for bit in range(4096):
            self.circuit.bits.setdefault((x, y, bit), f"contents of block RAM {x} {y}")
        parameters = {
            "WRITE_MODE": f"{self._bits.value(mode[:2])}",
            "READ_MODE": f"{self._bits.value(mode[2:])}",
            **{
                f"INIT_{row:X}": f"256'h{contents >> 256 * row & (1 << 256) - 1:064x}"
                for row in range(16)
            },
        }
        ports = {
            **{port: self._level(bel, port) for port in ("RCLKE", "RE", "WCLKE", "WE")},
            **{f"{way}ADDR": self._levels(bel, f"{way}ADDR_", 11) for way in "RW"},
            **{port: self._levels(bel, f"{port}_", 16) for port in ("MASK", "WDATA")},
            "RDATA": name + OWN,
        }
        suffix = ""
        for way, bits in clocks.items():
            negative = bool(self._bits.value(bits))
            suffix += f"N{way}" if negative else ""
            ports[f"{way}CLK{'N' * negative}"] = self._level(bel, f"{way}CLK")
        self.circuit.cells[name] = _instance(f"SB_RAM40_4K{suffix}", name, 16, parameters, ports)
        self._drive(bel, name, "RDATA_", 16, ())

    def _multiplier(self, place: int, bel: Bel) -> None:
        name = f"mac_{bel.x}_{bel.y}"
        fields = self._data.parameters[place]
        parameters, values = {}, {}
        for key, width in _MAC16_FIELDS:
            of_each = [key] if width == 1 else [f"{key}_{at}" for at in range(width)]
            where = [
                self._setting(x, y, f"IpConfig.{bit}")
                for x, y, bit in (fields[one] for one in of_each)
            ]
            bits = [bit for found in where for bit in found]
            self._uses(bits, f"multiplier {bel.x} {bel.y}")
            values[key] = self._bits.value(bits)
            parameters[key] = f"{width}'d{values[key]}"
        for port, (key, chosen) in _CHAINED.items():
            if values[key] == chosen:
                raise NotModelledError(
                    f"the multiplier at {bel.x} {bel.y} takes {port} from the one below "
                    f"({key} is {chosen}), and chains of multipliers have no model",
                    remedy="write the accumulator so that it fits a multiplier, 32 bits, "
                    "or is built of logic",
                )
        buses = {port: self._levels(bel, f"{port}_", 16) for port in "ABCD"}
        single = [port for port in bel.inputs if "_" not in port and port not in _CHAINED]
        ports = {port: self._level(bel, port) for port in single}
        ports |= dict.fromkeys(_CHAINED, _ZERO)  # without effect: they are not chosen
        needs = [self._wire(bel.inputs[f"{bus}_{at}"]) for bus in "ABCD" for at in range(16)]
        registered = values["A_REG"] and values["B_REG"]
        ports = {**buses, **ports, "O": f"{name}{OWN}", "CO": f"{name}_co{OWN}"}
        text = _instance("SB_MAC16", name, 32, parameters, ports)
        self.circuit.cells[name] = f"wire {name}_co{OWN}; {text}"
        through = () if registered else tuple(needs)
        self._drive(bel, name, "O_", 32, through)
        self._done.add(bel.outputs["CO"])
        self._net(bel.outputs["CO"], f"{name}_co{OWN}", through, name)

    def _spram(self, place: int, bel: Bel) -> None:
        name = f"spram_{bel.x}_{bel.y}_{bel.z}"
        x, y, setting = self._data.parameters[place]["SPRAM_EN"]
        enable = self._setting(x, y, f"IpConfig.{setting}")
        self._uses(enable, f"SPRAM {bel.x} {bel.z}")
        if not self._bits.value(enable):
            self.circuit.cells[name] = f"wire [15:0] {name}{OWN} = 16'd0;"
        else:
            buses = (("ADDRESS", 14), ("DATAIN", 16), ("MASKWREN", 4))
            ports = {port: self._levels(bel, f"{port}_", width) for port, width in buses}
            for port in ("WREN", "CHIPSELECT", "CLOCK", "STANDBY", "SLEEP", "POWEROFF"):
                ports[port] = self._level(bel, port)
            ports["DATAOUT"] = name + OWN
            self.circuit.cells[name] = _instance("SB_SPRAM256KA", name, 16, {}, ports)
        self._drive(bel, name, "DATAOUT_", 16, ())


def _instance(
    kind: str, name: str, width: int, parameters: Mapping[str, str], ports: Mapping[str, str]
) -> str:
    values = ", ".join(f".{key}({value})" for key, value in parameters.items())
    wires = ", ".join(f".{key}({value})" for key, value in ports.items())
    given = f"#({values}) " if parameters else ""
    return f"wire [{width - 1}:0] {name}{OWN}; {kind} {given}\\cell_{name}{OWN} ({wires});"


def _lut(table: int, levels: list[str]) -> tuple[str, tuple[str, ...]]:
    """Return the expression of a LUT, without inputs that are constant or do not matter."""
    inputs = list(levels)
    at = 0
    while at < len(inputs):
        rows = range(1 << len(inputs))
        low = [table >> row & 1 for row in rows if not row >> at & 1]
        high = [table >> row & 1 for row in rows if row >> at & 1]
        if inputs[at] in (_ZERO, _ONE) or low == high:
            kept = high if inputs[at] == _ONE else low
            table = sum(bit << row for row, bit in enumerate(kept))
            del inputs[at]
        else:
            at += 1
    if not inputs:
        return f"1'b{table & 1}", ()
    if len(inputs) == 1:
        return f"{'~' if table == 1 else ''}{inputs[0]}", tuple(inputs)
    width = 1 << len(inputs)
    joined = ", ".join(reversed(inputs))
    return f"({width}'d{table} >> {{{joined}}}) & 1'b1", tuple(inputs)
