"""The report's part on the measures that reviews of the field compare chips by."""

from collections.abc import Mapping
from typing import Any

from spikelet.compiler.compiled import CompiledNetwork
from spikelet.measures.learning import learned
from spikelet.measures.measures import measured
from spikelet.measures.published import PUBLISHED
from spikelet.measures.subject import Subject
from spikelet.reports.section import Parts, Section

__all__ = ["SECTION", "content", "found", "shown"]


def content(parts: Parts) -> dict[str, Any]:
    """Return ``measures`` by name, of the samples of the run; ``published`` chips; the network."""
    compiled, run = parts.compiled, parts.run
    samples = parts.samples.first(run.recording.samples) if parts.samples and run else None
    changes = learned(compiled, samples) if samples else None
    return found(
        Subject(compiled, samples, run, parts.verification, parts.fpga, parts.cycles, changes)
    )


def found(subject: Subject) -> dict[str, Any]:
    """Return the same of a subject."""
    compiled = subject.compiled
    published = [{**vars(chip), "synapses_per_mm2": chip.synapses_per_mm2} for chip in PUBLISHED]
    network = {"name": compiled.name, "weight_bits": _weight_bits(compiled)}
    return {"measures": measured(subject), "published": published, "network": network}


def shown(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return rows of both tables, in words."""
    return {"measures": _rows(content), "chips": _chip_rows(content)}


def _rows(found: Mapping[str, Any]) -> list[list[str]]:
    """Return a row for each figure; of a measure that is not known, what it needs."""
    listed = []
    for measure in found["measures"].values():
        title = f"{measure['title']} ({measure['unit']})" if measure["unit"] else measure["title"]
        for figure in measure["figures"]:
            listed.append([title, figure["of"], _number(figure["value"]), figure["note"]])
        if not measure["figures"]:
            listed.append([title, "", "–", f"needs {measure['needs']}".replace("`", "")])
    return listed


def _chip_rows(found: Mapping[str, Any]) -> list[list[str]]:
    """Return a row for the network, and one for each published chip."""
    network = found["network"]
    listed = [
        [
            *(network["name"], "FPGA" if found["measures"]["synapses_per_lut"]["figures"] else ""),
            *(_value(found, "neurons"), _value(found, "synapses"), ""),
            network["weight_bits"],
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


def _weight_bits(compiled: CompiledNetwork) -> str:
    """Return the widths of the cores' weights, in words."""
    widths = sorted({core.weight_bits for core in compiled.chip.cores})
    return " and ".join(map(str, widths)) if len(widths) < 3 else f"{widths[0]} to {widths[-1]}"


SECTION = Section("measures", "Measures", "measures_section.html.j2", content, shown=shown)
