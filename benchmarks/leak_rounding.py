"""Slow leaks, rounded to the nearest or by chance: ``python -m benchmarks.leak_rounding``.

A layer of 128 neurons on the grid, with sparse random input, against the float network: overlap of
spikes, and what the fit check counts on an LFE5U-25F.
"""

from dataclasses import replace

import numpy as np
from rich.table import Table

import spikelet
from benchmarks.support import console, options_of, print_versions, run, versions, write_json
from spikelet.compiler.compile import compile_network
from spikelet.description.neurons.models import neuron_model
from spikelet.fpga.families import device_named
from spikelet.fpga.fit import check_fit
from spikelet.network.network import INPUT, Network, Population, Projection
from spikelet.network.reference import run_layers
from spikelet.runs.run import run as spikelet_run

__all__ = ["main"]

SIZE, SAMPLES, TICKS, RATE, WEIGHT_BITS = 128, 6, 600, 0.01, 4
BETAS = (0.99, 0.999, 0.9995)
DEVICE = "LFE5U-25F"


def main() -> int:
    """Run the benchmark; return 0."""
    options = options_of(__doc__)
    tools = versions("amaranth")
    print_versions(tools)
    rng = np.random.default_rng(0)
    weights = rng.normal(0.02, 0.2, (SIZE, SIZE))
    shown = (rng.random((SAMPLES, TICKS, SIZE)) < RATE).astype(np.uint8)
    nearest = neuron_model("snntorch-subtract")
    text = nearest.text.replace("nearest(product, 12)", "chance(product, 12)")
    chance = replace(nearest, name="snntorch-subtract-chance", text=text)
    found = []
    table = Table(title=f"{SIZE} neurons, {WEIGHT_BITS}-bit weights, {DEVICE}")
    for title in ("beta", "product rounded", "potential bits", "overlap", "LUTs", "block RAMs"):
        table.add_column(title, justify="right")
    for beta in BETAS:
        for how, model, bits in (
            *(("nearest", nearest, 16), ("nearest", nearest, None)),
            ("by chance", chance, 16),
        ):
            parameters = {"threshold": np.ones(1), "decay": np.full(1, beta)}
            layer = Population("p", SIZE, model, parameters)
            network = Network(
                "leak", SIZE, None, (layer,), (Projection(INPUT, "p", weights),), ("p",)
            )
            network = spikelet.grid(network, WEIGHT_BITS, potential_bits=bits)
            compiled = compile_network(network, weight_bits=WEIGHT_BITS, potential_bits=bits)
            spikes = spikelet_run(compiled, shown).spikes("p")
            floats = run_layers(network, shown, potentials=False)[0].spikes
            fit = check_fit(compiled.chip, device_named(DEVICE)).needed
            entry = {
                "beta": beta,
                "rounded": how,
                "potential_bits": compiled.network.populations[0].potential_bits,
                "overlap": float((spikes & floats).sum() / (spikes | floats).sum()),
                "luts": fit["luts"],
                "block_rams": fit["block_rams"],
            }
            found.append(entry)
            cells = list(entry.values())
            table.add_row(*map(str, cells[:3]), f"{entry['overlap']:.3f}", *map(str, cells[4:]))
    console.print(table)
    write_json(options.json, {"versions": tools, "leaks": found})
    return 0


if __name__ == "__main__":
    run(main)
