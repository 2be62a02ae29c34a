"""snnTorch (Eshraghian et al. 2023)."""

from spikelet.nir.convention import Convention, Rule

__all__ = ["SNNTORCH"]

_LEAKY = {
    "subtract": "snntorch-subtract",
    "subtract-immediate": "snntorch-subtract-immediate",
    "zero": "snntorch-zero",
    "zero-immediate": "snntorch-zero-immediate",
    "none": "snntorch-none",
}
_SYNAPTIC = {
    "subtract": "snntorch-synaptic-subtract",
    "subtract-immediate": "snntorch-synaptic-subtract-immediate",
    "zero": "snntorch-synaptic-zero",
    "zero-immediate": "cuba-lif",
    "none": "snntorch-synaptic-none",
}

SNNTORCH = Convention(
    name="snntorch",
    title="snnTorch 1.0",
    rules={
        "LIF": Rule(
            _LEAKY,
            gain="1",
            r=("tau/dt",),
            clamped=True,
            recurrent={"zero": "snntorch-rleaky-zero"},
        ),
        "IF": Rule(_LEAKY, decay="", gain="r", r=("1",)),
        "CubaLIF": Rule(
            _SYNAPTIC, gain="1", current_gain="1", r=("tau/dt",), w_in=("tau/dt",), clamped=True
        ),
    },
    dt=1e-4,
    reset="subtract",
    unsaid=(
        "reset_mechanism and reset_delay (subtract, and True)",
        "inhibition (False), graded_spikes_factor (1) and state_quant (False)",
    ),
    source="snntorch/export_nir.py, snntorch/_neurons/leaky.py, rleaky.py, synaptic.py",
)
