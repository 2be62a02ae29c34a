"""Whether a core's neurons are at rest. Twin of ``golden/rest.py``."""

from functools import reduce
from operator import or_

from amaranth import C, Module, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spikelet.description.chip.core import CoreParams
from spikelet.rtl_gen.layouts import delayed
from spikelet.rtl_gen.neuron_update import state_layout

__all__ = ["Rest"]


class Rest(wiring.Component):
    """Compares the states of neurons before and after their update.

    Neurons whose update without current changed no state, and that did not fire, are at a fixed
    point: so are all ticks without a spike that follow, until something is written. Whatever the
    model computes, since states and parameters are all that it reads besides current and
    ``inhibited``, which is 0 where none has fired.

    Timing: none of its own; ``quiet`` is known from the cycle after ``start`` on, and falls in the
    cycle after the first ``axon_valid``.
    Reset: the neurons do not rest.

    Parameters
    ----------
    core : CoreParams
    latency : int
        Clock cycles from ``entering`` to ``leaving``.

    Members
    -------
    start : ``In(1)``
        A tick begins.
    woken : ``In(1)``
        States or parameters are written, or cleared.
    axon_valid : ``In(1)``
        An axon is active in this tick.
    row_valid : ``In(1)``
        ``leaving`` is a row of neurons. All rows come in a tick that is not ``quiet`` in the end.
    held : ``In(1)``
        With ``row_valid``: the row is not updated as it would be in a tick without spikes.
    entering : ``In(ArrayLayout(state_layout(core), pipelines))``
        The row's states, ``latency`` cycles before ``leaving``.
    leaving : ``In(ArrayLayout(state_layout(core), pipelines))``
    quiet : ``Out(1)``
        The neurons rest, and no axon has been active in this tick so far.
    """

    def __init__(self, core: CoreParams, latency: int) -> None:
        self.core = core
        self.latency = latency
        row = data.ArrayLayout(state_layout(core), core.pipelines)
        super().__init__(
            {
                "start": In(1),
                "woken": In(1),
                "axon_valid": In(1),
                "row_valid": In(1),
                "held": In(1),
                "entering": In(row),
                "leaving": In(row),
                "quiet": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        moving = Signal()
        awake = Signal(init=1)
        disturbed = moving | self.woken | self.axon_valid
        m.d.sync += moving.eq(self.row_valid & (self._moved(m) | self.held))
        with m.If(self.start):
            m.d.sync += [awake.eq(0), self.quiet.eq(~(awake | disturbed))]
        with m.Elif(disturbed):
            m.d.sync += awake.eq(1)
        with m.If(self.axon_valid):
            m.d.sync += self.quiet.eq(0)
        return m

    def _moved(self, m: Module) -> Value:
        """Return whether any state of the row has changed, or any neuron spikes, or has spiked."""
        found: list[Value] = [C(0)]
        for lane in range(self.core.pipelines):
            for name in self.core.state_ranges:
                # A register for each state: the update carries the same, and they are merged.
                old: Value = delayed(m, self.entering[lane][name], self.latency, name=f"old_{name}")
                new = self.leaving[lane][name]
                found.append(old.any() | new.any() if name == "fired" else old != new)
        return reduce(or_, found)
