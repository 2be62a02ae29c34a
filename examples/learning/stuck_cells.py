"""Learning around stuck cells: ``python -m spikelet.examples.learning.stuck_cells``.

The digits of ``sdsp_digits``, whose 2,560 plastic synapses are devices of 8 levels. What a chip
without faults learned is loaded into one of which 10 % of the cells are stuck, each at a random
level. Then that chip goes on learning: other cells of a neuron make up for those that are stuck.
The chip without faults goes on as well, and what it reaches counts as lost.
"""

import argparse
from dataclasses import replace

import numpy as np

from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.chip.state import ChipState
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.devices import Devices
from spikelet.description.learning.variability import Variability
from spikelet.examples.learning.digits16 import Digits
from spikelet.examples.learning.sdsp_digits import Plan, accuracy, build, train
from spikelet.examples.learning.support import console, guarded, tools

__all__ = ["DEVICES", "broken", "main"]

DEVICES = Devices(1, up=(16,) * 8, down=(16,) * 8, bits=3, faults=True)
"""A pulse moves a cell by a level; the rule gives it by chance."""


def broken(compiled: CompiledNetwork, state: ChipState, share: float, seed: int) -> ChipState:
    """Return a state in which a share of the cells is stuck, each at a random level."""
    core = state.image.cores[0]
    plastic = core.plastic
    codes, weights = core.devices.copy(), core.weights.copy()
    spread = Variability(seed=seed, stuck=share)
    codes[:, plastic] = spread.codes(DEVICES, core.weights[plastic])
    weights[plastic] = DEVICES.weights(codes[:, plastic])
    cores = (replace(core, devices=codes, weights=weights), *state.image.cores[1:])
    found = replace(state, image=replace(state.image, cores=cores))
    found.check(compiled.chip)
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run the experiment from the command line; 1 unless half of the loss came back."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5, help="so many, from 1")
    parser.add_argument("--epochs", type=int, default=3, help="of learning, before and behind")
    parser.add_argument("--stuck", type=float, default=0.1, help="share of the cells")
    options = parser.parse_args(arguments)
    if options.seeds < 1 or options.epochs < 1:
        raise SpikeletError("--seeds and --epochs must be 1 or more")
    plan, (training, held_out) = Plan(), Digits.small()
    rows = []
    for seed in range(1, options.seeds + 1):
        compiled = build(plan, seed, DEVICES)
        state = compiled.initial_state()
        for _ in range(options.epochs):
            state = train(compiled, training, plan, state)
        stuck = broken(compiled, state, options.stuck, seed)
        states = [state, stuck]
        for _ in range(options.epochs):
            stuck = train(compiled, training, plan, stuck)
            state = train(compiled, training, plan, state)
        states += [stuck, state]
        rows.append([100 * accuracy(compiled, held_out, plan, each) for each in states])
        console.print("seed {}: {:.1f} %, stuck {:.1f} %, learned {:.1f} %".format(seed, *rows[-1]))
    learned, lost, again, on = np.mean(rows, axis=0)
    back = (again - lost) / (on - lost)
    console.print(
        f"without faults {learned:.1f} % ({on:.1f} % after going on), {options.stuck:.0%} stuck "
        f"{lost:.1f} %, after learning with them {again:.1f} %: {back:.0%} of the loss came back"
    )
    console.print("  ".join(f"{name} {version}" for name, version in tools().items()))
    return int(back < 0.5)


if __name__ == "__main__":
    guarded(main)
