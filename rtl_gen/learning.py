"""Learning engine of a plastic core: what is visited when. Twin of ``golden/learning.py``."""

from amaranth import C, Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.memory_map import TICK_BITS, Region
from spikelet.description.chip.teacher import error_bits
from spikelet.description.learning.rule import DRAW_BITS
from spikelet.rtl_gen.devices import DeviceDatapath, DeviceMemory
from spikelet.rtl_gen.layouts import CONFIG_LATENCY, RegionPort, delayed
from spikelet.rtl_gen.learning_rule import RuleDatapath
from spikelet.rtl_gen.lfsr import LaneLfsrs
from spikelet.rtl_gen.post_traces import PostTraces
from spikelet.rtl_gen.pre_traces import PreTraces
from spikelet.rtl_gen.rule_bits import RuleBits
from spikelet.rtl_gen.synapse_memory import SynapseMemory
from spikelet.rtl_gen.synapses.ports import VisitPort
from spikelet.rtl_gen.visit_loops import VisitLoops

__all__ = ["Learning"]

_REGIONS = (
    "plastic",
    "learning",
    "rule_bits",
    "tags",
    "pre_traces",
    "post_traces",
    "random",
    "devices",
    "selected",
)


class Learning(wiring.Component):
    """Visits synapses: in passing while they are accumulated, then in loops of its own.

    In the pre phase the crossbar's own reads are the visits. When the neurons have been updated,
    the post phase and the sweep read the rows concerned. Every visit writes its row back.

    No bench of its own: ``sim/bench_learning.py`` runs it in its core, whose reads are its visits.

    Timing: the pre phase takes no time of its own, except in ``spram``, where the crossbar is held
    every second cycle. For the others see :class:`VisitLoops`; ``spram`` takes two cycles a visit.
    Reset: stops, and switches learning off; does not clear the memories.

    Parameters
    ----------
    core : CoreParams
    regions : dict of Region
        Of the core, by name.
    update_latency : int
        Cycles from a row's sums to its spikes.

    Members
    -------
    start, clear : ``In(1)``
    tick : ``In(TICK_BITS)``
        Number of the coming tick; ``start`` makes it the next, a cycle later.
    word_valid, word, word_data : ``In``
        Words of the tick's active axons, as the scan fetches them.
    scan_ready : ``Out(1)``
        Low: the scan is held.
    crossbar : ``In(VisitPort(core))``
    settled : ``In(1)``
        Crossbar and neurons have done this tick's work.
    sums_valid, fired_valid : ``In(1)``, fired : ``In(pipelines)``, potentials : ``In``
        Rows of neurons before and after their update.
    errors : ``In(pipelines * error_bits)``
        With ``fired``, where the rule reads them.
    enabled : ``Out(1)``
        Learning is on.
    busy : ``Out(1)``
    plastic, learning, rule_bits, tags, pre_traces, post_traces, random, devices, selected :
        ``In(RegionPort(...))``
        Configuration access, while not ``busy``; as far as the core has them.
    """

    def __init__(
        self, core: CoreParams, regions: dict[str, Region], *, update_latency: int
    ) -> None:
        assert core.learning is not None
        self.core = core
        self.rule = core.learning
        self.regions = regions
        self.update_latency = update_latency
        self.names = [name for name in _REGIONS if name in regions]
        bits = error_bits(core.learning)
        super().__init__(
            {
                "start": In(1),
                "clear": In(1),
                "tick": In(TICK_BITS),
                "word_valid": In(1),
                "word": In((core.scan_words - 1).bit_length()),
                "word_data": In(core.scan_bits),
                "scan_ready": Out(1),
                "crossbar": In(VisitPort(core)),
                "settled": In(1),
                "sums_valid": In(1),
                "fired_valid": In(1),
                "fired": In(core.pipelines),
                "potentials": In(core.pipelines * core.potential_bits),
                **({"errors": In(core.pipelines * bits)} if bits else {}),
                "enabled": Out(1),
                "busy": Out(1),
                **{
                    name: In(RegionPort((regions[name].span - 1).bit_length(), regions[name].bits))
                    for name in self.names
                },
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        core, rule, crossbar = self.core, self.rule, self.crossbar
        m.submodules.pre = pre = PreTraces(core, self.regions)
        m.submodules.loops = loops = VisitLoops(core)
        m.submodules.rule = datapath = RuleDatapath(core)
        reward = self._registers(m)
        in_loops = loops.post | loops.sweep

        # In spram a row is read in one cycle and written in the next.
        turn = Signal()
        one_port = core.weight_memory == "spram"
        if one_port:
            m.d.sync += turn.eq(~turn)
        held = self.enabled & C(one_port and "pre" in rule.phases)
        m.d.comb += [
            self.scan_ready.eq(~held | turn),
            crossbar.hold.eq(held & turn),
            loops.scan_ready.eq(turn if one_port else 1),
            loops.ready.eq(~turn),
        ]

        # A visit: its row is read, the rule is applied, the row is written.
        reading = Signal()
        passing = self.enabled & C("pre" in rule.phases) & crossbar.accumulating
        m.d.comb += reading.eq(loops.visit | passing)
        reads = Signal(SynapseMemory.latency)
        m.d.sync += reads.eq(Cat(reading, reads))
        device = DeviceDatapath(core) if rule.devices else None
        latency = datapath.latency + (device.latency if device else 0)
        padding = latency % 2 if one_port else 0
        waited = latency + padding
        visits = Signal(waited + 1)
        m.d.comb += visits[0].eq(reads[-1] & (in_loops | pre.plastic))
        m.d.sync += visits[1:].eq(visits)
        row = delayed(m, crossbar.read_row, SynapseMemory.latency + waited, name="visited_row")
        m.d.comb += [
            crossbar.visit.eq(loops.visit),
            crossbar.visit_row.eq(loops.row),
            crossbar.write.eq(visits[waited]),
            crossbar.write_row.eq(row),
            datapath.weights.eq(crossbar.weights),
            datapath.fired.eq(loops.group_fired),
            datapath.visit.post.eq(loops.post),
            datapath.visit.sweep.eq(loops.sweep),
        ]
        if rule.tag_bits:
            self._tags(m, datapath, row, waited - datapath.latency)
        draws = self._draws(m, datapath, visits) if rule.stochastic else []
        if device:
            new_weights = self._devices(m, datapath, device, row, visits, draws)
        else:
            new_weights = datapath.new_weights
        written = delayed(m, new_weights, padding, name="new_weights")
        m.d.comb += crossbar.write_weights.eq(written)

        self._pre_traces(m, pre, loops, datapath)
        traces_busy = pre.busy | self._post_traces(m, loops, datapath)
        moving = reading | reads.any() | visits.any()
        m.d.comb += [
            loops.start.eq(self.start),
            loops.settled.eq(self.settled & ~moving & ~traces_busy),
            loops.drained.eq(~moving),
            loops.post_due.eq(self.enabled & C("post" in rule.phases)),
            loops.sweep_due.eq(self.enabled & self._sweep_due(m, datapath, reward)),
            loops.fired_valid.eq(self.fired_valid),
            loops.fired.eq(self.fired),
            *(
                [loops.errors.eq(self.errors), datapath.errors.eq(loops.group_errors)]
                if rule.reads_error
                else []
            ),
            self.busy.eq(loops.busy | traces_busy),
        ]
        return m

    def _registers(self, m: Module) -> Signal:
        """Build the enable and reward registers; return the reward."""
        port = self.learning
        reward = Signal(signed(self.rule.reward_bits))
        with m.If(port.write):
            with m.If(port.offset):
                m.d.sync += reward.eq(port.data)
            with m.Else():
                m.d.sync += self.enabled.eq(port.data)
        offset = delayed(m, port.offset, CONFIG_LATENCY, name="register")
        m.d.comb += port.read_data.eq(Mux(offset, reward, self.enabled))
        return reward

    def _sweep_due(self, m: Module, datapath: RuleDatapath, reward: Signal) -> Value:
        """Tell the datapath what a sweep would evaluate; return whether anything."""
        due: Value = C(0)
        if "r" in self.rule.variables:
            m.d.comb += datapath.visit.r.eq(reward)
        for period in self.rule.periods:
            here = Signal(name=f"period_{period}")
            m.d.comb += here.eq(self.tick[:period] == 0)
            m.d.comb += datapath.visit[f"period_{period}"].eq(here)
            due = due | here
        if any(term.phase == "sweep" and term.period is None for term in self.rule.terms):
            due = due | (reward != 0)
        return due

    def _tags(self, m: Module, datapath: RuleDatapath, row: Value, padding: int) -> None:
        """Build the memory of the tags, which are visited with the weights."""
        crossbar = self.crossbar
        m.submodules.tag_memory = memory = SynapseMemory(
            self.core, self.regions["tags"], bits=self.rule.tag_bits, writable=True
        )
        connect(m, flipped(self.tags), memory.config)
        m.d.comb += [
            memory.read.eq(crossbar.read),
            memory.read_row.eq(crossbar.read_row),
            memory.write.eq(crossbar.write),
            memory.write_row.eq(row),
            memory.write_data.eq(delayed(m, datapath.new_tags, padding, name="new_tags")),
            datapath.tags.eq(memory.row_data),
        ]

    def _draws(self, m: Module, datapath: RuleDatapath, visits: Signal) -> list[Value]:
        """Build the lanes' LFSRs; return the draws of each lane, the rule's first."""
        each, lanes = self.rule.visit_draws, self.core.lanes
        m.submodules.lfsrs = lfsrs = LaneLfsrs(lanes, self.regions["random"], draws=each)
        connect(m, flipped(self.random), lfsrs.config)
        m.d.comb += lfsrs.advance.eq(visits[datapath.draw_stage])
        words = [lfsrs.draws.word_select(i, DRAW_BITS) for i in range(each * lanes)]
        m.d.comb += datapath.draws.eq(Cat(*words[::each]))
        return words

    def _devices(
        self,
        m: Module,
        datapath: RuleDatapath,
        device: DeviceDatapath,
        row: Value,
        visits: Signal,
        draws: list[Value],
    ) -> Value:
        """Build the devices, which get the rule's pulses; return the new weights."""
        crossbar = self.crossbar
        m.submodules.device_memory = memory = DeviceMemory(self.core, self.regions)
        m.submodules.device_datapath = device
        connect(m, flipped(self.devices), memory.devices)
        connect(m, flipped(self.selected), memory.selected)
        padding = len(visits) - 1 - datapath.latency - device.latency
        pulsed = visits[datapath.latency] & (datapath.up | datapath.down).any()
        m.d.comb += [
            memory.start.eq(self.start),
            memory.pulsed.eq(pulsed),
            memory.read.eq(crossbar.read),
            memory.read_row.eq(crossbar.read_row),
            memory.write.eq(crossbar.write),
            memory.write_row.eq(row),
            memory.write_data.eq(delayed(m, device.new_codes, padding, name="new_codes")),
            device.up.eq(datapath.up),
            device.down.eq(datapath.down),
            device.codes.eq(delayed(m, memory.row_data, datapath.latency, name="codes")),
            device.weights.eq(delayed(m, crossbar.weights, datapath.latency, name="weights")),
        ]
        if "draws" in device.signature.members:
            later = datapath.latency - datapath.draw_stage
            device_draws = delayed(m, Cat(*draws[1::2]), later, name="device_draws")
            m.d.comb += device.draws.eq(device_draws)
        if "selected" in device.signature.members:
            m.d.comb += device.selected.eq(memory.programmed)
        return device.new_weights

    def _pre_traces(
        self, m: Module, pre: PreTraces, loops: VisitLoops, datapath: RuleDatapath
    ) -> None:
        """Connect the traces of the axons to the scan, the loops and the rule."""
        rule, crossbar = self.rule, self.crossbar
        in_loops = loops.post | loops.sweep
        connect(m, flipped(self.plastic), pre.plastic_config)
        if rule.pre_traces:
            connect(m, flipped(self.pre_traces), pre.pre_traces)
        m.d.comb += [
            pre.start.eq(self.start),
            pre.clear.eq(self.clear),
            pre.half.eq(self.tick[0]),
            pre.word_valid.eq(self.word_valid),
            pre.word.eq(self.word),
            pre.word_data.eq(self.word_data),
            pre.unraised.eq(~in_loops),
            pre.axon.eq(Mux(in_loops, loops.axon, crossbar.axon)),
            pre.list_fetch.eq(loops.list_fetch),
            pre.list_word.eq(loops.list_word),
            pre.list_all.eq(loops.sweep | C(rule.visits_silent_axons)),
            loops.list_data.eq(pre.list_data),
            datapath.visit.x0.eq(pre.x0),
            *[datapath.visit[name].eq(getattr(pre, name)) for name in rule.pre_traces],
        ]
        if "b" in rule.variables:
            m.submodules.rule_bits = bits = RuleBits(self.core, self.regions["rule_bits"])
            connect(m, flipped(self.rule_bits), bits.config)
            m.d.comb += [bits.axon.eq(pre.axon), datapath.visit.b.eq(bits.bit)]

    def _post_traces(self, m: Module, loops: VisitLoops, datapath: RuleDatapath) -> Value:
        """Build the traces of the neurons, if the rule has any; return whether they are busy."""
        if "post_traces" not in self.names:
            return C(0)
        crossbar = self.crossbar
        m.submodules.post = post = PostTraces(
            self.core, self.regions["post_traces"], update_latency=self.update_latency
        )
        connect(m, flipped(self.post_traces), post.config)

        # A group's traces change with the first row that has its weights behind it.
        marks = Signal(loops.neurons_lag)
        begins = crossbar.group_end | self.start | loops.group_begins
        m.d.sync += marks.eq(Cat(begins, marks))
        next_group = Mux(loops.group_begins, loops.group, crossbar.next_group)
        next_group = Mux(self.start, 0, next_group)
        coming = delayed(m, next_group, len(marks) - 1, name="coming_group")
        m.d.comb += [
            post.start.eq(self.start),
            post.clear.eq(self.clear),
            post.half.eq(self.tick[0]),
            post.load.eq(marks[-2]),
            post.group.eq(coming),
            post.take.eq(marks[-1]),
            post.leave.eq(crossbar.group_done),
            post.sums_valid.eq(self.sums_valid),
            post.fired_valid.eq(self.fired_valid),
            post.fired.eq(self.fired),
            post.potentials.eq(self.potentials),
            datapath.neurons.eq(post.neurons),
        ]
        return post.busy
