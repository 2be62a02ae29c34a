"""The report's part on the measures that reviews of the field compare chips by."""

from collections.abc import Mapping
from typing import Any

from spikelet.measures.measures import measured
from spikelet.measures.published import PUBLISHED
from spikelet.measures.subject import Subject

__all__ = ["chip_rows", "fields", "rows"]


def fields(subject: Subject) -> dict[str, Any]:
    """Return what is found, JSON-compatible: ``measures`` by name, and ``published`` chips."""
    published = [
        {**vars(chip), "synapses_per_mm2": chip.synapses_per_mm2, "estimate": False}
        for chip in PUBLISHED
    ]
    return {"measures": measured(subject), "published": published}


def rows(found: Mapping[str, Any]) -> list[list[str]]:
    """Return a row for each figure; of a measure that is not known, what it needs."""
    listed = []
    for measure in found["measures"].values():
        title = f"{measure['title']} ({measure['unit']})" if measure["unit"] else measure["title"]
        for figure in measure["figures"]:
            listed.append([title, figure["of"], _number(figure["value"]), figure["note"]])
        if not measure["figures"]:
            listed.append([title, "", "–", f"needs {measure['needs']}".replace("`", "")])
    return listed


def chip_rows(found: Mapping[str, Any], name: str, weight_bits: str) -> list[list[str]]:
    """Return a row for the network of this name, and one for each published chip."""
    listed = [
        [
            *(name, "FPGA" if found["measures"]["synapses_per_lut"]["figures"] else ""),
            *(_value(found, "neurons"), _value(found, "synapses"), "", weight_bits),
            f"{_value(found, 'energy_per_operation_estimate')} (estimate, 45 nm)",
            *(_value(found, "speed_over_biology"), "see the measures"),
        ]
    ]
    for chip in found["published"]:
        listed.append(
            [
                *(chip["name"], f"{chip['process_nm']} nm, {chip['area_mm2']:g} mm²"),
                *(f"{chip['neurons']:,}", f"{chip['synapses']:,}"),
                *(f"{chip['synapses_per_mm2']:,.0f}", chip["weight_bits"]),
                *(f"{chip['pj_per_operation']:,g}", chip["speed"]),
                f"{chip['source']}. {chip['assumes']}",
            ]
        )
    return listed


def _value(found: Mapping[str, Any], measure: str) -> str:
    figures = found["measures"][measure]["figures"]
    return _number(figures[-1]["value"]) if figures else "–"


def _number(value: float) -> str:
    """Return three significant digits at least, and all of an integer."""
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:,.1f}"
