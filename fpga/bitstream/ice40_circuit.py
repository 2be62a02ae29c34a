"""The circuit that a configuration makes of an iCE40, from nothing but its bits.

Cells are those of Yosys's ``ice40/cells_sim.v``, except logic cells, pins and global buffers, whose
models are here. What is not modelled raises an error as soon as a pin depends on it.
"""

from collections.abc import Mapping

from spikelet.description.errors import SpikeletError
from spikelet.fpga.bitstream.circuit import OWN, Configured
from spikelet.fpga.bitstream.ice40_cells import (
    block_ram,
    instance,
    multiplier,
    single_port_ram,
)
from spikelet.fpga.bitstream.ice40_configuration import Configuration, symbols
from spikelet.fpga.bitstream.ice40_database import Bel, Database
from spikelet.fpga.bitstream.ice40_wires import ONE, ZERO, Ice40Wires, NotModelledError

__all__ = ["Ice40Circuit"]

_LUT = (4, 14, 15, 5, 6, 16, 17, 7, 3, 13, 12, 2, 1, 11, 10, 0)
"""Places in ``LC_n`` of the LUT's bits."""
_CARRY, _DFF, _SET, _ASYNCHRONOUS = 8, 9, 18, 19
"""Places of a logic cell's other bits."""

_NO_OUTPUT, _PLAIN_OUTPUT = 0b0000, 0b0110
_PLAIN_INPUT = 0b01


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
        self._wires = Ice40Wires(database, configuration)
        self.circuit = self._wires.circuit
        self._ports = self._places(package, sites)
        self._inputs: dict[int, str] = {}
        self._pins(sites)
        while self._wires.todo:
            wire = self._wires.todo.pop()
            if wire not in self._wires.done:
                self._wires.done.add(wire)
                self._driver(wire)

    def configured(self, placed: str) -> Configured:
        """Return the circuit, with the names of nets that a placed ``.asc`` file has."""
        nets = {name: self.net_of(wire) for name, wire in symbols(placed).items()}
        return Configured(self.circuit, {name: net for name, net in nets.items() if net})

    def net_of(self, wire: int) -> str | None:
        """Return the net that a wire belongs to; None if no pin depends on it."""
        try:
            root = self._wires.root(wire)
        except NotModelledError:
            return None
        return f"n{root}" if f"n{root}" in self.circuit.nets else None

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
            kind = self._wires.field(bel.x, bel.y, f"IOB_{bel.z}.PINTYPE_", 6)
            what = f"pin {sites[port]}"
            for number in range(6):
                self._wires.uses(
                    self._wires.setting(bel.x, bel.y, f"IOB_{bel.z}.PINTYPE_{number}"), what
                )
            if kind >> 2 == _PLAIN_OUTPUT:
                buses.setdefault(name, {})[int(index or 0)] = self._wires.wire(
                    bel.inputs["D_OUT_0"]
                )
            elif kind >> 2 == _NO_OUTPUT:
                self._inputs[place] = port
                width = self.circuit.inputs.get(name, 0)
                self.circuit.inputs[name] = max(width, int(index or 0) + 1)
            else:
                raise NotModelledError(f"{what} is of type {kind:06b}, which has no model")
        for name, bits in buses.items():
            self.circuit.outputs[name] = [bits.get(at, ZERO) for at in range(max(bits) + 1)]

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
            block_ram(self._wires, bel)
        elif bel.kind == "ICESTORM_DSP":
            multiplier(self._wires, place, bel)
        elif bel.kind == "ICESTORM_SPRAM":
            single_port_ram(self._wires, place, bel)
        elif bel.kind == "ICESTORM_PLL" and port == "LOCK":
            self._pll(place)
        else:
            raise NotModelledError(f"{bel.kind} at {bel.x} {bel.y} has no model")

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
            inner = self._wires.wire(self._data.bels[place].outputs["D_IN_0"])
        else:
            (inner,) = [
                self._wires.wire(self._data.bels[place].inputs["USER_SIGNAL_TO_GLOBAL_BUFFER"])
                for place, _ in self._data.outputs[wire]
                if self._data.bels[place].kind == "SB_GB"
            ]
        self._wires.net(wire, inner, (inner,))

    def _input(self, wire: int, place: int, port: str) -> None:
        bel = self._data.bels[place]
        kind = self._wires.field(bel.x, bel.y, f"IOB_{bel.z}.PINTYPE_", 2)
        if port != "D_IN_0" or kind != _PLAIN_INPUT:
            raise NotModelledError(f"the input at {bel.x} {bel.y} {bel.z} is of type {kind:02b}")
        for pll, other in self._data.outputs[wire]:
            if other in ("PLLOUT_A", "PLLOUT_B") and self._pll_type(pll):
                cell = self._pll(pll)
                self._wires.net(wire, f"{cell}{OWN}", cell=cell)
                return
        enable = self._data.input_enables.get((bel.x, bel.y, bel.z))
        if enable is not None:
            ex, ey, ez = enable
            self._wires.uses(
                self._wires.setting(ex, ey, f"IoCtrl.IE_{ez}"), f"input at {bel.x} {bel.y}"
            )
            if not self._bits.value(self._wires.setting(ex, ey, f"IoCtrl.IE_{ez}")):
                self._wires.net(wire, ZERO)
                return
        if place not in self._inputs:
            raise NotModelledError(
                f"the input at {bel.x} {bel.y} {bel.z} is not a pin of the board"
            )
        self._wires.net(wire, self._inputs[place])

    def _pll_type(self, place: int) -> int:
        fields = self._data.parameters[place]
        bits = [
            bit
            for at in range(3)
            for x, y, name in [fields[f"PLLTYPE_{at}"]]
            for bit in self._wires.setting(x, y, f"PLL.{name}")
        ]
        return self._bits.value(bits)

    def _pll(self, place: int) -> str:
        """Describe a PLL as the cell models do, as a wire, and return the cell."""
        bel = self._data.bels[place]
        name = f"pll_{bel.x}_{bel.y}"
        if name in self.circuit.cells:
            return name
        if self._pll_type(place) % 2:
            inner = self._wires.wire(bel.inputs["REFERENCECLK"])
        else:  # it takes its clock from the pin that its first output goes through
            inner = next(
                (
                    self._inputs[pin]
                    for pin, port in self._data.outputs[bel.outputs["PLLOUT_A"]]
                    if port == "D_IN_0" and pin in self._inputs
                ),
                ZERO,
            )
        if inner == ZERO:
            raise NotModelledError(
                f"the PLL at {bel.x} {bel.y} has no clock from a pin of the board"
            )
        clock, locked = f"{name}{OWN}", f"{name}_lock{OWN}"
        ports = {"REFERENCECLK": inner, "RESETB": ONE, "BYPASS": ZERO}
        ports |= {"PLLOUTGLOBAL": clock, "LOCK": locked}
        text = instance("SB_PLL40_CORE", name, 1, {}, ports)
        self.circuit.cells[name] = f"wire {locked}; {text}"
        self._wires.net(bel.outputs["LOCK"], locked, cell=name)
        self._wires.done.add(bel.outputs["LOCK"])
        self.circuit.assumed.append(
            f"a clock cycle is one of the PLL at {bel.x} {bel.y}, whose settings are not looked at"
        )
        return name

    def _logic_cell(self, bel: Bel) -> None:
        x, y, z = bel.x, bel.y, bel.z
        settings = self._wires.setting(x, y, f"LC_{z}")
        self._wires.uses(settings, f"logic cell {x} {y} {z}")
        bits = [self._bits[bit] for bit in settings]
        levels = [self._wires.wire(self._lut_input(bel, at)) for at in range(4)]
        table = sum(bits[at] << row for row, at in enumerate(_LUT))
        out = bel.outputs["O"]
        expression, needs = _lut(table, levels)
        self._wires.done.add(out)
        if "LO" in bel.outputs:
            self._wires.net(bel.outputs["LO"], expression, needs)
            self._wires.done.add(bel.outputs["LO"])
        if bits[_DFF]:
            self._flip_flop(bel, bits, expression)
        else:
            self._wires.net(out, expression, needs)
        self._wires.done.add(bel.outputs["COUT"])
        if bits[_CARRY]:
            a, b, c = levels[1], levels[2], self._carry_in(bel)
            self._wires.net(bel.outputs["COUT"], f"({a} & {b}) | (({a} | {b}) & {c})", (a, b, c))
        else:
            self._wires.net(bel.outputs["COUT"], ZERO)

    def _lut_input(self, bel: Bel, at: int) -> int:
        """Return the wire that leads to an input of a LUT in silicon, before nextpnr's swapping."""
        name = f"lutff_{bel.z}:in_{at}"
        for wire in self._data.sources(bel.inputs[f"I{at}"]):
            if self._data.wire_name(wire) == name:
                return wire
        raise SpikeletError(f"{self._data.path} has no wire {name}")

    def _carry_in(self, bel: Bel) -> str:
        if bel.z == 0:
            bits = self._wires.setting(bel.x, bel.y, "CarryInSet")
            self._wires.uses(bits, f"carry into {bel.x} {bel.y}")
            if self._bits.value(bits):
                return ONE
        return self._wires.wire(bel.inputs["CIN"])

    def _flip_flop(self, bel: Bel, bits: list[int], data: str) -> None:
        negative = self._wires.setting(bel.x, bel.y, "NegClk")
        self._wires.uses(negative, f"clock of {bel.x} {bel.y}")
        edge = "negedge" if self._bits.value(negative) else "posedge"
        clock = self._wires.wire(bel.inputs["CLK"])
        enable = self._wires.wire(bel.inputs["CEN"], ONE)
        reset = self._wires.wire(bel.inputs["SR"])
        name = f"ff_{bel.outputs['O']}"
        q = name + OWN
        step = f"{q} <= {data};" if enable == ONE else f"if ({enable}) {q} <= {data};"
        when = f"{edge} {clock}"
        if reset != ZERO:
            if bits[_ASYNCHRONOUS]:
                when += f", posedge {reset}"
            elif enable != ONE:
                reset = f"{reset} & {enable}"
            step = f"if ({reset}) {q} <= 1'b{bits[_SET]}; else {step}"
        if clock == ZERO:
            self.circuit.cells[name] = f"wire {q} = 1'b0;"
        else:
            self.circuit.cells[name] = f"reg {q} = 1'b0; always @({when}) {step}"
        self._wires.net(bel.outputs["O"], q, cell=name)


def _lut(table: int, levels: list[str]) -> tuple[str, tuple[str, ...]]:
    """Return the expression of a LUT, without inputs that are constant or do not matter."""
    inputs = list(levels)
    at = 0
    while at < len(inputs):
        rows = range(1 << len(inputs))
        low = [table >> row & 1 for row in rows if not row >> at & 1]
        high = [table >> row & 1 for row in rows if row >> at & 1]
        if inputs[at] in (ZERO, ONE) or low == high:
            kept = high if inputs[at] == ONE else low
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
