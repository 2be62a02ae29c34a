"""Waveforms of a chip's ports as text, taken from simulations in Amaranth.

Each is what a small chip of two neurons does, in the clock cycles in which a signal that is shown
changes; cycles that are left out are a ``~``. What is shown of a cycle is what the clock edge at
its end sees.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import numpy as np
from amaranth import Module, Value
from amaranth.lib import wiring
from amaranth.sim import Simulator

from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.chip.bus_registers import BusParams
from spikelet.network.builder import PlasticNetwork
from spikelet.rtl_gen.axi_lite import AxiLite
from spikelet.rtl_gen.axi_stream import AxiStream
from spikelet.rtl_gen.bus_registers import chip_side
from spikelet.rtl_gen.chip import Chip
from spikelet.rtl_gen.wishbone import Wishbone

__all__ = ["WAVES"]

_PERIOD = 5  # a register that can be written
_WRITE, _SHIFT = 1 << 64, 32

Drive = Callable[[Any], Awaitable[None]]


def _network() -> CompiledNetwork:
    """Return a network of two inputs, each of which makes one of two neurons spike."""
    network = PlasticNetwork("shown")
    network.inputs("in", 2)
    network.population("out", 2, threshold=1)
    network.project("in", "out", weights=np.array([[3, 0], [0, 3]]))
    network.output("out")
    return compile_network(network)


def _wave(
    design: Module,
    shown: Mapping[str, Value],
    drive: Drive,
    qualified: Mapping[str, str],
    begins: str,
) -> str:
    """Return the waveform of what ``drive`` does.

    A signal in ``qualified`` is shown in the cycles in which the signals that it names are 1. The
    first cycle that is shown is the one before ``begins`` is first 1.
    """
    rows: list[tuple[int, ...]] = []
    simulator = Simulator(design)
    simulator.add_clock(1e-6)
    names = list(shown)

    async def look(context: Any) -> None:
        async for _, _, *values in context.tick().sample(*shown.values()):
            rows.append(tuple(values))

    async def driver(context: Any) -> None:
        await drive(context)
        await context.tick().repeat(2)

    simulator.add_testbench(look, background=True)
    simulator.add_testbench(driver)
    simulator.run()
    seen: list[dict[str, int | None]] = []
    for row in rows:
        values = dict(zip(names, row, strict=True))
        seen.append(
            {
                name: value
                if all(values[other] for other in qualified.get(name, "").split())
                else None
                for name, value in values.items()
            }
        )
    first = next(number for number, values in enumerate(seen) if values[begins]) - 1
    return _text(seen[first:], {name: len(Value.cast(s)) for name, s in shown.items()})


def _text(seen: Sequence[Mapping[str, int | None]], widths: Mapping[str, int]) -> str:
    """Return a table of cycles; 1 is a high line, 0 a low one, and words are hexadecimal."""
    largest = max(
        len(f"{value:x}")
        for row in seen
        for name, value in row.items()
        if value and widths[name] > 1
    )
    column = max(3, largest + 1, len(f"{len(seen)}") + 1)
    kept = [
        number
        for number in range(len(seen))
        if number in (0, len(seen) - 1)
        or seen[number] != seen[number - 1]
        or seen[number] != seen[number + 1]
    ]
    cells: dict[str, list[str]] = {name: [] for name in ("cycle", *seen[0])}
    for number, before in zip(kept, [kept[0], *kept], strict=False):
        if number > before + 1:
            for row in cells.values():
                row.append(" ~ ")
        cells["cycle"].append(f"{number:>{column}}")
        for name, value in seen[number].items():
            if widths[name] == 1:
                cells[name].append(("‾" if value else "_") * column)
            else:
                cells[name].append(f"{'.' if value is None else f'{value:x}':>{column}}")
    longest = max(map(len, cells))
    return "".join(
        f"{name:<{longest}} {''.join(row)}".rstrip() + "\n" for name, row in cells.items()
    )


def _around(parts: Sequence[wiring.Component], chip: Chip, params: BusParams) -> Module:
    """Return the components of a bus in front of a chip."""
    m = Module()
    m.submodules.chip = chip
    registers, events = parts[0], parts[-1]
    for number, part in enumerate(parts):
        m.submodules[f"part_{number}"] = part
        m.d.comb += part.busy.eq(chip.busy)
    m.d.comb += [chip.start.eq(registers.start), chip.clear.eq(registers.clear)]
    if events is not registers:
        m.d.comb += events.clear.eq(registers.clear)
    asked, answer = registers.config_request, registers.config_response
    m.d.comb += [
        chip.config_request.valid.eq(asked.valid),
        chip.config_request.p.address.eq(asked.p.address),
        chip.config_request.p.data.eq(asked.p.data),
        chip.config_request.p.write.eq(asked.p.write),
        asked.ready.eq(chip.config_request.ready),
        answer.payload.eq(chip.config_response.payload),
        answer.valid.eq(chip.config_response.valid),
        Value.cast(chip.event_in.payload).eq(events.event_in.payload),
        chip.event_in.valid.eq(events.event_in.valid),
        events.event_in.ready.eq(chip.event_in.ready),
        events.event_out.payload.eq(Value.cast(chip.event_out.payload)),
        events.event_out.valid.eq(chip.event_out.valid),
        chip.event_out.ready.eq(events.event_out.ready),
    ]
    assert chip_side(params).keys() <= registers.signature.members.keys()
    return m


async def _put(context: Any, valid: Value, ready: Value, *settings: tuple[Value, int]) -> None:
    """Offer something until it is taken."""
    for signal, value in settings:
        context.set(signal, value)
    context.set(valid, 1)
    await context.tick().until(ready)
    context.set(valid, 0)


def _native() -> tuple[Chip, CompiledNetwork, Callable[[Any, int], Awaitable[None]]]:
    compiled = _network()
    chip = Chip(compiled.chip)
    request = chip.config_request

    async def ask(context: Any, word: int) -> None:
        await _put(context, request.valid, request.ready, (Value.cast(request.payload), word))

    return chip, compiled, ask


def configuration() -> str:
    """A word is written and read, one cycle after the other."""
    chip, _, ask = _native()
    request, response = chip.config_request, chip.config_response

    async def drive(context: Any) -> None:
        await context.tick()
        await ask(context, _PERIOD | 0xABC << _SHIFT | _WRITE)
        await ask(context, _PERIOD)
        await context.tick().until(response.valid)

    shown = {
        "config_request.valid": request.valid,
        "config_request.ready": request.ready,
        "  .address": request.p.address,
        "  .data": request.p.data,
        "  .write": request.p.write,
        "config_response.valid": response.valid,
        "config_response.payload": response.payload,
    }
    qualified = {
        "  .address": "config_request.valid",
        "  .data": "config_request.valid",
        "config_response.payload": "config_response.valid",
    }
    return _wave(_module(chip), shown, drive, qualified, "config_request.valid")


def tick() -> str:
    """Two events, a tick, and two spikes, of which the host takes the first late."""
    chip, compiled, ask = _native()

    async def drive(context: Any) -> None:
        for address, data in compiled.image.program(compiled.chip).tolist():
            await ask(context, address | data << _SHIFT | _WRITE)
        context.set(chip.clear, 1)
        await context.tick()
        context.set(chip.clear, 0)
        await context.tick().until(~chip.busy)
        await context.tick().repeat(20)
        for flit in (0, 1):
            payload = Value.cast(chip.event_in.payload)
            await _put(context, chip.event_in.valid, chip.event_in.ready, (payload, flit))
        context.set(chip.start, 1)
        await context.tick()
        context.set(chip.start, 0)
        await context.tick().until(chip.event_out.valid)
        await context.tick().repeat(2)
        context.set(chip.event_out.ready, 1)
        await context.tick().until(~chip.busy)

    shown = {
        "event_in.valid": chip.event_in.valid,
        "event_in.ready": chip.event_in.ready,
        "event_in.payload": Value.cast(chip.event_in.payload),
        "start": chip.start,
        "busy": chip.busy,
        "event_out.valid": chip.event_out.valid,
        "event_out.ready": chip.event_out.ready,
        "event_out.payload": Value.cast(chip.event_out.payload),
    }
    qualified = {"event_in.payload": "event_in.valid", "event_out.payload": "event_out.valid"}
    return _wave(_module(chip), shown, drive, qualified, "event_in.valid")


def _module(chip: Chip) -> Module:
    m = Module()
    m.submodules.chip = chip
    return m


def wishbone() -> str:
    """A register is written and read; then a word is read in which there is none."""
    compiled = _network()
    params = BusParams.of(compiled.chip)
    bus = Wishbone(params)

    async def access(context: Any, address: int, data: int | None = None) -> None:
        for signal, value in (
            (bus.wb_adr, address),
            (bus.wb_we, data is not None),
            (bus.wb_dat_w, data or 0),
            (bus.wb_sel, 15),
        ):
            context.set(signal, value)
        context.set(bus.wb_cyc, 1)
        context.set(bus.wb_stb, 1)
        await context.tick().until(bus.wb_ack | bus.wb_err)
        context.set(bus.wb_cyc, 0)
        context.set(bus.wb_stb, 0)
        await context.tick()

    async def drive(context: Any) -> None:
        await context.tick()
        await access(context, _PERIOD, 0xABC)
        await access(context, _PERIOD)
        await access(context, params.address("interrupts") + 1)

    names = ("cyc", "stb", "we", "adr", "dat_w", "sel", "ack", "err", "dat_r")
    shown = {f"wb_{name}": getattr(bus, f"wb_{name}") for name in names}
    qualified = {
        **dict.fromkeys(("wb_adr", "wb_sel"), "wb_stb"),
        "wb_dat_w": "wb_stb wb_we",
        "wb_dat_r": "wb_ack",
    }
    return _wave(_around([bus], Chip(compiled.chip), params), shown, drive, qualified, "wb_cyc")


def _axi() -> tuple[CompiledNetwork, BusParams, AxiLite, AxiStream, Module]:
    compiled = _network()
    params = BusParams.of(compiled.chip)
    lite, streams = AxiLite(params, events=False), AxiStream(params)
    design = _around([lite, streams], Chip(compiled.chip), params)
    return compiled, params, lite, streams, design


async def _axi_write(context: Any, lite: AxiLite, address: int, data: int) -> None:
    context.set(lite.s_axil_wvalid, 1)
    context.set(lite.s_axil_wdata, data)
    context.set(lite.s_axil_wstrb, 15)
    context.set(lite.s_axil_bready, 1)
    place = (lite.s_axil_awaddr, 4 * address)
    await _put(context, lite.s_axil_awvalid, lite.s_axil_awready, place)
    context.set(lite.s_axil_wvalid, 0)
    await context.tick().until(lite.s_axil_bvalid)


def axi_lite() -> str:
    """A register is written and read."""
    _, _, lite, _, design = _axi()

    async def drive(context: Any) -> None:
        await context.tick()
        await _axi_write(context, lite, _PERIOD, 0xABC)
        context.set(lite.s_axil_rready, 1)
        place = (lite.s_axil_araddr, 4 * _PERIOD)
        await _put(context, lite.s_axil_arvalid, lite.s_axil_arready, place)
        await context.tick().until(lite.s_axil_rvalid)

    names = ("awvalid", "awready", "awaddr", "wvalid", "wready", "wdata", "bvalid", "bready")
    names += ("bresp", "arvalid", "arready", "araddr", "rvalid", "rready", "rdata", "rresp")
    shown = {f"s_axil_{name}": getattr(lite, f"s_axil_{name}") for name in names}
    qualified = {
        f"s_axil_{channel}{part}": f"s_axil_{channel}valid"
        for channel, parts in {"aw": ("addr",), "w": ("data",), "b": ("resp",)}.items()
        for part in parts
    }
    qualified |= {"s_axil_araddr": "s_axil_arvalid"}
    qualified |= dict.fromkeys(("s_axil_rdata", "s_axil_rresp"), "s_axil_rvalid")
    return _wave(design, shown, drive, qualified, "s_axil_awvalid")


def axi_stream() -> str:
    """Two events, a tick, and its packet: two spikes and a mark."""
    compiled, params, lite, streams, design = _axi()

    async def drive(context: Any) -> None:
        for address, data in compiled.image.program(compiled.chip).tolist():
            await _axi_write(context, lite, address, data)
        await _axi_write(context, lite, params.address("control"), 2)
        await context.tick().repeat(60)
        context.set(streams.m_axis_tready, 1)
        for flit in (0, 1):
            word = (streams.s_axis_tdata, flit)
            await _put(context, streams.s_axis_tvalid, streams.s_axis_tready, word)
        await _axi_write(context, lite, params.address("control"), 1)
        await context.tick().until(streams.m_axis_tvalid & streams.m_axis_tlast)

    names = ("tvalid", "tready", "tdata")
    shown = {f"s_axis_{name}": getattr(streams, f"s_axis_{name}") for name in names}
    shown["busy"] = streams.busy
    names = (*names, "tlast")
    shown |= {f"m_axis_{name}": getattr(streams, f"m_axis_{name}") for name in names}
    qualified = {"s_axis_tdata": "s_axis_tvalid", "m_axis_tdata": "m_axis_tvalid"}
    return _wave(design, shown, drive, qualified, "s_axis_tvalid")


WAVES: dict[str, Callable[[], str]] = {
    "Configuration": configuration,
    "A tick": tick,
    "Wishbone": wishbone,
    "AXI4-Lite": axi_lite,
    "AXI4-Streams": axi_stream,
}
"""What draws each waveform; the docstring says what happens."""
