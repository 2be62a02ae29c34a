"""What is said of layers whose integer spikes should worry the user, and at which numbers."""

from typing import Any

import pytest

from spikelet.network.layer_quantisation import LayerQuantisation
from spikelet.runs.agreement import (
    LayerAgreement,
    agreement_warnings,
    output_warnings,
    quantisation_warnings,
)

GOOD: dict[str, Any] = {
    "name": "p",
    "float_spikes": 10,
    "integer_spikes": 10,
    "common": 10,
    "places": 1000,
    "neurons": 8,
}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, ""),
        ({"float_spikes": 0, "integer_spikes": 0, "common": 0}, "never spiked, neither"),
        ({"integer_spikes": 0, "common": 0}, "silent on integers; the float network spikes 10"),
        ({"float_spikes": 0, "common": 0}, "only 0% of the spikes are common"),
        ({"float_spikes": 9, "integer_spikes": 9, "common": 6}, ""),  # 6 of 12: half
        ({"float_spikes": 9, "integer_spikes": 8, "common": 5}, "only 42% of the spikes"),
        ({"saturations": 10}, ""),  # 1 %
        ({"saturations": 11}, "11 of 1,000 potentials are at an end of their range"),
        ({"silent_neurons": 4}, ""),
        ({"silent_neurons": 5}, "5 of 8 neurons never spiked"),
    ],
)
def test_a_layer_is_warned_about_from_these_numbers_on(change: dict[str, Any], said: str) -> None:
    warnings = list(agreement_warnings([LayerAgreement(**{**GOOD, **change})]))
    assert len(warnings) == bool(said)
    assert not said or (said in warnings[0] and warnings[0].startswith("layer 'p'"))


def test_what_was_not_recorded_is_not_warned_about() -> None:
    layer = LayerAgreement("p", float_spikes=10, integer_spikes=10, common=10, places=1000)
    assert (layer.neurons, layer.silent_neurons, layer.busiest) == (0, 0, 0)
    assert layer.saturations is None
    assert list(agreement_warnings([layer])) == []


def test_each_layer_and_each_reason_is_said() -> None:
    layers = [
        LayerAgreement(**{**GOOD, "silent_neurons": 7, "saturations": 500}),
        LayerAgreement(**{**GOOD, "name": "q", "integer_spikes": 0, "silent_neurons": 8}),
    ]
    warnings = list(agreement_warnings(layers))
    assert [warning.split(":")[0].split(" is")[0] for warning in warnings] == [
        "layer 'p'",
        "layer 'p'",
        "layer 'q'",  # that all its neurons are silent goes without saying
    ]


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ([], ""),
        ([7], ""),
        ([0, 0], ""),
        ([1, 9], ""),
        ([1, 10], "output 1 has 10 of all 11 output spikes"),
        ([5, 0, 0], "output 0 has 5 of all 5 output spikes"),
    ],
)
def test_an_output_that_takes_all_spikes_is_said(counts: list[int], said: str) -> None:
    warnings = list(output_warnings(counts))
    assert len(warnings) == bool(said)
    assert not said or said in warnings[0]


def test_weights_that_became_0_are_said() -> None:
    def layer(name: str, nonzero: int, vanished: int) -> LayerQuantisation:
        return LayerQuantisation(name, 1.0, 0, 9, 0, 0.0, 0, 1, "bound", 0, 1, nonzero, vanished)

    layers = [layer("p", 8, 4), layer("q", 8, 5), layer("r", 0, 0)]
    warnings = list(quantisation_warnings(layers))
    assert len(warnings) == 1
    assert warnings[0].startswith("layer 'q': 5 of 8 weights that are not 0 became 0")
