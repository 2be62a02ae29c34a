"""Rockpool (SynSense)."""

from spikelet.nir.convention import Convention, Rule

__all__ = ["ROCKPOOL"]

ROCKPOOL = Convention(
    name="rockpool",
    title="Rockpool 3.1",
    rules={
        "LIF": Rule(
            {"subtract": "lif-multispike", "subtract-once": "lif-subtract-ge"},
            decay="exp(-dt/tau)",
            gain="1",
            r=("tau/dt exp(-dt/tau)",),
        ),
        "CubaLIF": Rule(
            {"subtract": "cuba-lif-multispike", "subtract-once": "cuba-lif-subtract-ge"},
            decay="exp(-dt/tau)",
            gain="1",
            current_gain="exp(-dt/tau_syn)",
            r=("tau/dt exp(-dt/tau)",),
            w_in=("1",),
        ),
    },
    readouts={"LI": Rule({}, decay="exp(-dt/tau)", gain="r dt/tau")},  # ExpSynTorch
    dt=1e-3,
    reset="subtract",
    unsaid=("bias of the neurons (0) and noise_std (0)", "max_spikes_per_dt (many)"),
    several=True,
    source="rockpool/nn/modules/torch/nir.py, lif_neuron_torch.py, lif_torch.py, exp_syn_torch.py",
)
