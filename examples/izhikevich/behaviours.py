"""The 20 behaviours of Izhikevich 2004 in one picture, on one core.

``python -m spikelet.examples.izhikevich.behaviours [-o izhikevich.png] [--verify]``: 20 neurons of
the model in ``neuron.toml`` beside this file, whose currents come in as spikes on eight axons each,
in binary. ``--verify`` runs the generated Verilog too and compares every spike and state with
golden.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from spikelet import PlacementLimits, PlasticNetwork, Samples, neuron_model, run, verify
from spikelet import compile as compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.examples.izhikevich.stimuli import BEHAVIOURS, Behaviour

__all__ = ["LSB", "STEPS", "behaviour_network", "coded", "main", "potentials"]

MODEL = neuron_model(Path(__file__).with_name("neuron.toml"))
LSB = float(MODEL.lsb or 0)
STEPS = 8
"""Ticks of a millisecond."""
PEAK = 30.0
"""mV, above which a neuron spikes."""
DIGITS = np.array([1, 2, 4, 8, 16, 32, 64, -128])
"""Weights of a neuron's axons."""
_BITS = 23


def coded(behaviour: Behaviour, ticks: int) -> tuple[npt.NDArray[np.int64], float, float]:
    """Return the current of each tick as an integer -128..127, its unit, and what it is added to.

    Levels that are multiples of the smallest are exact, ramps have 127 steps.
    """
    current = behaviour.current(np.arange(ticks) / STEPS)
    current[int(behaviour.span * STEPS) :] = current[0]
    change = current - current[0]
    sizes = np.unique(np.abs(change[change != 0]))
    unit = float(sizes[0])
    if np.any(sizes / unit != np.rint(sizes / unit)) or sizes[-1] > 127 * unit:
        unit = float(sizes[-1]) / 127
    return np.rint(change / unit).astype(np.int64), unit, float(current[0])


def behaviour_network() -> tuple[CompiledNetwork, npt.NDArray[np.uint8]]:
    """Return the compiled core, and its input, shape (1, ticks, 160)."""
    ticks = int(max(behaviour.span for behaviour in BEHAVIOURS) * STEPS)
    inputs = np.zeros((1, ticks, len(BEHAVIOURS), len(DIGITS)), np.uint8)
    values: dict[str, list[float]] = {
        name: [] for name in (p.name for p in MODEL.parameters) if name != "threshold"
    }
    for place, own in enumerate(BEHAVIOURS):
        codes, unit, rest = coded(own, ticks)
        inputs[0, :, place] = (codes[:, None] & 0xFF) >> np.arange(len(DIGITS)) & 1
        given = {
            "start_v": own.v / LSB,
            "start_u": (own.b * own.v if own.u is None else own.u) / LSB,
            "slope": own.slope * 1024,
            "bias": (own.constant + rest) / LSB,
            "gain": unit / LSB,
            "a": own.a * (1 << 17),
            "b": own.b * 4096,
            "offset": own.b * own.offset / LSB,
            "free": float(own.free),
            "c": own.c / LSB,
            "d": own.d / LSB,
        }
        for name, value in given.items():
            values[name].append(value)
    network = PlasticNetwork("izhikevich", dt=1e-3 / STEPS)
    network.inputs("currents", len(BEHAVIOURS) * len(DIGITS))
    network.population(
        *("neurons", len(BEHAVIOURS)),
        neuron=MODEL,
        potential_bits=_BITS,
        threshold=round(PEAK / LSB),
        **{name: np.rint(found).astype(np.int64) for name, found in values.items()},
    )
    weights = np.zeros((len(BEHAVIOURS), len(DIGITS), len(BEHAVIOURS)), np.int64)
    for place in range(len(BEHAVIOURS)):
        weights[place, :, place] = DIGITS
    network.project("currents", "neurons", weights=weights.reshape(-1, len(BEHAVIOURS)))
    network.output("neurons")
    compiled = compile_network(network, limits=PlacementLimits(lanes=4))
    return compiled, inputs.reshape(1, ticks, -1)


def potentials(
    compiled: CompiledNetwork, inputs: npt.NDArray[np.uint8]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Return potentials in mV and spikes of golden, shape (ticks, 20)."""
    got = run(compiled, inputs, record=("spikes", "states"))
    start = np.array([behaviour.v for behaviour in BEHAVIOURS])
    spikes = got.spikes("neurons")[0] > 0
    return got.states("neurons")["v"][0] * LSB + start, spikes


def _draw(path: Path, v: npt.NDArray[np.float64], spikes: npt.NDArray[np.bool_]) -> None:
    figure = Figure(figsize=(12, 10), layout="constrained")
    axes = figure.subplots(5, 4)
    for place, (own, axis) in enumerate(zip(BEHAVIOURS, axes.flat, strict=True)):
        ticks = int(own.span * STEPS)
        time = np.arange(ticks) / STEPS
        axis.plot(time, np.where(spikes[:ticks, place], PEAK, v[:ticks, place]), "k", lw=0.7)
        current = own.current(time)
        high = max(float(np.abs(current - current[0]).max()), 1e-9)
        axis.plot(time, -95 + 8 * (current - current[0]) / high, "C3", lw=0.8)
        axis.set_title(f"({chr(ord('A') + place)}) {own.name}", fontsize=9)
        axis.set_ylim(-108, 35)
        axis.axis("off")
        axis.plot([0, 20], [-106, -106], "k", lw=1.5, solid_capstyle="butt")
    figure.suptitle("bars: 20 ms", fontsize=8, x=0.97)
    figure.savefig(path, dpi=110)


def main() -> int:
    """Draw the picture; return 0, or 1 if golden and RTL differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--out", type=Path, default=Path("izhikevich.png"))
    parser.add_argument("--verify", action="store_true", help="compare golden and RTL")
    options = parser.parse_args()
    compiled, inputs = behaviour_network()
    v, spikes = potentials(compiled, inputs)
    for place, own in enumerate(BEHAVIOURS):
        times = np.flatnonzero(spikes[: int(own.span * STEPS), place]) / STEPS
        print(f"{chr(ord('A') + place)} {own.name:30} {len(times):3} spikes", *times[:8])
    _draw(options.out, v, spikes)
    print(f"drawn: {options.out}")
    if options.verify:
        found = verify(compiled, Samples(inputs))
        print("golden = RTL in every spike and state" if found.equal else "golden and RTL DIFFER")
        return int(not found.equal)
    return 0


if __name__ == "__main__":
    sys.exit(main())
