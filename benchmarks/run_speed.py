"""How long a call of ``spikelet.run`` takes: ``python -m benchmarks.run_speed``.

The MNIST network of ``examples/mnist``, 784-128-10, on golden: 2,000 samples of 8 ticks, outputs
only, as rate-coded spikes of random images that are as bright as MNIST's on average. The first call
builds the chip, the others find it built.
"""

import argparse
import time
from pathlib import Path

import numpy as np

import spikelet

NETWORK = Path(__file__).parents[1] / "examples" / "mnist" / "mnist.nir"
BRIGHT = 0.19
"""Share of MNIST's pixels that are not 0."""


def main() -> None:
    """Print the first call's time, and the median and least of the others."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--calls", type=int, default=50)
    options = parser.parse_args()
    network = spikelet.compile(NETWORK, "snntorch-subtract")
    rng = np.random.default_rng(0)
    bright = rng.random((options.samples, 784)) < BRIGHT
    levels = np.where(bright, rng.integers(1, 256, bright.shape), 0)
    samples = spikelet.Samples(spikelet.rate(levels, 255, 8))
    times, work = [], []
    for _ in range(options.calls + 1):
        began, busy = time.perf_counter(), time.process_time()
        run = spikelet.run(network, samples, record=())
        times.append(1e3 * (time.perf_counter() - began))
        work.append(1e3 * (time.process_time() - busy))
    spikes = int(run.outputs.sum())
    print(f"{options.samples} samples of 8 ticks, {spikes:,} output spikes")
    print(f"first call {times[0]:.1f} ms; of {options.calls} more: median", end=" ")
    print(f"{np.median(times[1:]):.1f} ms, least {min(times[1:]):.1f} ms", end="; ")
    print(f"of the processor: median {np.median(work[1:]):.1f} ms")


if __name__ == "__main__":
    main()
