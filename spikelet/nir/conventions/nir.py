"""NIR's own equations (Pedersen et al. 2024), by forward Euler; a spike is 1 for one tick."""

from spikelet.nir.convention import Convention, Rule

__all__ = ["NIR"]

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
