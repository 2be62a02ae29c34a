"""What a driver must know of a compiled network, beside the chip's memory map, as JSON."""

import json
from typing import Any

import numpy as np

from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.chip.destinations import event_flits
from spikelet.description.chip.packets import flit_packet

__all__ = ["INTERFACE_FILE", "interface"]

INTERFACE_FILE = "interface.json"
"""Name of the file beside the chip's Verilog."""


def interface(compiled: CompiledNetwork) -> str:
    """Return flit fields, input routes and output lines of a network as JSON.

    ``flit``
        ``bits``, and of each of its ``fields``, from bit 0 up: name, lowest bit, bits, meaning.
    ``inputs``
        ``count``; ``levels``, the largest count of spikes of an input in a tick (1: none or one);
        ``ticks_to_output``; and ``flits``: for each input the flits that its spike is sent as, one
        spike in the field ``count`` where there is one.
    ``outputs``
        ``count``, and of each population, in order: its name, how many neurons, its first output,
        ``lines``, the output line of each neuron, or null where its potential is read, and
        ``places``, the core of each neuron and its number in there.
    """
    chip, net = compiled.chip, compiled.network
    flit = flit_packet(chip)
    fields, low = [], 0
    for field in flit.fields:
        entry = {"name": field.name, "low": low, "bits": field.width, "meaning": field.meaning}
        fields.append(entry)
        low += field.width
    routes = compiled.routes[np.argsort(compiled.routes[:, 0], kind="stable")]
    words = event_flits(chip, routes[:, 1], routes[:, 2], routes[:, 3], 1)
    sent: list[list[int]] = [[] for _ in range(net.n_inputs)]
    for source, word in zip(routes[:, 0].tolist(), words.tolist(), strict=True):
        sent[source].append(word)
    outputs, first = [], 0
    for name in net.outputs:
        size = net.sizes[name]
        spikes = name not in net.readouts
        lines = list(range(first, first + size)) if spikes else None
        layer = compiled.layer(name)
        parts = [[(part.core, n) for n in range(part.count)] for part in layer.slices]
        places = layer.assembled([np.array(part).T for part in parts]).T.tolist()
        entry = {"population": name, "neurons": size, "first": first}
        outputs.append({**entry, "lines": lines, "places": places})
        first += size
    described: dict[str, Any] = {
        "network": compiled.name,
        "structure": int(chip.digest[:8], 16),
        "flit": {"bits": flit.width, "fields": fields},
        "inputs": {
            "count": net.n_inputs,
            "levels": net.input_levels,
            "ticks_to_output": compiled.output_latency,
            "flits": sent,
        },
        "outputs": {"count": net.n_outputs, "populations": outputs},
    }
    return json.dumps(described) + "\n"
