"""Projections made of devices: Python and TOML, their contents, what is kept, what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from spikelet import LearningRule, PlasticNetwork, SpikeletError, TraceParams
from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.learning.devices import Devices
from spikelet.description.learning.variability import Variability
from spikelet.network.limits import PlacementLimits
from spikelet.network.toml_file import load_toml
from spikelet.runs.run import run

DEVICES = Devices(3, up=(20,) * 8, down=(30,) * 8, bits=3, noise=9)
RULE = LearningRule("x0*y0 - x0*y1", y1=TraceParams(2, decay_shift=2, bits=2, mode="set"))
VARIED = Variability(seed=5, step=0.3, stuck=0.2)

FILE = """
name = "cells"
outputs = ["n"]
[inputs.i]
size = 30
[populations.n]
size = 3
threshold = 60
decay = 0
[rules.own]
dw = "x0*y0 - x0*y1"
name = "custom"
y1 = { increment = 2, decay_shift = 2, bits = 2, mode = "set" }
[devices.cells]
count = 3
up = [20, 20, 20, 20, 20, 20, 20, 20]
down = [30, 30, 30, 30, 30, 30, 30, 30]
bits = 3
noise = 9
[[projections]]
source = "i"
target = "n"
weights = [0, 21]
rule = "own"
devices = "cells"
variability = { seed = 5, step = 0.3, stuck = 0.2 }
"""


def network(**options):
    made = PlasticNetwork("cells")
    made.inputs("i", 30)
    made.population("n", 3, threshold=60, decay=0)
    made.output("n")
    given = {"weights": (0, 21), "rule": RULE, "devices": DEVICES, "variability": VARIED}
    made.project("i", "n", **{**given, **options})
    return made


def compiled(**options):
    return compile_network(network(**options), limits=PlacementLimits(lanes=2))


def test_weights_are_what_the_devices_make(tmp_path):
    made = compiled()
    codes = made.devices("i", "n")
    built = made.network.projection("i", "n").rule.devices
    assert codes.shape == (3, 30, 3) and built.faults and built.variation
    assert (built.read(codes, "stuck").mean() > 0.1) and built.read(codes, "variation").any()
    assert np.array_equal(built.weights(codes), made.weights("i", "n"))
    made.save(tmp_path / "saved")
    again = CompiledNetwork.load(tmp_path / "saved")
    assert np.array_equal(again.devices("i", "n"), codes)
    assert again.chip.digest == made.chip.digest


def test_what_was_learned_compiles_again():
    spikes = (np.random.default_rng(1).random((1, 60, 30)) < 0.2).astype(np.uint8)
    learned = run(compiled(), spikes)
    levels = learned.devices("i", "n")
    assert (levels != compiled().network.projection("i", "n").devices & 7).any()
    again = compile_network(learned.network, limits=PlacementLimits(lanes=2))
    kept = learned.compiled.devices("i", "n", learned.final.image)
    assert np.array_equal(again.devices("i", "n"), kept)
    with pytest.raises(SpikeletError, match="'i' -> 'n' has no devices"):
        plain = run(compiled(devices=None, variability=None), spikes)
        plain.devices("i", "n")


def test_weights_of_pairs_are_differences(tmp_path):
    pairs = replace(DEVICES, pairs=True, refresh=4)
    made = compiled(devices=pairs, weights=(-21, 21))
    codes = made.devices("i", "n")
    rule = made.network.projection("i", "n").rule
    assert (rule.w_min, rule.w_max) == (-21, 21) and rule.devices.pairs
    assert np.array_equal(rule.devices.weights(codes), made.weights("i", "n"))
    assert made.weights("i", "n").min() < -5 and made.weights("i", "n").max() > 5
    spikes = (np.random.default_rng(1).random((1, 60, 30)) < 0.2).astype(np.uint8)
    learned = run(made, spikes)
    plus, minus = np.split(learned.devices("i", "n"), 2)
    assert np.array_equal((plus - minus).sum(axis=0), learned.weights("i", "n"))
    file = tmp_path / "cells.toml"
    file.write_text(
        FILE.replace("noise = 9", "noise = 9\npairs = true\nrefresh = 4").replace(
            "[0, 21]", "[-21, 21]"
        )
    )
    of_file = compile_network(load_toml(file).network, limits=PlacementLimits(lanes=2))
    assert np.array_equal(of_file.devices("i", "n"), codes)


def test_the_file_is_the_same_network(tmp_path):
    file = tmp_path / "cells.toml"
    file.write_text(FILE)
    found = load_toml(file)
    of_file = compile_network(found.network, limits=PlacementLimits(lanes=2))
    assert of_file.chip.digest == compiled().chip.digest
    assert np.array_equal(of_file.devices("i", "n"), compiled().devices("i", "n"))
    a, b = FILE.index("count"), FILE.index("[[proj")
    np.save(tmp_path / "map.npy", np.ones((3, 30, 3), np.int8))
    with_model = FILE[:a] + 'model = "pcm"\ncount = 3\nlevels = 8\n' + FILE[b:]
    file.write_text(with_model.replace("step = 0.3, stuck = 0.2", 'faults = "map.npy"'))
    rule = load_toml(file).network.projection("i", "n").rule
    assert (rule.devices.name, rule.devices.levels, rule.devices.faults) == ("pcm", 8, True)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('devices = "cells"', 'devices = "cell"', r"devices must be one of .*NAME\]: cells"),
        ("bits = 3\nnoise", "bits = 2\nnoise", r"\[devices.cells\]: .* 8 levels, but 2 bits"),
        ("noise = 9", "noize = 9", r"\[devices.cells\]: unknown key 'noize'"),
        ("seed = 5", "seed = 0", r"number 1 variability: .*seed must not be 0"),
        ("stuck = 0.2", "stuk = 0.2", "unknown key 'stuk'; valid keys are seed, step"),
        ("count = 3\n", 'count = 3\nmodel = "none"\n', r"unknown key 'up'|no device model 'none'"),
        ("stuck = 0.2", 'faults = "none.npy"', "faults: .*none.npy"),
        ('rule = "own"\n', "", "devices need a rule, which gives them pulses"),
    ],
)
def test_what_a_file_cannot_say(old, new, message, tmp_path):
    file = tmp_path / "cells.toml"
    assert old in FILE
    file.write_text(FILE.replace(old, new))
    with pytest.raises(SpikeletError, match=message):
        load_toml(file)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rule": None}, "devices need a rule"),
        ({"devices": 3}, "devices must be Devices, not 3"),
        ({"devices": None}, "variability is that of devices, which are not given"),
        ({"variability": 3}, "variability must be a Variability, not 3"),
        ({"weights": (0, 22)}, "weights, which learn, must be in 0..21"),
        (
            {"variability": Variability(faults=np.zeros((3, 2, 3), int))},
            r"'i' -> 'n': faults must have shape \(3, 30, 3\)",
        ),
    ],
)
def test_what_a_projection_cannot_be(options, message):
    with pytest.raises(SpikeletError, match=message):
        network(**options)


def test_a_rule_takes_no_other_devices():
    with pytest.raises(SpikeletError, match="devices must be Devices, not 3"):
        LearningRule("x0*y0", devices=3)
