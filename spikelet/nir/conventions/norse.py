"""Norse (Pehle and Pedersen 2021)."""

from spikelet.nir.convention import Convention, Rule

__all__ = ["NORSE"]

_SHORT = (0.0, 1e-3)
"""Time constants times a step of 1 ms, in square seconds."""

NORSE = Convention(
    name="norse",
    title="Norse 1.1",
    rules={
        "LIF": Rule(
            {"value": "nir-euler", "subtract": "lif-subtract"},
            r=("1",),
            tau=_SHORT,
            start="v_leak",
        ),
        "IF": Rule({"value": "nir-euler"}, decay="", gain="r", r=("1",), start="v_reset"),
        "CubaLIF": Rule(
            {"value": "cuba-lif"},
            current_gain="1",
            r=("1",),
            w_in=("1",),
            tau=_SHORT,
            start="v_leak",
        ),
    },
    step="dt dt",  # dt / tau_mem_inv is written where tau would be 1 / tau_mem_inv
    dt=1e-3,
    unsaid=("reset_method (reset_value)", "v_reset (0)"),
    source="norse/torch/utils/export_nir.py, norse/torch/functional/lif_box.py, lif.py, iaf.py",
)
