"""The ports of a crossbar, whatever its synapse format. No twin: it computes nothing."""

from typing import Any

from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.memory_map import Region
from spikelet.description.learning.short_term import AMPLITUDE_BITS
from spikelet.rtl_gen.layouts import RegionPort

__all__ = ["VisitPort", "crossbar_members"]


class VisitPort(wiring.Signature):
    """What a plastic core's crossbar shows to its learning engine, and takes from it.

    Parameters
    ----------
    core : CoreParams

    Members
    -------
    accumulating : ``Out(1)``
        A row is being read for ``axon``, to be accumulated.
    axon : ``Out(range(n_axons))``
    read : ``Out(1)``, read_row : ``Out(range(weight_rows))``
        Any row that is being read; its weights are in ``weights`` ``SynapseMemory.latency`` cycles
        later.
    weights : ``Out(lanes * weight_bits)``
    group_end : ``Out(1)``
        The rows of a group have all been named; the next will be those of ``next_group``.
    next_group : ``Out(range(groups))``
    group_done : ``Out(1)``
        Five cycles later: the group's sums begin to leave. No row is in ``weights``.
    hold : ``In(1)``
        Read no row now.
    visit : ``In(1)``, visit_row : ``In(range(weight_rows))``
        Read this row, while the crossbar is not busy.
    write : ``In(1)``, write_row, write_weights : ``In``
    """

    def __init__(self, core: CoreParams) -> None:
        super().__init__(
            {
                "accumulating": Out(1),
                "axon": Out(range(core.n_axons)),
                "read": Out(1),
                "read_row": Out(range(core.weight_rows)),
                "weights": Out(core.lanes * core.weight_bits),
                "group_end": Out(1),
                "next_group": Out(range(core.groups)),
                "group_done": Out(1),
                "hold": In(1),
                "visit": In(1),
                "visit_row": In(range(core.weight_rows)),
                "write": In(1),
                "write_row": In(range(core.weight_rows)),
                "write_weights": In(core.lanes * core.weight_bits),
            }
        )


def crossbar_members(core: CoreParams, regions: dict[str, Region]) -> dict[str, Any]:
    """Return the members of a crossbar.

    Parameters
    ----------
    core : CoreParams
    regions : dict of Region
        Of the core, by name.

    Members
    -------
    start : ``In(1)``
        A tick begins.
    axon_valid : ``In(1)``
    axon : ``In(range(n_axons))``
        Active axons of this tick, while ``scanning``.
    again : ``In(1)``, count : ``In(spike_bits)``
        Where axons take counts of spikes: an axon comes ``count`` times, in cycles that need not
        follow each other, all but the first with ``again``.
    scanning : ``In(1)``
        High from the cycle after ``start`` until the last axon has come.
    sums_valid : ``Out(1)``
    sums : ``Out(pipelines * current_bits)``
        Of the neurons in ascending order, ``pipelines`` a cycle; they cannot be held up.
    teacher_sums : ``Out(pipelines * teacher_bits)``
        With ``sums``, where the core has axons of teachers: what those add up to.
    busy : ``Out(1)``
        Sums of this tick are still to come.
    ready : ``Out(1)``
        If the format ``holds_scan``. Low: no axon comes now, and the scan waits.
    quiet : ``In(1)``
        In a core that rests. High when ``scanning`` falls: the tick ends without sums.
    word_valid, word, word_data : ``In``
        If the format ``takes_words``. The words of the axon bitmap, ascending, each before the
        first axon of it.
    clear : ``In(1)``
        If the format draws: begin with the image's key again.
    learning : ``Out(VisitPort(core))``
        In a plastic core.
    scaled_axon : ``Out(range(n_axons))``, amplitude : ``In(AMPLITUDE_BITS + 1)``
        With short-term plasticity: the axon whose row is being read, and, as late as its weights,
        by what they are multiplied.
    row_read : ``Out(1)``, group_ended : ``Out(1)``, passed : ``In(1)``
        With stochastic transmission, and ``scaled_axon``: a row is being read for it; the rows of a
        group have all been named; as late as the weights, whether they are to be added.

    And for each region of the format, under its name, ``In(RegionPort(...))``: configuration
    access, while not ``busy``.
    """
    members = {
        "start": In(1),
        "axon_valid": In(1),
        "axon": In(range(core.n_axons)),
        "scanning": In(1),
        "sums_valid": Out(1),
        "sums": Out(core.pipelines * core.current_bits),
        "busy": Out(1),
    }
    if core.teacher_axons:
        members["teacher_sums"] = Out(core.pipelines * core.teacher_bits)
    if core.spike_bits > 1:
        members |= {"again": In(1), "count": In(core.spike_bits)}
    if core.synapse_format.holds_scan:
        members["ready"] = Out(1)
    if core.rests:
        members["quiet"] = In(1)
    if core.synapse_format.takes_words:
        members["word_valid"] = In(1)
        members["word"] = In((core.scan_words - 1).bit_length())
        members["word_data"] = In(core.scan_bits)
    if core.learning:
        members["learning"] = Out(VisitPort(core))
    if core.short_term or core.transmission:
        members["scaled_axon"] = Out(range(core.n_axons))
    if core.short_term:
        members["amplitude"] = In(AMPLITUDE_BITS + 1)
    if core.transmission:
        members |= {"row_read": Out(1), "group_ended": Out(1), "passed": In(1)}
    if core.synapse_draws:
        members["clear"] = In(1)
    for wanted in core.synapse_format.regions(core):
        region = regions[wanted.name]
        members[region.name] = In(RegionPort((region.span - 1).bit_length(), region.bits))
    return members
