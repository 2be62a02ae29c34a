"""SpikingJelly (Fang et al. 2023)."""

from spikelet.nir.convention import Convention, Rule

__all__ = ["SPIKINGJELLY"]

_MODELS = {"value": "lif-ge", "subtract": "lif-subtract-ge"}

SPIKINGJELLY = Convention(
    name="spikingjelly",
    title="SpikingJelly 2.0",
    rules={
        "LIF": Rule(_MODELS, r=("1", "tau/dt"), tau=(1e-4, 1.0), start="v_reset"),
        "IF": Rule(_MODELS, decay="", gain="1", r=("1/dt",), start="v_reset"),
        "CubaLIF": Rule(
            {"value": "cuba-lif-ge", "subtract": "cuba-lif-subtract-ge"},
            gain="1",
            current_gain="1",
            r=("tau/dt",),
            w_in=("tau/dt",),
            start="v_reset",
        ),
    },
    dt=1e-4,
    source="spikingjelly/activation_based/nir_exchange/to_nir.py, functional/neuron.py",
)
