"""NIR's own equations (Pedersen et al. 2024), by forward Euler; a spike is 1 for one tick."""

from spikelet.nir.convention import Convention, Rule

__all__ = ["NIR", "SPIKELET"]

NIR = Convention(
    name="nir",
    title="NIR 1.0",
    rules={
        "LIF": Rule({"value": "nir-euler"}),
        "IF": Rule({"value": "nir-euler"}, decay="", gain="r"),
        "CubaLIF": Rule({"value": "cuba-lif"}, current_gain="w_in dt/tau_syn"),
    },
    source="table 1 of the paper",
)

_MODELS = {"value": "nir-euler"}

SPIKELET = Convention(
    name="spikelet",
    title="Spikelet",
    rules={
        "LIF": Rule(_MODELS, gain="1", r=("tau/dt",), clamped=True),
        "IF": Rule(_MODELS, decay="", gain="1", r=("1",)),
        "CubaLIF": Rule(
            {"value": "cuba-lif"},
            gain="1",
            current_gain="1",
            r=("tau/dt",),
            w_in=("tau/dt",),
            clamped=True,
        ),
    },
    source="spikelet/nir/export.py",
)
"""NIR's equations with gains of 1, so that a neuron without a leak has a tau without end; which
model its neurons are of, a file says itself."""
