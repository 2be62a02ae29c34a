"""The update of a neuron, pipelined. Twin of ``golden/neuron_update.py``: a line is a stage."""

from amaranth import C, Module, Shape, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spikelet.description.chip.core import CoreParams
from spikelet.description.expression import Constant, Node, Operation, looked_up, names
from spikelet.description.neurons.update import DRAWS
from spikelet.rtl_gen.expression import gates_of, shape_of
from spikelet.rtl_gen.table_memory import TableMemory

__all__ = ["NeuronUpdate", "neuron_layout", "state_layout"]


def neuron_layout(core: CoreParams) -> data.StructLayout:
    """Return what the update of one neuron reads: states, parameters and inputs, as far as used.

    ``current`` and ``teacher`` are in weight LSBs, without the core's ``weight_exponent``.
    """
    update = core.update
    read = {name.name for line in update.lines for a in line for name in names(a.value)}
    read |= {name.name for node in update.results.values() for name in names(node)}
    given = (*update.states, *update.kept, *update.parameters, *update.inputs)
    shapes = {name: shape_of(update.ranges[name]) for name in given if name in read}
    if "current" in shapes:
        shapes["current"] = signed(core.current_bits)
    if "teacher" in shapes:
        shapes["teacher"] = signed(core.teacher_bits)
    return data.StructLayout(shapes)


def state_layout(core: CoreParams) -> data.StructLayout:
    """Return the states of one neuron."""
    return data.StructLayout({name: shape_of(ends) for name, ends in core.state_ranges.items()})


class NeuronUpdate(wiring.Component):
    """One update pipeline: a neuron in and a neuron out in every clock cycle.

    It computes :attr:`CoreParams.update`, each line in a stage; what later stages read is carried
    along. Shared parameters and ``learning`` hold still while neurons are in the pipeline.

    Timing: the result leaves :attr:`latency` cycles after the neuron entered, one for each line;
    never stalls.
    Reset: does not matter; what is in the pipeline is qualified by its user.

    Parameters
    ----------
    core : CoreParams

    Members
    -------
    neuron : ``In(neuron_layout(core))``
        What is drawn comes when it is first read: ``lines_before_draws`` cycles after the rest.
    result : ``Out(state_layout(core))``
        States after the tick.
    """

    def __init__(self, core: CoreParams) -> None:
        self.core = core
        self.latency = len(core.update.lines)
        super().__init__({"neuron": In(neuron_layout(core)), "result": Out(state_layout(core))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        update = self.core.update
        still = {name for name in update.parameters if self.core.scope(name) == "shared"}
        still.add("learning")
        now: dict[str, Value] = {name: self.neuron[name] for name in self.neuron.shape().members}
        for number, line in enumerate(update.lines, 1):
            read = {name.name for node in self._nodes_from(number) for name in names(node)}
            values = self._scaled(now)
            waits = {*still, *(DRAWS if number <= update.lines_before_draws else ())}
            coming = {
                name: value if name in waits else self._register(m, name, number, value)
                for name, value in now.items()
                if name in read
            }
            for assignment in line:
                table = looked_up(assignment.value, update.ranges)
                if table and isinstance(assignment.value, Operation):
                    m.submodules[f"rom_{assignment.name}"] = memory = TableMemory(table)
                    index = gates_of(assignment.value.arguments[0], values, update.ranges)
                    m.d.comb += memory.index.eq(index)
                    coming[assignment.name] = memory.value
                    continue
                value = gates_of(assignment.value, values, update.ranges)
                shape = shape_of(update.ranges[assignment.name])
                coming[assignment.name] = self._register(m, assignment.name, number, value, shape)
            now = coming
        values = self._scaled(now)
        m.d.comb += [
            self.result[name].eq(
                C(node.value, shape_of(self.core.state_ranges[name]))
                if isinstance(node, Constant)
                else gates_of(node, values, update.ranges)
            )
            for name, node in update.results.items()
        ]
        return m

    def _nodes_from(self, number: int) -> list[Node]:
        """Return what is computed in and after a line, counted from 0, and the results."""
        lines = self.core.update.lines[number:]
        return [a.value for line in lines for a in line] + list(self.core.update.results.values())

    def _scaled(self, values: dict[str, Value]) -> dict[str, Value]:
        """Return the values with the sums in potential LSBs."""
        sums = [name for name in ("current", "teacher") if name in values]
        shift = self.core.weight_exponent
        return values | {name: values[name].shift_left(shift) for name in sums}

    def _register(
        self, m: Module, name: str, number: int, value: Value, shape: Shape | None = None
    ) -> Signal:
        register = Signal(value.shape() if shape is None else shape, name=f"{name}_{number}")
        m.d.sync += register.eq(value)
        return register
