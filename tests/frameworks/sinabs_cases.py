"""Modules of sinabs."""

from typing import Any

from tests.frameworks.cases import SAMPLES, TICKS, Case, cases, exact

CASES: dict[str, Case] = {}

_HALF = 1.4426950408889634
"""Ticks of a time constant of which the decay is 1/2."""


def _lif(kind: str = "LIF", **options: Any) -> Any:
    from sinabs import activation, layers

    return getattr(layers, kind)(**{"spike_fn": activation.SingleSpike, **options})


def _chain(first: Any, last: Any) -> Any:
    from torch import nn

    return exact(nn.Sequential(nn.Linear(10, 8), first, nn.Linear(8, 4), last))


@cases(CASES, "lif-subtract-ge", "lif-ge")
def iaf() -> Any:
    from sinabs import activation

    return _chain(
        _lif("IAF"), _lif("IAF", reset_fn=activation.MembraneReset(), spike_threshold=0.5)
    )


@cases(CASES, "lif-subtract-ge", "lif-subtract-ge")
def lif() -> Any:
    """The input's gain is ``1 - decay``; decays are trained, or for each neuron."""
    import torch

    tau = torch.linspace(1, 8, 8)
    return _chain(_lif(tau_mem=tau), _lif(tau_mem=3.0, train_alphas=True, spike_threshold=0.25))


@cases(CASES, "lif-subtract-ge", "lif-ge")
def lif_without_norm() -> Any:
    from sinabs import activation

    return _chain(
        _lif(tau_mem=_HALF, norm_input=False),
        _lif(tau_mem=2.5, norm_input=False, reset_fn=activation.MembraneReset()),
    )


@cases(CASES, "lif-multispike", "lif-multispike")
def several_spikes() -> Any:
    """MultiSpike is sinabs' default; potentials may have a floor."""
    from sinabs import layers

    return _chain(
        layers.IAF(min_v_mem=-0.5, spike_threshold=0.5), layers.LIF(tau_mem=_HALF, norm_input=False)
    )


@cases(CASES, "lif-multispike", "lif-multispike")
def few_spikes() -> Any:
    from sinabs import activation

    few = activation.MaxSpike(max_num_spikes_per_bin=3)
    return _chain(_lif("IAF", spike_fn=few, spike_threshold=0.25), _lif("IAF", min_v_mem=-0.25))


@cases(CASES, "cuba-lif-multispike", "cuba-lif-multispike")
def several_spikes_synaptic() -> Any:
    from sinabs import layers

    options = {"tau_mem": _HALF, "tau_syn": 2.0, "norm_input": False}
    return _chain(layers.LIF(**options), layers.LIF(**options, spike_threshold=0.5))


@cases(CASES, "cuba-lif-subtract-ge", "cuba-lif-ge")
def synaptic() -> Any:
    from sinabs import activation

    return _chain(
        _lif(tau_mem=4.0, tau_syn=2.0, norm_input=False),
        _lif("IAF", tau_syn=1.5, reset_fn=activation.MembraneReset()),
    )


@cases(CASES, "lif-subtract-ge", "lif-subtract-ge")
def recurrent() -> Any:
    from torch import nn

    back = nn.Linear(8, 8, bias=False)
    return _chain(
        _lif("LIFRecurrent", tau_mem=4.0, rec_connect=back, norm_input=False),
        _lif("IAFRecurrent", rec_connect=nn.Sequential(nn.Flatten(), nn.Linear(4, 4, bias=False))),
    )


@cases(CASES, "lif-subtract-ge", "lif-subtract-ge", inputs=(2, 8, 8))
def convolution_squeezed() -> Any:
    """Maps of samples and ticks in one axis, with pooling by sum."""
    from sinabs import layers
    from torch import nn

    both = {"batch_size": SAMPLES, "num_timesteps": TICKS}
    return exact(
        nn.Sequential(
            nn.Conv2d(2, 3, 3, stride=2, bias=False),
            _lif("IAFSqueeze", batch_size=SAMPLES),
            layers.SumPool2d(3),
            nn.Flatten(),
            nn.Linear(3, 4),
            _lif("LIFSqueeze", tau_mem=_HALF, norm_input=False, **both),
        )
    )
