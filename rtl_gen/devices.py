"""Memristive synapses: pulses, devices and their counter. Twin of ``golden/devices.py``."""

from amaranth import Array, C, Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from spikelet.description.checks import signed_bits
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.memory_map import Region
from spikelet.description.learning.devices import DEVICE_FIELDS, MINUS, NOISE_MEAN, Devices
from spikelet.description.learning.rule import DRAW_BITS
from spikelet.rtl_gen.layouts import CONFIG_LATENCY, RegionPort, delayed
from spikelet.rtl_gen.synapse_memory import SynapseMemory

__all__ = ["DeviceDatapath", "DeviceMemory"]

_FRACTION_BITS = 8


def _devices(core: CoreParams) -> Devices:
    assert core.learning is not None and core.learning.devices is not None, "no devices"
    return core.learning.devices


class DeviceDatapath(wiring.Component):
    """Gives pulses to a row of devices, one of each synapse, in every clock cycle.

    Of a differential pair, one of both devices gets the pulse; a refresh takes a stage more.

    Timing: a row leaves :attr:`latency` cycles after it entered; never stalls.
    Reset: does not matter; what is in the pipeline is qualified by its user.

    Parameters
    ----------
    core : CoreParams

    Members
    -------
    up, down : ``In(lanes)``
        Pulses; not both in one lane.
    codes : ``In(lanes * code_bits)``
    weights : ``In(lanes * weight_bits)``
        Of the whole synapses.
    draws : ``In(lanes * DRAW_BITS)``
        If the devices draw.
    selected : ``In(range(count))``
        Of bit slices: which of them the codes are, all the time that they are on their way.
    new_codes : ``Out(lanes * code_bits)``
    new_weights : ``Out(lanes * weight_bits)``
    """

    def __init__(self, core: CoreParams) -> None:
        self.core = core
        self.devices = devices = _devices(core)
        self.latency = 4 if devices.refresh else 3
        members = {
            "up": In(core.lanes),
            "down": In(core.lanes),
            "codes": In(core.lanes * devices.code_bits),
            "weights": In(core.lanes * core.weight_bits),
            "new_codes": Out(core.lanes * devices.code_bits),
            "new_weights": Out(core.lanes * core.weight_bits),
        }
        if devices.draws:
            members["draws"] = In(core.lanes * DRAW_BITS)
        if devices.slice_bits:
            members["selected"] = In(range(devices.count))
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for lane in range(self.core.lanes):
            code = self.codes.word_select(lane, self.devices.code_bits)
            places = self.devices.fields.items()
            fields = {name: code[first:][:bits] for name, (first, bits) in places}
            if self.devices.pairs:
                self._pair(m, lane, fields)
            else:
                self._device(m, lane, fields)
        return m

    def _pair(self, m: Module, lane: int, fields: dict[str, Value]) -> None:
        """Build a lane of differential pairs."""
        core, devices = self.core, self.devices
        up, down = self.up[lane], self.down[lane]
        names = [name for name in DEVICE_FIELDS if name in fields]
        pulsed = {name: Mux(down, fields[f"{MINUS}{name}"], fields[name]) for name in names}
        pulse = Signal(name=f"pulse_{lane}")
        m.d.comb += pulse.eq(up | down)
        new, level = self._moved(m, lane, pulsed, pulse, C(0))

        # Third stage, besides: the weight, by the change of G+ or of G- with the other sign.
        lowers = delayed(m, down, 2, name=f"lowers_{lane}")
        weight = delayed(
            m, self.weights.word_select(lane, core.weight_bits), 2, name=f"weight_{lane}"
        )
        kept = {name: delayed(m, fields[name], 2, name=f"{name}_kept_{lane}") for name in fields}
        given = {
            "": delayed(m, up, 2, name=f"given_{lane}"),
            MINUS: delayed(m, down, 2, name=f"{MINUS}given_{lane}"),
        }
        kept["level"] = Mux(lowers, kept["level"], new)
        kept[f"{MINUS}level"] = Mux(lowers, new, kept[f"{MINUS}level"])
        change = self._counted(Mux(lowers, level, new) - Mux(lowers, new, level))
        weight = weight + change
        if devices.refresh:
            kept, given, weight = self._refreshed(m, lane, kept, given, weight)
        parts = []
        for side, written in given.items():
            for name in names:
                value = kept[f"{side}{name}"]
                if name == "writes":
                    value = (value + (written & ~value.all()))[: devices.write_bits]
                parts.append(value)
        m.d.sync += [
            self.new_codes.word_select(lane, devices.code_bits).eq(Cat(*parts)),
            self.new_weights.word_select(lane, core.weight_bits).eq(weight),
        ]

    def _refreshed(
        self,
        m: Module,
        lane: int,
        kept: dict[str, Value],
        given: dict[str, Value],
        weight: Value,
    ) -> tuple[dict[str, Value], dict[str, Value], Value]:
        """Build the stage that refreshes pairs; return the same values behind it."""
        devices, width = self.devices, self.core.weight_bits
        kept = {
            name: delayed(m, value[: devices.fields[name][1]], 1, name=f"{name}_then_{lane}")
            for name, value in kept.items()
        }
        given = {
            side: delayed(m, value, 1, name=f"{side}given_then_{lane}")
            for side, value in given.items()
        }
        weight = delayed(m, weight[:width], 1, name=f"weight_then_{lane}")
        plus, minus = kept["level"], kept[f"{MINUS}level"]
        stuck = [kept[f"{side}stuck"] for side in given] if devices.faults else [C(0)]
        due = Signal(name=f"due_{lane}")
        high = (plus >= devices.refresh) & (minus >= devices.refresh)
        m.d.comb += due.eq(high & Cat(*given.values()).any() & ~Cat(*stuck).any())
        difference = Signal(signed(devices.bits + 1), name=f"difference_{lane}")
        m.d.comb += difference.eq(plus - minus)
        negative = difference[-1]
        for name, old, anew in (
            ("level", plus, Mux(negative, 0, difference)),
            (f"{MINUS}level", minus, Mux(negative, -difference, 0)),
        ):
            kept[name] = Mux(due, anew[: devices.bits], old)
        return kept, {side: value | due for side, value in given.items()}, weight

    def _moved(
        self, m: Module, lane: int, fields: dict[str, Value], up: Value, down: Value
    ) -> tuple[Signal, Value]:
        """Build what a pulse does to a device.

        Return its new level and its old one, both in the third stage.
        """
        devices = self.devices

        # First stage: the step of the curve, what is added to it, and the sum that is noise. All
        # constants are added to one of them, in 1/256 of a level.
        most = max(devices.up) if devices.pairs else max(*devices.up, *devices.down)
        constant, varies = 8, "variation" in fields
        added: Value = C(0)
        random: Value = C(0)
        if devices.draws:
            draw = self.draws.word_select(lane, DRAW_BITS)
            constant -= NOISE_MEAN * devices.noise
            added = draw[:4]
            total = Signal(6, name=f"total_{lane}")
            m.d.sync += total.eq(draw[4:8] + draw[8:12] + draw[12:16])
            random = total * (2 * devices.noise)
        sixteenths, rest = constant >> 4, constant & 15
        first = 0 if varies else sixteenths
        step = self._table(devices.up, fields["level"], 1, first)
        if not devices.pairs:
            step = Mux(down, self._table(devices.down, fields["level"], -1, first), step)
        if varies:
            added = added + C(sixteenths, signed(signed_bits(sixteenths, sixteenths)))
        else:
            added = step + added
        stepped, free = Signal(step.shape(), name=f"step_{lane}"), Signal(name=f"free_{lane}")
        sum_then = Signal(added.shape(), name=f"added_{lane}")
        m.d.sync += [sum_then.eq(added), free.eq((up | down) & ~fields.get("stuck", C(0, 1)))]

        # Second stage: the change, in 1/256 of a level.
        lowest = 0 if devices.pairs else -2 * most * 15
        low, high = lowest - 45 * devices.noise, 2 * most * 15 + 45 * devices.noise + 255
        change = Signal(signed(signed_bits(low, high)), name=f"change_{lane}")
        moves = Cat(C(rest, 4), sum_then).as_signed() + random
        if varies:
            m.d.sync += stepped.eq(step)
            factor = delayed(m, fields["variation"], 1, name=f"variation_{lane}").as_signed() + 8
            moves = moves + ((stepped * factor) << 1)
        m.d.sync += change.eq(Mux(free, moves, 0))

        # Third stage: the new level.
        level = delayed(m, fields["level"], 2, name=f"level_{lane}")
        moved = level + (change >> _FRACTION_BITS)
        clamped = Mux(moved < 0, 0, Mux(moved >= devices.levels, devices.levels - 1, moved))
        new = Signal(devices.bits, name=f"new_level_{lane}")
        m.d.comb += new.eq(clamped)
        return new, level

    def _device(self, m: Module, lane: int, fields: dict[str, Value]) -> None:
        """Build a lane of devices whose conductances add up."""
        core, devices = self.core, self.devices
        up, down = self.up[lane], self.down[lane]
        new, level = self._moved(m, lane, fields, up, down)

        # Besides: the weight, and what it is without this device.
        weight = self.weights.word_select(lane, core.weight_bits)
        if devices.slice_bits:
            weight = delayed(m, weight, 2, name=f"weight_{lane}") + self._counted(new - level)
        else:
            weight, before = (
                delayed(m, value, 1, name=f"{name}_then_{lane}")
                for name, value in (("weight", weight), ("level", fields["level"]))
            )
            others = (weight - before)[: core.weight_bits]
            weight = delayed(m, others, 1, name=f"others_{lane}") + new
        parts: list[Value] = [new]
        for name in ("stuck", "variation"):
            if name in fields:
                parts.append(delayed(m, fields[name], 2, name=f"{name}_kept_{lane}"))
        if "writes" in fields:
            given = delayed(m, up | down, 2, name=f"given_{lane}")
            writes = delayed(m, fields["writes"], 2, name=f"writes_{lane}")
            parts.append((writes + (given & ~writes.all()))[: devices.write_bits])
        m.d.sync += [
            self.new_codes.word_select(lane, devices.code_bits).eq(Cat(*parts)),
            self.new_weights.word_select(lane, core.weight_bits).eq(weight),
        ]

    def _counted(self, change: Value) -> Value:
        """Return a change of levels as often as the slice that is programmed counts."""
        if not self.devices.slice_bits:
            return change
        shifted = [change << (scale.bit_length() - 1) for scale in self.devices.scales]
        return Array(shifted)[self.selected]

    @staticmethod
    def _table(steps: tuple[int, ...], level: Value, sign: int, more: int) -> Value:
        """Return the signed step at a level, and more; a constant where it is the same at all."""
        values = [sign * step + more for step in steps]
        shape = signed(max(signed_bits(value, value) for value in values))
        if len(set(values)) == 1:
            return C(values[0], shape)
        return Array(C(value, shape) for value in values)[level]


class DeviceMemory(wiring.Component):
    """All devices, of which a tick reads and writes one of each synapse; and the counter of ticks.

    The rows of the first devices come first, then those of the second, and so on.

    No bench of its own: ``sim/bench_learning.py`` runs it in its core.

    Timing: that of :class:`SynapseMemory`.
    Reset: the counter is 0; does not clear the devices.

    Parameters
    ----------
    core : CoreParams
    regions : dict of Region
        Of the core, by name.

    Members
    -------
    start : ``In(1)``
        A tick begins.
    pulsed : ``In(1)``
        Some device gets a pulse: the next tick programs the next device.
    read : ``In(1)``, read_row : ``In(range(weight_rows))``, row_data : ``Out``
    write : ``In(1)``, write_row : ``In(range(weight_rows))``, write_data : ``In``
    programmed : ``Out(range(count))``
        The device that this tick programs; of bit slices only.
    devices, selected : ``In(RegionPort(...))``
        Configuration access, while nothing is read or written.
    """

    def __init__(self, core: CoreParams, regions: dict[str, Region]) -> None:
        self.core = core
        self.regions = regions
        row_bits = core.lanes * _devices(core).code_bits
        super().__init__(
            {
                "start": In(1),
                "pulsed": In(1),
                "read": In(1),
                "read_row": In(range(core.weight_rows)),
                "row_data": Out(row_bits),
                "write": In(1),
                "write_row": In(range(core.weight_rows)),
                "write_data": In(row_bits),
                **(
                    {"programmed": Out(range(_devices(core).count))}
                    if _devices(core).slice_bits
                    else {}
                ),
                **{
                    name: In(RegionPort((regions[name].span - 1).bit_length(), regions[name].bits))
                    for name in ("devices", "selected")
                },
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        core, devices, port = self.core, _devices(self.core), self.selected
        m.submodules.memory = memory = SynapseMemory(
            core,
            self.regions["devices"],
            bits=devices.code_bits,
            writable=True,
            rows=devices.count * core.weight_rows,
        )
        connect(m, flipped(self.devices), memory.config)
        current = Signal(range(devices.count))
        coming = Signal(range(devices.count))
        first_row = Signal(range(devices.count * core.weight_rows))
        following = Mux(current == devices.count - 1, 0, current + 1)
        with m.If(port.write):
            m.d.sync += coming.eq(port.data)
        with m.Elif(self.pulsed):
            m.d.sync += coming.eq(following)
        firsts = Array(C(d * core.weight_rows, len(first_row)) for d in range(devices.count))
        with m.If(self.start):
            m.d.sync += [current.eq(coming), first_row.eq(firsts[coming])]
        apart = core.weight_rows & (core.weight_rows - 1) == 0  # the bits of both numbers
        read_row, write_row = (
            first_row | row if apart else first_row + row for row in (self.read_row, self.write_row)
        )
        m.d.comb += [
            port.read_data.eq(delayed(m, coming, CONFIG_LATENCY, name="selected_then")),
            memory.read.eq(self.read),
            memory.read_row.eq(read_row),
            self.row_data.eq(memory.row_data),
            memory.write.eq(self.write),
            memory.write_row.eq(write_row),
            memory.write_data.eq(self.write_data),
        ]
        if devices.slice_bits:
            m.d.comb += self.programmed.eq(current)
        return m
