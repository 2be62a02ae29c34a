"""Memristive synapses: pulses, devices and their counter. Twin of ``golden/devices.py``."""

from amaranth import Array, C, Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from spikelet.description.checks import signed_bits, unsigned_bits
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.memory_map import Region
from spikelet.description.learning.devices import NOISE_MEAN, Devices
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
    new_codes : ``Out(lanes * code_bits)``
    new_weights : ``Out(lanes * weight_bits)``
    """

    latency = 3

    def __init__(self, core: CoreParams) -> None:
        self.core = core
        self.devices = devices = _devices(core)
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
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for lane in range(self.core.lanes):
            self._lane(m, lane)
        return m

    def _lane(self, m: Module, lane: int) -> None:
        core, devices = self.core, self.devices
        code = self.codes.word_select(lane, devices.code_bits)
        fields = {name: code[first:][:bits] for name, (first, bits) in devices.fields.items()}
        up, down = self.up[lane], self.down[lane]

        # First stage: the step of the curve; the noise.
        most = max(*devices.up, *devices.down)
        step = Signal(signed(unsigned_bits(most) + 1), name=f"step_{lane}")
        table = Mux(up, self._table(devices.up, fields["level"]), 0)
        m.d.sync += step.eq(table - Mux(down, self._table(devices.down, fields["level"]), 0))
        free = Signal(name=f"free_{lane}")
        stuck = fields.get("stuck", C(0, 1))
        m.d.sync += free.eq((up | down) & ~stuck)
        added: Value = C(8)
        if devices.draws:
            draw = self.draws.word_select(lane, DRAW_BITS)
            doubled = (draw[4:8] + draw[8:12] + draw[12:16]) << 1
            noise = Signal(signed(7), name=f"noise_{lane}")
            rounding = Signal(4, name=f"rounding_{lane}")
            m.d.sync += [noise.eq(doubled - NOISE_MEAN), rounding.eq(draw[:4])]
            added = Cat(C(8, 4), rounding) + noise * devices.noise

        # Second stage: the change, in 1/256 of a level.
        low, high = -2 * most * 15 - 45 * devices.noise, 2 * most * 15 + 45 * devices.noise + 255
        change = Signal(signed(signed_bits(low, high)), name=f"change_{lane}")
        factor: Value = C(8)
        if "variation" in fields:
            factor = delayed(m, fields["variation"], 1, name=f"variation_{lane}").as_signed() + 8
        m.d.sync += change.eq(((step * factor) << 1) + added)
        free_then = delayed(m, free, 1, name=f"free_then_{lane}")

        # Third stage: the new level, and the weight.
        level = delayed(m, fields["level"], 2, name=f"level_{lane}")
        moved = level + (change >> _FRACTION_BITS)
        clamped = Mux(moved < 0, 0, Mux(moved >= devices.levels, devices.levels - 1, moved))
        new = Signal(devices.bits, name=f"new_level_{lane}")
        m.d.comb += new.eq(Mux(free_then, clamped, level))
        weight = delayed(
            m, self.weights.word_select(lane, core.weight_bits), 2, name=f"weight_{lane}"
        )
        parts = [new]
        for name in ("stuck", "variation"):
            if name in fields:
                parts.append(delayed(m, fields[name], 2, name=f"{name}_kept_{lane}"))
        if "writes" in fields:
            given = delayed(m, up | down, 2, name=f"given_{lane}")
            writes = delayed(m, fields["writes"], 2, name=f"writes_{lane}")
            parts.append((writes + (given & ~writes.all()))[: devices.write_bits])
        m.d.sync += [
            self.new_codes.word_select(lane, devices.code_bits).eq(Cat(*parts)),
            self.new_weights.word_select(lane, core.weight_bits).eq(weight + new - level),
        ]

    @staticmethod
    def _table(steps: tuple[int, ...], level: Value) -> Value:
        """Return the step at a level; a constant where it is the same at all."""
        width = unsigned_bits(max(steps))
        if len(set(steps)) == 1:
            return C(steps[0], width)
        return Array(C(step, width) for step in steps)[level]


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
        m.d.comb += [
            port.read_data.eq(delayed(m, coming, CONFIG_LATENCY, name="selected_then")),
            memory.read.eq(self.read),
            memory.read_row.eq(first_row + self.read_row),
            self.row_data.eq(memory.row_data),
            memory.write.eq(self.write),
            memory.write_row.eq(first_row + self.write_row),
            memory.write_data.eq(self.write_data),
        ]
        return m
