"""Traces of the axons, and which axons are visited. Twin of ``golden/pre_traces.py``."""

from amaranth import C, Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.memory_map import Region
from spikelet.rtl_gen.banked_memory import BankedMemory
from spikelet.rtl_gen.layouts import CONFIG_LATENCY, RegionPort, delayed
from spikelet.rtl_gen.trace_update import decayed, raised

__all__ = ["PreTraces"]


class PreTraces(wiring.Component):
    """In every tick, all traces of the axons rise and decay, ``trace_lanes`` axons a cycle.

    The memory has two halves, used in turn: a tick reads the traces from one and writes those for
    the coming tick to the other, so that the visits of the tick find them unchanged.

    Timing: the update follows the scan, a row a cycle, and takes 5 cycles more. ``x0``, the traces
    and ``plastic`` of a look-up come :attr:`latency` cycles after ``axon``. Clearing takes
    ``2 * trace_rows`` cycles, ``trace_rows`` rounded up to a power of two.
    Reset: stops; does not clear the memories.

    Parameters
    ----------
    core : CoreParams
    regions : dict of Region
        Of the core, by name.

    Members
    -------
    start : ``In(1)``
        A tick begins.
    clear : ``In(1)``
        Set the traces to 0.
    half : ``In(1)``
        Where the traces for the coming tick are.
    word_valid, word, word_data : ``In``
        Words of the tick's active axons, as the scan fetches them.
    axon : ``In(range(n_axons))``
        Axon to look up. The post phase looks up only while not ``busy``.
    unraised : ``In(1)``
        Look up the traces from before this tick's spikes.
    x0 : ``Out(1)``
        The axon has a spike; not of a look-up with ``unraised``.
    plastic : ``Out(1)``
        The axon is plastic; only of a look-up with ``unraised``.
    x1, x2 : ``Out(bits)``
        Those that the core has.
    list_fetch : ``In(1)``, list_word : ``In(range(scan_words))``
    list_all : ``In(1)``
    list_data : ``Out(scan_bits)``
        Plastic axons of the word fetched last that have a trace or a spike, or all. Not while
        looking up with ``unraised``.
    busy : ``Out(1)``
    plastic_config, pre_traces : ``In(RegionPort(...))``
        Configuration access, while not ``busy``; the latter if the core has traces.
    """

    latency = 3

    def __init__(self, core: CoreParams, regions: dict[str, Region]) -> None:
        assert core.learning is not None
        self.core = core
        self.traces = core.learning.pre_traces
        pre_terms = [term for term in core.learning.terms if term.phase == "pre"]
        self.used_before = any(term.variables & set(self.traces) for term in pre_terms)
        word_bits = (core.scan_words - 1).bit_length()
        members = {
            "start": In(1),
            "clear": In(1),
            "half": In(1),
            "word_valid": In(1),
            "word": In(word_bits),
            "word_data": In(core.scan_bits),
            "axon": In(range(core.n_axons)),
            "unraised": In(1),
            "x0": Out(1),
            "plastic": Out(1),
            **{name: Out(trace.bits) for name, trace in self.traces.items()},
            "list_fetch": In(1),
            "list_word": In(word_bits),
            "list_all": In(1),
            "list_data": Out(core.scan_bits),
            "busy": Out(1),
            "plastic_config": In(RegionPort(word_bits, regions["plastic"].bits)),
        }
        if self.traces:
            region = regions["pre_traces"]
            port = RegionPort((region.span - 1).bit_length(), region.bits)
            members["pre_traces"] = In(port)
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        core = self.core
        index_bits = (core.scan_bits - 1).bit_length()
        axon_word, axon_index = self.axon[index_bits:], self.axon[:index_bits]

        def word_memory() -> BankedMemory:
            return BankedMemory(depth=core.scan_words, banks=1, bank_bits=core.scan_bits)

        # Plastic axons: looked up by axon, or listed by word.
        m.submodules.plastic = plastic = word_memory()
        config = self.plastic_config
        lookup_word = Mux(self.unraised, axon_word, self.list_word)
        m.d.comb += [
            plastic.read_row.eq(Mux(config.read, config.offset, lookup_word)),
            plastic.read_enable.eq(self.unraised | self.list_fetch | config.read),
            plastic.write_row.eq(config.offset),
            plastic.write_data.eq(config.data),
            plastic.write_banks.eq(config.write),
            config.read_data.eq(
                delayed(m, plastic.read_data, CONFIG_LATENCY - 1, name="plastic_word")
            ),
        ]
        index = delayed(m, axon_index, 1, name="index")
        mark = plastic.read_data.bit_select(index, 1)
        m.d.comb += self.plastic.eq(delayed(m, mark, self.latency - 1, name="plastic_mark"))

        # Spikes of this tick, kept as the scan meets them.
        m.submodules.spiked = spiked = word_memory()
        words_met = Signal(range(core.scan_words + 1))
        with m.If(self.start):
            m.d.sync += words_met.eq(0)
        with m.Elif(self.word_valid):
            m.d.sync += words_met.eq(words_met + 1)
        m.d.comb += [
            spiked.write_row.eq(self.word),
            spiked.write_data.eq(self.word_data),
            spiked.write_banks.eq(self.word_valid),
            spiked.read_enable.eq(1),
        ]
        spike = delayed(m, spiked.read_data.bit_select(index, 1), 1, name="spike")
        m.d.comb += self.x0.eq(delayed(m, spike, self.latency - 2, name="spike"))
        if not self.traces:
            m.d.comb += [
                spiked.read_row.eq(axon_word),
                self.busy.eq(self.start | self.word_valid),
            ]
            m.submodules.listed = listed = word_memory()
            m.d.comb += [
                listed.write_row.eq(self.word),
                listed.write_data.eq(self.word_data),
                listed.write_banks.eq(self.word_valid),
            ]
            self._list(m, plastic, listed)
            return m
        self._update(m, plastic, spiked, words_met, spike)
        return m

    def _list(self, m: Module, plastic: BankedMemory, eligible: BankedMemory) -> None:
        m.d.comb += [
            eligible.read_row.eq(self.list_word),
            eligible.read_enable.eq(self.list_fetch),
            self.list_data.eq(
                plastic.read_data
                & (eligible.read_data | self.list_all.replicate(self.core.scan_bits))
            ),
        ]

    def _update(
        self,
        m: Module,
        plastic: BankedMemory,
        spiked: BankedMemory,
        words_met: Signal,
        spike: Value,
    ) -> None:
        """Build the traces' memory, its update in every tick, and the look-up."""
        core, traces = self.core, self.traces
        lanes, config = core.trace_lanes, self.pre_traces
        axon_bits = sum(trace.bits for trace in traces.values())
        row_bits = lanes * axon_bits
        banks = -(-row_bits // 32)
        bank_address_bits = (banks - 1).bit_length()
        lane_bits = (lanes - 1).bit_length()
        rows_in_word = core.scan_bits // lanes
        part_bits = (rows_in_word - 1).bit_length()
        row_address_bits = (core.trace_rows - 1).bit_length()

        def trace_memory() -> BankedMemory:
            return BankedMemory(
                depth=2 << row_address_bits, banks=banks, bank_bits=min(32, row_bits), kind="block"
            )

        # Walk: row after row, as soon as the scan has met the row's spikes.
        row = Signal(range(core.trace_rows + 1))
        walking = Signal()
        step = Signal()
        m.d.comb += step.eq(walking & (row[part_bits:] < words_met) & (row != core.trace_rows))
        with m.If(self.start):
            m.d.sync += [row.eq(0), walking.eq(1)]
        with m.Elif(step):
            m.d.sync += row.eq(row + 1)
        with m.If(walking & (row == core.trace_rows)):
            m.d.sync += walking.eq(0)
        steps = Signal(4)
        m.d.sync += steps.eq(Cat(step, steps))
        rows = [row]
        for cycle in range(4):
            rows.append(delayed(m, rows[-1], 1, name=f"row_{cycle}"))

        # Read: the walk, a look-up, or the configuration port.
        m.submodules.traces = memory = trace_memory()
        found = memory
        address = Cat(self.axon[lane_bits:][:row_address_bits], ~self.half)
        config_row = Cat(config.offset[bank_address_bits:][:row_address_bits], self.half)
        lookup = address
        if self.used_before:
            m.submodules.traces_copy = found = trace_memory()
            m.d.comb += [found.read_row.eq(address), found.read_enable.eq(1)]
            lookup = config_row
        m.d.comb += [
            memory.read_row.eq(
                Mux(
                    step,
                    Cat(row[:row_address_bits], ~self.half),
                    Mux(config.read, config_row, lookup),
                )
            ),
            memory.read_enable.eq(1),
            spiked.read_row.eq(Mux(step, row[part_bits:], self.axon[lane_bits + part_bits :])),
        ]
        old = Signal(len(memory.read_data))
        spikes = Signal(lanes)
        m.d.sync += [
            old.eq(memory.read_data),
            spikes.eq(spiked.read_data.word_select(rows[1][:part_bits], lanes)),
        ]

        # Update: raised, then decayed. What is eligible is collected word by word.
        eligible_lanes = []
        next_lanes = []
        for lane in range(lanes):
            first = lane * axon_bits
            eligible = spikes[lane]
            for name, trace in traces.items():
                value = old[first : first + trace.bits]
                up = raised(m, trace, value, spikes[lane], name=f"{name}_{lane}")
                eligible = eligible | value.any()
                next_lanes.append(decayed(m, trace, up, name=f"{name}_{lane}"))
                first += trace.bits
            eligible_lanes.append(eligible)
        m.submodules.eligible = listed = BankedMemory(
            depth=core.scan_words, banks=1, bank_bits=core.scan_bits
        )
        collected = Signal(core.scan_bits)
        with m.If(steps[1]):
            m.d.sync += collected.eq(Cat(collected, Cat(eligible_lanes))[lanes:])
        last_part = rows[3][:part_bits] == rows_in_word - 1 if part_bits else C(1)
        m.d.comb += [
            listed.write_row.eq(rows[3][part_bits:]),
            listed.write_data.eq(collected),
            listed.write_banks.eq(steps[2] & last_part),
        ]
        self._list(m, plastic, listed)

        # Write: to the half of the coming tick.
        clear_row = Signal(range(2 << row_address_bits))
        clearing = Signal()
        with m.If(self.clear):
            m.d.sync += [clearing.eq(1), clear_row.eq(0)]
        with m.Elif(clearing):
            m.d.sync += [clear_row.eq(clear_row + 1), clearing.eq(~clear_row.all())]
        bank = config.offset[:bank_address_bits]
        for each in {id(memory): memory, id(found): found}.values():
            m.d.comb += [
                each.write_row.eq(
                    Mux(
                        clearing,
                        clear_row,
                        Mux(steps[3], Cat(rows[4][:row_address_bits], self.half), config_row),
                    )
                ),
                each.write_data.eq(
                    Mux(clearing, 0, Mux(steps[3], Cat(next_lanes), config.data.replicate(banks)))
                ),
                each.write_banks.eq(Mux(clearing | steps[3], C(-1, banks), config.write << bank)),
            ]
        waited = CONFIG_LATENCY - 2
        at = delayed(m, bank, 2, name="bank")
        m.d.comb += [
            config.read_data.eq(
                delayed(m, old.word_select(at, len(config.data)), waited, name="traces_word")
            ),
            self.busy.eq(self.start | walking | steps.any() | clearing),
        ]

        # Look-up: the axon's lane, raised unless the traces from before are asked for.
        at = delayed(m, self.axon[:lane_bits], 1, name="lane")
        axon_word = Signal(axon_bits)
        m.d.sync += axon_word.eq(found.read_data.word_select(at, axon_bits))
        unraised = delayed(m, self.unraised, 2, name="unraised")
        first = 0
        for name, trace in traces.items():
            value = axon_word[first : first + trace.bits]
            up = raised(m, trace, value, spike & ~unraised, name=f"{name}_found")
            m.d.comb += getattr(self, name).eq(up)
            first += trace.bits
