"""Spyx (Heckel and Nowotny 2024)."""

from spikelet.nir.convention import Convention, Rule

__all__ = ["SPYX"]

_MODELS = {"subtract": "spyx-lif"}

SPYX = Convention(
    name="spyx",
    title="Spyx 1.0",
    rules={
        "LIF": Rule(_MODELS, decay="r", gain="1", r=("1 - dt/tau",), clamped=True),
        "IF": Rule(_MODELS, decay="", gain="1", r=("1",)),
        "CubaLIF": Rule(
            {"subtract": "spyx-cuba-lif"},
            decay="r",
            gain="1",
            current_gain="1",
            r=("1 - dt/tau",),
            w_in=("1",),
            clamped=True,
        ),
    },
    readouts={"LI": Rule({}, gain="1", clamped=True)},  # of a PSU_LIF, before its Threshold
    dt=1.0,
    reset="subtract",
    source="spyx/nir.py, spyx/nn.py",
)
