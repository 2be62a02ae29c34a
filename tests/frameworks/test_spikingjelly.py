"""Modules of SpikingJelly, in an environment that has it: ``docs/frameworks.md`` says how."""

from pathlib import Path

import pytest

from spikelet.frameworks.from_module import from_spikingjelly
from tests.frameworks.refusals import refused_layer
from tests.frameworks.running import check_case
from tests.frameworks.spikingjelly_cases import CASES

pytestmark = [pytest.mark.framework, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.mark.parametrize("name", CASES)
def test_spikes_as_the_module_does(name: str, tmp_path: Path) -> None:
    check_case(CASES[name], from_spikingjelly, tmp_path)


def test_neurons_that_no_chip_has() -> None:
    from spikingjelly.activation_based import neuron

    for kind in (neuron.KLIFNode, neuron.GatedLIFNode, neuron.QIFNode):
        given = {"T": 12} if kind is neuron.GatedLIFNode else {}
        with_name = f"no neuron model for neurons of class {kind.__name__}"
        refused_layer(from_spikingjelly, kind(**given), with_name, "LIFNode")


def test_a_reset_that_is_not_where_the_leak_leads() -> None:
    from spikingjelly.activation_based import neuron

    refused_layer(from_spikingjelly, neuron.CUBALIFNode(v_reset=-0.5), "v_reset is -0.5")


def test_a_reset_above_the_threshold() -> None:
    from spikingjelly.activation_based import neuron

    above = neuron.IFNode(v_reset=1.0, v_threshold=0.5)
    refused_layer(from_spikingjelly, above, "the threshold must be above")
