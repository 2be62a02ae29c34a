"""Modules of Norse."""

from typing import Any

from tests.frameworks.cases import Case, cases, exact

CASES: dict[str, Case] = {}


def _chain(first: Any, last: Any) -> Any:
    """Return two layers of neurons behind weights; their state is passed on from outside."""
    import norse.torch as norse
    from torch import nn

    return exact(norse.SequentialState(nn.Linear(10, 8), first, nn.Linear(8, 4), last))


def _box(**parameters: Any) -> Any:
    """Return neurons of decay 1/2, by a time step that is exact."""
    import norse.torch as norse
    import torch

    given = {name: torch.as_tensor(v) if not callable(v) else v for name, v in parameters.items()}
    given.setdefault("v_th", torch.as_tensor(0.5))
    tau = given.pop("tau_mem_inv", torch.as_tensor(512.0))
    return norse.LIFBoxCell(norse.LIFBoxParameters(tau_mem_inv=tau, **given), dt=2.0**-10)


def _lif(kind: str, *sizes: int, **parameters: Any) -> Any:
    import norse.torch as norse
    import torch

    usual = {"tau_mem_inv": 512.0, "tau_syn_inv": 256.0}
    given = {name: torch.as_tensor(value) for name, value in {**usual, **parameters}.items()}
    return getattr(norse, kind)(*sizes, p=norse.LIFParameters(**given), dt=2.0**-10)


@cases(CASES, "nir-euler", "nir-euler")
def lif_box() -> Any:
    return _chain(_box(), _box(v_reset=-0.25))


@cases(CASES, "nir-euler", "nir-euler")
def lif_box_at_rest_elsewhere() -> Any:
    """A rest that is not 0, from which Norse starts, and constants for each neuron."""
    import torch

    first = _box(
        v_leak=torch.linspace(-0.5, 0.375, 8),
        v_th=torch.linspace(0.25, 0.6875, 8),
        tau_mem_inv=torch.tensor([1024.0, 512, 256, 128, 512, 512, 512, 256]),
    )
    return _chain(first, _box(v_leak=0.25, v_reset=0.125, v_th=0.375))


@cases(CASES, "lif-subtract", "lif-subtract")
def lif_box_subtract() -> Any:
    from norse.torch.functional.reset import reset_subtract

    return _chain(_box(reset_method=reset_subtract), _box(reset_method=reset_subtract, v_th=0.375))


@cases(CASES, "cuba-lif", "cuba-lif")
def lif_cell() -> Any:
    return _chain(_lif("LIFCell"), _lif("LIFCell", v_leak=0.25, v_reset=-0.5))


@cases(CASES, "cuba-lif", "cuba-lif")
def lif_of_sequences() -> Any:
    """Layers that take all ticks at once; weights act on whole sequences, or tick by tick."""
    import norse.torch as norse
    from torch import nn

    return exact(
        norse.SequentialState(
            norse.Lift(nn.Linear(10, 8)), _lif("LIF"), nn.Linear(8, 4), _lif("LIF", v_th=0.5)
        )
    )


@cases(CASES, "nir-euler", "nir-euler")
def iaf() -> Any:
    import norse.torch as norse
    import torch

    last = norse.IAFParameters(v_reset=torch.as_tensor(-0.5))
    return _chain(norse.IAFCell(), norse.IAFCell(last))


@cases(CASES, "nir-euler", "nir-euler", inputs=(2, 8, 8))
def convolution() -> Any:
    """Sequences of maps."""
    import norse.torch as norse
    from torch import nn

    return exact(
        norse.SequentialState(
            norse.Lift(nn.Conv2d(2, 3, 3, stride=2)),
            norse.Lift(_box()),
            norse.Lift(nn.AvgPool2d(3)),
            nn.Flatten(2),
            nn.Linear(3, 4),
            norse.Lift(_box(v_th=0.25)),
        )
    )


@cases(CASES, "cuba-lif", "cuba-lif")
def lif_recurrent_cell() -> Any:
    """Cells with weights of their own, also back."""
    import norse.torch as norse

    return exact(
        norse.SequentialState(
            _lif("LIFRecurrentCell", 10, 8), _lif("LIFRecurrentCell", 8, 4, v_th=0.5)
        )
    )


@cases(CASES, "cuba-lif", "cuba-lif")
def lif_recurrent_of_sequences() -> Any:
    import norse.torch as norse

    return exact(
        norse.SequentialState(_lif("LIFRecurrent", 10, 8), _lif("LIFRecurrent", 8, 4, v_leak=0.25))
    )
