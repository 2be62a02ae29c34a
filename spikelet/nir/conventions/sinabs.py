"""sinabs (SynSense)."""

from dataclasses import replace

from spikelet.nir.convention import Convention, Rule

__all__ = ["SINABS", "SINABS_UNNORMALISED"]

_MODELS = {"subtract": "lif-multispike", "subtract-once": "lif-subtract-ge", "value": "lif-ge"}
_LIF = Rule(_MODELS, decay="exp(-dt/tau)", gain="1 - decay", r=("1",), tau=(0.1, float("inf")))
_IAF = Rule(_MODELS, decay="", gain="1", r=("1",))

SINABS = Convention(
    name="sinabs",
    title="sinabs 3.1",
    rules={"LIF": _LIF, "IF": _IAF},
    readouts={"LI": Rule({}, decay="exp(-dt/tau)", gain="1")},  # ExpLeak: norm_input=False
    step="1",  # its time constants count ticks
    reset="subtract",
    unsaid=(
        "spike_fn (MultiSpike) and reset_fn (MembraneSubtract)",
        "norm_input (True), min_v_mem (None) and tau_syn (None)",
    ),
    several=True,
    source="sinabs/nir.py, sinabs/layers/functional/lif.py, sinabs/activation",
)

SINABS_UNNORMALISED = replace(
    SINABS,
    name="sinabs-unnormalised",
    title="sinabs 3.1, norm_input=False",
    rules={"LIF": replace(_LIF, gain="1"), "IF": _IAF},
    unsaid=(SINABS.unsaid[0], "min_v_mem (None) and tau_syn (None)"),
)
