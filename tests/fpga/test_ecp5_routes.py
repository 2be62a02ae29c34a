"""Routes of an ECP5's configuration, followed back from the inputs of slices."""

import pytest

from benchmarks.ecp5_routes import Wire, drivers, source, wire
from spikelet.description.errors import SpikeletError

TEXT = """\
.device LFE5U-12F

.tile R10C10:PLC2
arc: A0 V02S0701
arc: CLK0 G_HPBX0000
arc: B1 W1_H02E0701

.tile R11C10:PLC2
arc: N1_V02S0701 F1
arc: F1 F1_SLICE
"""
"""A LUT's output in the tile below leads to an input; to another leads nothing."""


@pytest.mark.slow
def test_routes_end_at_outputs_of_cells() -> None:
    leads, used = drivers(TEXT)
    assert used == [Wire(10, 10, "A0"), Wire(10, 10, "CLK0"), Wire(10, 10, "B1")]
    found = [source(leads, sink) for sink in used]
    assert found == [Wire(11, 10, "F1_SLICE"), Wire(-1, -1, "G_HPBX0000"), Wire(10, 9, "H02E0701")]


def test_names_are_relative_to_their_tile() -> None:
    assert wire(10, 10, "N3_V06S0003") == Wire(7, 10, "V06S0003")
    assert wire(10, 10, "S1E2_H02W0001") == Wire(11, 12, "H02W0001")
    assert wire(10, 10, "F1_SLICE") == Wire(10, 10, "F1_SLICE")


def test_what_is_no_configuration_is_refused() -> None:
    for text in ("", ".device LFE5U-99F\n"):
        with pytest.raises(SpikeletError, match=r"^this is no configuration of an ECP5 as text"):
            drivers(text)
