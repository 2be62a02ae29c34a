"""Widths of the port between crossbar and learning; the bench of plastic cores sees the rest."""

import pytest
from amaranth.hdl import Shape

from spikelet.description.chip.core import CoreParams
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.description.neurons.models import neuron_model
from spikelet.rtl_gen.synapses.ports import VisitPort

RULE = LearningRule("x1*y0", x1=TraceParams(1, bits=1), w_max=7)


@pytest.mark.parametrize(("lanes", "weight_bits"), [(8, 4), (1, 8), (16, 5)])
def test_widths_are_those_of_axons_rows_and_groups(lanes: int, weight_bits: int) -> None:
    core = CoreParams(
        20,
        3 * lanes,
        neuron_model("snntorch-zero"),
        lanes=lanes,
        weight_bits=weight_bits,
        learning=RULE,
    )
    members = VisitPort(core).members
    widths = {name: Shape.cast(member.shape).width for name, member in members.items()}
    row, weights = (3 * 20 - 1).bit_length(), lanes * weight_bits
    assert widths == {
        "accumulating": 1,
        "axon": 5,
        "read": 1,
        "read_row": row,
        "weights": weights,
        "group_end": 1,
        "next_group": 2,
        "group_done": 1,
        "hold": 1,
        "visit": 1,
        "visit_row": row,
        "write": 1,
        "write_row": row,
        "write_weights": weights,
    }
