"""Modules of sinabs, in an environment that has it: ``docs/frameworks.md`` says how."""

from pathlib import Path
from typing import Any

import pytest

from spikelet.frameworks.from_module import from_sinabs
from tests.frameworks.refusals import refused_layer
from tests.frameworks.running import check_case
from tests.frameworks.sinabs_cases import CASES

pytestmark = [pytest.mark.framework, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.mark.parametrize("name", CASES)
def test_spikes_as_the_module_does(name: str, tmp_path: Path) -> None:
    check_case(CASES[name], from_sinabs, tmp_path, time_axis=1)


def refused(neurons: Any, *parts: str) -> None:
    refused_layer(from_sinabs, neurons, *parts, time_axis=1)


def test_options_that_no_chip_has() -> None:
    import torch
    from sinabs import activation, layers

    single = {"spike_fn": activation.SingleSpike}
    refused(layers.IAF(), "spike_fn MultiSpike", "several times a tick")
    refused(layers.IAF(**single, min_v_mem=-1.0), "min_v_mem is -1")
    reset = activation.MembraneReset(reset_value=-0.5)
    refused(layers.IAF(**single, reset_fn=reset), "adds reset_value, -0.5")
    taken = activation.MembraneSubtract(subtract_value=0.5)
    refused(layers.IAF(**single, reset_fn=taken), "takes 0.5 off, not the threshold")
    back = torch.nn.Linear(4, 4)
    refused(layers.IAFRecurrent(**single, rec_connect=back), "rec_connect has a bias")
    odd = torch.nn.ReLU()
    refused(layers.IAFRecurrent(**single, rec_connect=odd), "rec_connect is of class ReLU")


def test_neurons_that_no_chip_has() -> None:
    from sinabs import layers

    alif = layers.ALIF(tau_mem=5.0, tau_adapt=5.0)
    refused(alif, "no neuron model for neurons of class ALIF", "use IAF or LIF")
