"""The report's glossary."""

from typing import Any

from spikelet.reports.section import Parts, Section

__all__ = ["SECTION", "TERMS", "content"]

TERMS = {
    "axon": "An input line of a core; a spike on it reaches all synapses of its row.",
    "barrier": "What ends a tick when every core has done and no spike is on its way.",
    "bitstream": "The file that configures an FPGA.",
    "core": "Neurons, their synapses and the memory of both, at one place of the chip.",
    "critical path": "The slowest way between two registers: it bounds the clock.",
    "Fmax": "The highest clock frequency that place and route found for a design.",
    "golden model": "The reference, in numpy and C: every engine is compared with it bit for bit.",
    "lane": "A unit that adds one weight in a clock cycle; lanes of a core work side by side.",
    "LSB": "The unit of an integer register: the value of its lowest bit.",
    "membrane potential": "A neuron's sum of weighted spikes; it fires at its threshold.",
    "out of context": "Implemented without pins, to know size and frequency; no bitstream.",
    "quantisation": "Putting integers in the place of real weights, thresholds and leaks.",
    "raster": "A picture with a mark for each spike: time across, neurons downwards.",
    "RTL": "The generated Verilog, before synthesis.",
    "SOP": "Synaptic operation: one active axon times one neuron in use.",
    "tick": "A time step of the network; in it each neuron is updated once.",
    "vote": "What counts for an output when a sample is classified, such as its spikes.",
}
"""Terms of the page and what they mean."""


def content(parts: Parts) -> dict[str, Any]:
    """Return ``terms``."""
    return {"terms": TERMS}


SECTION = Section("glossary", "Glossary", "glossary_section.html.j2", content)
