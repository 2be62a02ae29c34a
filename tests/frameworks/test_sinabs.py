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
    to_0 = {"reset_fn": activation.MembraneReset()}
    refused(layers.IAF(**to_0), "spike_fn MultiSpike", "reset to 0", "use MembraneSubtract")
    refused(layers.IAF(**single, **to_0, min_v_mem=-1.0), "min_v_mem -1 with a reset to 0")
    refused(layers.IAF(min_v_mem=0.5), "min_v_mem is 0.5, above 0")
    ten = activation.MaxSpike(max_num_spikes_per_bin=10)
    refused(layers.IAF(spike_fn=ten), "MaxSpike of at most 10 spikes", "MaxSpike of 1, 3, 7")
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
