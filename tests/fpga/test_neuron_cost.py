"""What a neuron model costs by itself."""

from pathlib import Path

import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.neurons.models import neuron_model
from spikelet.fpga.families import device_named
from spikelet.fpga.neuron_cost import neuron_cost


@pytest.mark.parametrize(
    ("device", "luts", "mhz"),
    [("LFE5U-25F", 150, 120), ("ICE40UP5K-SG48", 230, 40)],
    ids=["ecp5", "ice40"],
)
def test_a_leaky_neuron_costs_a_multiplier_and_few_tables(
    device: str, luts: int, mhz: float, tmp_path: Path
) -> None:
    model = neuron_model("snntorch-subtract")
    cost = neuron_cost(
        model, device_named(device), parameters={"inhibition": 0}, folder=tmp_path / "cost"
    )
    core = CoreParams(256, 256, model, parameters={"decay": "shared", "bias": "shared"})
    assert (cost.model, cost.device) == (model.name, device)
    assert (cost.latency, cost.dsps) == (len(core.update.lines), 1)
    assert 0.7 * luts < cost.luts <= luts
    # All that a line assigns and what is carried, but bits that are never read.
    assert 100 < cost.flip_flops < 160
    assert cost.fmax_mhz > mhz


def test_what_is_built_in_costs_less() -> None:
    model, device = neuron_model("snntorch-zero"), device_named("LFE5U-25F")
    known = {"inhibition": 0, "bias": 0}
    leaky, kept = (
        neuron_cost(model, device, parameters={**known, **more}) for more in ({}, {"decay": 4096})
    )
    assert (leaky.dsps, kept.dsps) == (1, 0)
    assert kept.luts <= leaky.luts and kept.flip_flops < leaky.flip_flops
