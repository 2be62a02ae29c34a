"""A measure is one entry: this file's is named, computed, shown and written as JSON like others."""

import json
from dataclasses import replace

import pytest

from spikelet.compiler.compile import compile_network
from spikelet.description.errors import SpikeletError
from spikelet.measures.measure import Figure, Measure
from spikelet.measures.measures import measure_named, registered
from spikelet.measures.subject import Subject
from spikelet.network.limits import PlacementLimits
from spikelet.reports import measures_section
from tests.helpers.networks import chain


def _cores(subject: Subject) -> list[Figure]:
    return [Figure(len(subject.compiled.chip.cores), "the chip", "as placed")]


MEASURE = Measure("cores", "Cores used", "", "Cores of the chip", "this test", "nothing", _cores)


def test_a_measure_of_ones_own_is_in_the_report() -> None:
    compiled = compile_network(chain([16, 12, 3]), limits=PlacementLimits(max_neurons=8, lanes=4))
    with registered(MEASURE):
        assert measure_named("cores") is MEASURE
        found = json.loads(json.dumps(measures_section.found(Subject(compiled))))
    stored = found["measures"]["cores"]
    assert stored["figures"] == [{"value": 3, "of": "the chip", "note": "as placed"}]
    assert stored["definition"] == "Cores of the chip"
    assert measures_section.shown(found)["measures"][-1] == [
        "Cores used",
        "the chip",
        "3",
        "as placed",
    ]
    with pytest.raises(SpikeletError, match=r"measure must be one of accuracy, .*not 'cores'"):
        measure_named("cores")


def test_what_cannot_be_registered() -> None:
    with (
        pytest.raises(SpikeletError, match="there is a measure of that name"),
        registered(replace(MEASURE, name="accuracy")),
    ):
        pass
    for field in ("definition", "source"):
        with (
            pytest.raises(SpikeletError, match=f"its {field} is empty"),
            registered(replace(MEASURE, **{field: ""})),
        ):
            pass
