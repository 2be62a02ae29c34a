"""Modules of SpikingJelly."""

from typing import Any

from tests.frameworks.cases import Case, cases, exact

CASES: dict[str, Case] = {}


def _node(kind: str, **options: Any) -> Any:
    from spikingjelly.activation_based import neuron

    return getattr(neuron, kind)(**options)


def _chain(first: Any, last: Any, *, step_mode: str = "s") -> Any:
    from spikingjelly.activation_based import functional, layer
    from torch import nn

    net = nn.Sequential(layer.Linear(10, 8), first, layer.Linear(8, 4), last)
    functional.set_step_mode(net, step_mode)
    return exact(net)


@cases(CASES, "lif-ge", "lif-ge")
def if_node() -> Any:
    return _chain(_node("IFNode"), _node("IFNode", v_reset=-0.5, v_threshold=0.75))


@cases(CASES, "lif-subtract-ge", "lif-subtract-ge")
def if_node_subtract() -> Any:
    return _chain(_node("IFNode", v_reset=None), _node("IFNode", v_reset=None, detach_reset=True))


@cases(CASES, "lif-ge", "lif-subtract-ge")
def lif_node() -> Any:
    return _chain(
        _node("LIFNode", v_threshold=0.5), _node("LIFNode", tau=4.0, v_reset=None, v_threshold=0.25)
    )


@cases(CASES, "lif-ge", "lif-subtract-ge")
def lif_node_whole_input() -> Any:
    """``decay_input=False``, and sequences."""
    return _chain(
        _node("LIFNode", decay_input=False, v_reset=-0.25),
        _node("LIFNode", tau=4.0, decay_input=False, v_reset=None),
        step_mode="m",
    )


@cases(CASES, "lif-ge", "lif-subtract-ge")
def parametric_lif_node() -> Any:
    return _chain(
        _node("ParametricLIFNode", v_threshold=0.5),
        _node("ParametricLIFNode", init_tau=3.0, v_reset=None, decay_input=False),
        step_mode="m",
    )


@cases(CASES, "lif-ge", "lif-ge", inputs=(2, 8, 8))
def convolution() -> Any:
    """Sequences of maps, which SpikingJelly's layers merge with the samples."""
    from spikingjelly.activation_based import functional, layer
    from torch import nn

    net = nn.Sequential(
        layer.Conv2d(2, 4, 3, padding=1, bias=False),
        layer.BatchNorm2d(4),
        _node("IFNode"),
        layer.AvgPool2d(2),
        layer.Dropout(0.5),
        layer.Flatten(),
        layer.Linear(64, 4),
        _node("IFNode"),
    )
    functional.set_step_mode(net, "m")
    return exact(net)


@cases(CASES, "lif-ge", "lif-subtract-ge")
def recurrent_container() -> Any:
    """Containers that lead spikes back by operations of their own."""
    from spikingjelly.activation_based import functional, layer
    from torch import nn

    class Whole(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Sequential(
                layer.Linear(10, 8),
                layer.LinearRecurrentContainer(
                    _node("IFNode"), in_features=8, out_features=8, bias=True
                ),
                layer.Linear(8, 4),
                layer.ElementWiseRecurrentContainer(
                    _node("IFNode", v_reset=None), element_wise_function=lambda x, y: x - y
                ),
            )

        def forward(self, x: Any) -> Any:
            return self.first(x).mean(0)

    net = Whole()
    functional.set_step_mode(net, "m")
    return exact(net)


@cases(CASES, "cuba-lif-ge", "cuba-lif-subtract-ge")
def cuba_lif_node() -> Any:
    return _chain(
        _node("CUBALIFNode"), _node("CUBALIFNode", c_decay=0.25, v_threshold=1.0, v_reset=None)
    )
