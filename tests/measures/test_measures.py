"""The measures: each against a count of its own, made from weights and spikes."""

from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.description.synapses.convolution import ConvolutionShape
from spikelet.fpga.flow import FpgaReport
from spikelet.fpga.place_and_route import Clock, Routed, Usage
from spikelet.golden.chip import GoldenChip
from spikelet.measures.accuracy import wilson
from spikelet.measures.additions import verdict
from spikelet.measures.connections import fan_out, fan_out_of_weights
from spikelet.measures.energy import TABLE
from spikelet.measures.learning import learned
from spikelet.measures.measures import measured, measures
from spikelet.measures.published import PUBLISHED
from spikelet.measures.subject import Learned, Subject
from spikelet.network.integer_layers import IntegerProjection
from spikelet.network.limits import PlacementLimits
from spikelet.runs.run_result import Run
from spikelet.samples.samples import Samples
from tests.helpers.networks import chain, spikes

SAMPLES, TICKS = 3, 6


@pytest.fixture(scope="module")
def compiled() -> CompiledNetwork:
    return compile_network(chain([16, 12, 3]), limits=PlacementLimits(max_neurons=8, lanes=4))


@pytest.fixture(scope="module")
def samples() -> Samples:
    return Samples(spikes(SAMPLES, TICKS, 16))


@pytest.fixture(scope="module")
def run(compiled: CompiledNetwork, samples: Samples) -> Run:
    golden = GoldenChip(compiled.chip, compiled.image, neurons=compiled.neurons)
    return Run(compiled, golden.run(compiled.events(samples.spikes), record=("spikes",)))


@pytest.fixture(scope="module")
def found(compiled: CompiledNetwork, samples: Samples, run: Run) -> dict[str, Any]:
    subject = Subject(compiled, samples, run, None, (build(),), 1200.0, Learned(30, 600.0))
    return measured(subject)


def build(board: str = "iCEBreaker") -> FpgaReport:
    usage = {"luts": Usage(1320, 5280), "block_rams": Usage(3, 30), "dsps": Usage(0, 8)}
    routed = Routed(1, {1: 50.0}, usage, {}, (Clock("clk", 50.0, 12.0),), ())
    return FpgaReport("top", board, "ICE40UP5K-SG48", 12.0, {}, (), routed, False, "")


def value(found: dict[str, Any], name: str, of: str = "") -> float:
    (figure,) = [figure for figure in found[name]["figures"] if figure["of"] == of]
    return float(figure["value"])


def arrivals(compiled: CompiledNetwork, samples: Samples, run: Run) -> list[tuple[Any, Any]]:
    """Return spikes (samples, ticks, sources) and weights of each projection."""
    return [
        (samples.spikes, compiled.weights("input", "p0")),
        (run.spikes("p0"), compiled.weights("p0", "p1")),
    ]


def test_additions_are_those_of_every_spike(
    compiled: CompiledNetwork, samples: Samples, run: Run, found: dict[str, Any]
) -> None:
    additions = effective = 0
    for fired, weights in arrivals(compiled, samples, run):
        for sample, tick, source in np.argwhere(fired):
            assert sample < SAMPLES and tick < TICKS
            additions += weights.shape[1]
            effective += int((weights[source] != 0).sum())
    assert 0 < effective < additions
    operations = run.recording.synaptic_operations.sum()
    assert additions == operations
    multiplications = 16 * 12 + 12 * 3
    assert value(found, "synapses") == multiplications
    wanted = additions / SAMPLES / multiplications
    assert value(found, "additions_per_multiplication") == pytest.approx(wanted)
    assert value(found, "effective_acs") == pytest.approx(effective / SAMPLES)
    assert value(found, "dense_operations") == TICKS * multiplications
    assert value(found, "neurons") == 15


def test_sparsities_and_spikes(
    compiled: CompiledNetwork, samples: Samples, run: Run, found: dict[str, Any]
) -> None:
    weights = [weights for _, weights in arrivals(compiled, samples, run)]
    zeros = sum(int((one == 0).sum()) for one in weights)
    assert zeros and value(found, "connection_sparsity") == pytest.approx(zeros / (16 * 12 + 36))
    fired = [int(run.spikes(name).sum()) for name in ("p0", "p1")]
    assert all(fired)
    share = sum(fired) / (SAMPLES * TICKS * 15)
    assert value(found, "activation_sparsity") == pytest.approx(1 - share)
    given = int(samples.spikes.sum())
    assert value(found, "spikes_per_inference", "input") == pytest.approx(given / SAMPLES)
    assert value(found, "spikes_per_inference", "p1") == pytest.approx(fired[1] / SAMPLES)
    everything = (given + sum(fired)) / SAMPLES
    assert value(found, "spikes_per_inference", "all") == pytest.approx(everything)


def test_energy_is_an_estimate_from_the_table(
    compiled: CompiledNetwork, run: Run, found: dict[str, Any]
) -> None:
    assert (TABLE.addition, TABLE.multiplication, TABLE.memory_bit) == (0.1, 3.1, 0.15625)
    operations = float(run.recording.synaptic_operations.sum()) / SAMPLES
    assert value(found, "energy_estimate", "synaptic additions") == pytest.approx(
        operations * 0.1 / 1000
    )
    states = sum(
        n * sum(core.state_bits.values())
        for core, n in zip(compiled.chip.cores, compiled.neurons, strict=True)
    )
    bits = operations * 4 + 2 * TICKS * states
    assert value(found, "energy_estimate", "memory") == pytest.approx(bits * 0.15625 / 1000)
    assert value(found, "energy_estimate", "neuron updates") == pytest.approx(
        15 * TICKS * 3.2 / 1000
    )
    whole = value(found, "energy_estimate", "all")
    assert whole * 1000 / operations == pytest.approx(value(found, "energy_per_operation_estimate"))
    for measure in measures():
        energy = measure.unit in ("nJ", "pJ", "J", "W") or "energy" in measure.name
        assert energy == measure.estimate == ("estimate" in measure.title), measure.name
        assert not energy or "Horowitz" in measure.source


def test_densities_are_those_of_the_build(found: dict[str, Any]) -> None:
    assert value(found, "synapses_per_lut", "iCEBreaker") == 228 / 1320
    assert value(found, "synapses_per_block_ram", "iCEBreaker") == 76
    assert value(found, "synapses_per_device", "iCEBreaker") == 4 * 228  # a quarter of the LUTs
    (figure,) = found["synapses_per_device"]["figures"]
    assert figure["note"] == "extrapolated: 25.0% of the luts are in use"


def test_learning_and_speed_follow_from_the_clock(found: dict[str, Any]) -> None:
    assert value(found, "cycles_per_update") == 20
    assert value(found, "updates_per_second", "iCEBreaker") == pytest.approx(12e6 / 20)
    # 6 ticks of 1 ms in 1,200 cycles of 12 MHz: 6 ms in 0.1 ms
    assert value(found, "speed_over_biology", "iCEBreaker") == pytest.approx(60)


def test_out_of_context_the_clock_is_the_fmax(compiled: CompiledNetwork) -> None:
    assert Subject(compiled, builds=(build(""), build())).clocks == [
        ("ICE40UP5K-SG48", 50.0),
        ("iCEBreaker", 12.0),
    ]


def test_what_is_not_known_says_what_it_needs(compiled: CompiledNetwork) -> None:
    found = measured(Subject(compiled))
    known = {name for name, measure in found.items() if measure["figures"]}
    assert known == {"neurons", "synapses", "footprint", "connection_sparsity"}
    assert all(measure["needs"] and measure["source"] for measure in found.values())


def test_samples_end_where_their_lengths_say(compiled: CompiledNetwork) -> None:
    dense = spikes(2, TICKS, 16)
    dense[1, 4:] = 0
    short = Samples(dense, lengths=np.array([TICKS, 4]))
    golden = GoldenChip(compiled.chip, compiled.image, neurons=compiled.neurons)
    trace = golden.run(compiled.events(dense), record=("spikes",))
    subject = Subject(compiled, short, Run(compiled, trace, lengths=short.lengths))
    assert subject.ticks == 5 and subject.spikes is not None
    assert subject.spikes["input"].sum() == dense.sum() / 2
    inner = subject.run.spikes("p0") if subject.run else []
    assert subject.spikes["p0"].sum() == (inner[0].sum() + inner[1, :4].sum()) / 2


def test_footprint_counts_bits(compiled: CompiledNetwork, found: dict[str, Any]) -> None:
    weights = (16 * 12 + 12 * 3) * 4
    rest = 8 * value(found, "footprint") - weights
    states = sum(
        n * sum(core.state_bits.values())
        for core, n in zip(compiled.chip.cores, compiled.neurons, strict=True)
    )
    assert states < rest < 2 * states  # and some parameters


RULE = LearningRule(
    "x1*y0 - x0", x1=TraceParams(4, decay_shift=2, bits=4), w_min=-8, w_max=7, name="rule"
)


def test_updates_are_the_weights_that_change() -> None:
    network = compile_network(chain([6, 8, 3], scale=0.5)).network
    plastic = compile_network(network.make_plastic("p1", RULE), limits=PlacementLimits(lanes=4))
    shown = Samples(spikes(2, 20, 6, rate=0.5))
    found = learned(plastic, shown)
    assert found is not None
    # Tick by tick: what a run of so many ticks has changed.
    events = plastic.events(shown.spikes[:1])
    trace = GoldenChip(plastic.chip, plastic.image, neurons=plastic.neurons).run(
        events, record=("cycles", "learning")
    )
    assert trace.learned is not None and trace.cycles is not None
    (core,) = [n for n, core in enumerate(plastic.chip.cores) if core.learning]
    before, updates = plastic.image.cores[core].weights, 0
    for after in trace.learned[core]["weights"][0]:
        updates += int((before != after).sum())
        before = after
    assert updates > 0 and found == Learned(updates, float(trace.cycles.sum()))
    assert learned(compile_network(chain([6, 8, 3])), shown) is None
    assert learned(plastic, Samples(spikes(0, 20, 6))) is None


@pytest.mark.parametrize("stride", [1, 2])
def test_synapses_of_a_convolution_lie_within_the_map(stride: int) -> None:
    height, width, channels, taps, padding = 5, 4, 2, 3, 1
    out = [(size + 2 * padding - taps) // stride + 1 for size in (height, width)]
    shape = ConvolutionShape(
        *(height, width, channels, *out, 3, taps, taps, stride, stride),
        padding_y=padding,
        padding_x=padding,
    )
    wanted = np.zeros((channels, height, width), np.int64)
    for y, x, down, across in np.ndindex(*out, taps, taps):
        row, column = y * stride + down - padding, x * stride + across - padding
        if 0 <= row < height and 0 <= column < width:
            wanted[:, row, column] += 3
    weights = np.zeros((channels * height * width, 3 * out[0] * out[1]), np.int16)
    weights[0, 0] = 1
    projection = IntegerProjection("input", "a", csr_array(weights), 0, convolution=shape)
    assert (fan_out(projection) == wanted.ravel()).all()
    assert fan_out_of_weights(projection).tolist() == [1, *[0] * (channels * height * width - 1)]


def test_connectivity_counts_what_exists() -> None:
    weights = np.ones((4, 4), np.int16)
    for connectivity, each in (("all_to_all", 4), ("all_but_self", 3), ("one_to_one", 1)):
        projection = IntegerProjection("a", "b", weights, 1, connectivity=connectivity)
        assert fan_out(projection).tolist() == [each] * 4


def test_wilsons_interval() -> None:
    # Newcombe 1998 (Stat. Med. 17, table I): 81 of 263, 15 of 148 and 0 of 20
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(20, 20)[1] == pytest.approx(1.0)


def test_three_additions_pay_and_more_do_not() -> None:
    assert verdict(3.0).startswith("pays") and verdict(3.01).startswith("does not pay")


def test_published_chips_say_what_they_assume() -> None:
    assert [chip.name for chip in PUBLISHED] == [
        *("TrueNorth", "Loihi", "SpiNNaker", "ODIN", "Tianjic"),
    ]
    for chip in PUBLISHED:
        assert len(chip.assumes) > 40 and chip.source and chip.pj_per_operation > 1
    assert PUBLISHED[0].synapses_per_mm2 == pytest.approx(624_269, rel=1e-3)
