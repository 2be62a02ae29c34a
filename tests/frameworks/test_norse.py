"""Modules of Norse, in an environment that has it: ``docs/frameworks.md`` says how."""

from pathlib import Path
from typing import Any

import pytest

from spikelet.description.errors import SpikeletError
from spikelet.frameworks.from_module import from_norse
from tests.frameworks.cases import sample
from tests.frameworks.norse_cases import CASES
from tests.frameworks.refusals import refused_layer
from tests.frameworks.running import check_case

pytestmark = [pytest.mark.framework, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.mark.parametrize("name", CASES)
def test_spikes_as_the_module_does(name: str, tmp_path: Path) -> None:
    check_case(CASES[name], from_norse, tmp_path)


def refused(neurons: Any, *parts: str) -> None:
    """Neurons in a module that hands their state on."""
    import norse.torch as norse

    def call(net: Any, given: Any) -> Any:
        return from_norse(norse.SequentialState(*net), given)

    refused_layer(call, neurons, *parts)


def test_neurons_that_no_chip_has() -> None:
    import norse.torch as norse

    refused(norse.LSNNCell(), "no neuron model for neurons of class LSNNCell", "LIFBoxCell")


def test_numbers_that_make_no_sense() -> None:
    import norse.torch as norse
    import torch
    from norse.torch.functional.reset import reset_subtract

    def halve(z: Any, v: Any, reset: Any, threshold: Any) -> Any:
        return v * 0.5

    def box(**given: Any) -> Any:
        return norse.LIFBoxCell(norse.LIFBoxParameters(**given))

    half = torch.as_tensor(0.5)
    refused(box(tau_mem_inv=torch.as_tensor(2000.0)), "dt * tau_mem_inv", "found 2")
    refused(box(v_leak=half, reset_method=reset_subtract), "reset_subtract", "v_leak, 0.5")
    refused(box(reset_method=halve), "reset_method halve is not known")
    refused(box(v_leak=half, v_th=half), "the threshold must be above")


def test_time_steps_that_differ() -> None:
    import norse.torch as norse
    from torch import nn

    net = norse.SequentialState(
        nn.Linear(10, 4), norse.LIFBoxCell(), nn.Linear(4, 4), norse.LIFBoxCell(dt=0.002)
    )
    with pytest.raises(SpikeletError, match=r"different time steps: 0\.001, 0\.002 s"):
        from_norse(net, sample((10,)))


def test_a_state_that_is_not_returned() -> None:
    import norse.torch as norse
    from torch import nn

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc, self.lif = nn.Linear(10, 4), norse.LIFBoxCell()

        def forward(self, x: Any, state: Any = None) -> Any:
            return self.lif(self.fc(x))[0]

    with pytest.raises(SpikeletError, match="does not return its state"):
        from_norse(Net(), sample((10,)))


def test_a_state_that_is_not_handed_on() -> None:
    import norse.torch as norse
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc, self.lif = nn.Linear(10, 4), norse.LIFBoxCell()

        def forward(self, x: Any) -> Any:
            return torch.stack([self.lif(self.fc(tick))[0] for tick in x])

    with pytest.raises(SpikeletError, match="'lif': its state is not handed on to tick 1"):
        from_norse(Net(), sample((10,)))


def test_the_time_step_is_that_of_the_neurons() -> None:
    imported = from_norse(CASES["lif_box"].make(), sample((10,)))
    assert imported.network.dt == 2.0**-10
