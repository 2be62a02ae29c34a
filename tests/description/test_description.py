"""The shared description: packets, images, events, Recordings and their errors."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikelet.description.checks import signed_bits
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.memory_map import ChipMap
from spikelet.description.chip.packets import destination_packet, flit_packet
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.models import neuron_model
from spikelet.description.run.events import Events
from spikelet.description.run.recording import Recording
from tests.helpers.random_chips import random_chip, random_events, random_image

CORE = CoreParams(n_axons=20, n_neurons=16, neuron=neuron_model("snntorch-zero"))


@given(st.integers(0, 2**20))
def test_packets_unpack_to_what_was_packed(seed):
    rng = np.random.default_rng(seed)
    chip = random_chip(rng)
    packet = destination_packet(chip, chip.cores[-1])
    values = {f.name: rng.integers(0, 1 << f.width, 5) for f in packet.fields}
    unpacked = packet.unpack(packet.pack(**values))
    assert all(np.array_equal(unpacked[name], values[name]) for name in values)


def test_a_field_that_overflows_is_named():
    with pytest.raises(SpikeletError, match=r"^flit: axon must be in 0..31, not 32$"):
        flit_packet(ChipParams((CORE,))).pack(axon=32, delay=0, host=0, x=0, y=0)


@given(st.integers(-(2**23), 2**23 - 1), st.integers(0, 2**23))
def test_signed_bits_is_the_least_that_holds(low, span):
    bits = signed_bits(low, low + span)
    assert -(1 << (bits - 1)) <= low and low + span < 1 << (bits - 1)
    tight = bits == 1 or low < -(1 << (bits - 2)) or low + span >= 1 << (bits - 2)
    assert tight


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_axons": 0}, r"n_axons must be an int in 1..4096, not 0"),
        ({"n_axons": 4.0}, r"n_axons must be an int"),
        ({"lanes": 3}, r"lanes must be a power of two, not 3"),
        ({"n_neurons": 24}, r"n_neurons must be a multiple of lanes \(16\), not 24"),
        ({"pipelines": 32}, r"pipelines must be an int in 1..16"),
        ({"weight_bits": 1}, r"weight_format must be one of binary, unsigned, not 'signed'"),
        ({"weight_memory": "flash"}, r"weight_memory must be one of block, spram"),
        ({"delay_slots": 128}, r"delay_slots must be an int in 2..64, not 128"),
        ({"list_entries": 65537}, r"list_entries must be an int in 0..65536, not 65537"),
        ({"list_entries": -1}, r"list_entries must be an int in 0..65536, not -1"),
    ],
)
def test_core_fields_are_checked(change, message):
    with pytest.raises(SpikeletError, match=message):
        replace(CORE, **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": 0}, r"width must be an int in 1..4096, not 0"),
        ({"height": 1.0}, r"height must be an int in 1..4096, not 1.0"),
        ({"width": 128, "height": 33}, r"128 x 33 are 4224 positions, 128 more than the 4096"),
        ({"width": 1}, r"1 x 1 positions hold 1..1 cores, not 2"),
        ({"cores": ()}, r"2 x 1 positions hold 1..2 cores, not 0"),
        (
            {"topology": "star"},
            r"topology must be one of mesh, torus, line, ring, tree, not 'star'$",
        ),
        *(
            ({"topology": name, "height": 3}, f"a {name} has a height of 1, not 3\n.*width 6$")
            for name in ("line", "ring", "tree")
        ),
        *(
            (
                {"topology": name, "chip_columns": 2},
                f"only a mesh or a line can be cut into chips, not a {name}",
            )
            for name in ("torus", "ring", "tree")
        ),
        (
            {"topology": "torus", "height": 2, "chip_rows": 2},
            r"only a mesh or a line can be cut into chips, not a torus",
        ),
        (
            {"width": 5, "chip_columns": 2},
            r"chip_columns must divide the width of 5, not 2",
        ),
        (
            {"height": 5, "chip_rows": 3},
            r"chip_rows must divide the height of 5, not 3",
        ),
        ({"chip_columns": 4}, r"chip_columns must be an int in 1..2, not 4"),
        ({"fifo_depth": 1}, r"fifo_depth must be an int in 2..16, not 1"),
        ({"fifo_depth": 17}, r"fifo_depth must be an int in 2..16, not 17"),
        ({"fifo_depth": True}, r"fifo_depth must be an int in 2..16, not True"),
        ({"arbitration_seed": 65536}, r"arbitration_seed must be an int in 0..65535, not 65536"),
        ({"arbitration_seed": -1}, r"arbitration_seed must be an int in 0..65535, not -1"),
        ({"multicast": 1}, r"multicast must be a bool, not 1"),
    ],
)
def test_chip_fields_are_checked(change, message):
    with pytest.raises(SpikeletError, match=f"^chip: {message}"):
        replace(ChipParams((CORE, CORE), 2), **change)


def test_a_chip_of_every_edge_is_taken():
    for change in (
        {"width": 4096},
        {"width": 64, "height": 64, "chip_columns": 64, "chip_rows": 32},
        {"topology": "line", "width": 6, "chip_columns": 3},
        {"fifo_depth": 16, "arbitration_seed": 65535},
    ):
        chip = replace(ChipParams((CORE, CORE), 2), **change)
        assert ChipParams.from_dict(chip.to_dict()) == chip


def test_every_field_of_a_chip_is_in_its_digest():
    chip = ChipParams((CORE, CORE), 2)
    for change in (
        {"width": 4},
        {"height": 2},
        {"n_outputs": 2},
        {"topology": "line"},
        {"multicast": True},
        {"fifo_depth": 2},
        {"arbitration_seed": 1},
        {"chip_columns": 2},
    ):
        assert replace(chip, **change).digest != chip.digest, change


def test_a_flit_that_is_too_wide_is_refused():
    chip = ChipParams((replace(CORE, n_axons=4096, delay_slots=64),), 32, 64)
    assert flit_packet(chip).width == 30
    with pytest.raises(
        SpikeletError,
        match=r"^chip: a flit of 41 bits "
        r"\(axon 12, delay 6, host 1, x 5, y 6, x_last 5, y_last 6\) "
        r"does not fit the 30 bits there are\n.*remedy: build fewer .* leave multicast out$",
    ):
        flit_packet(replace(chip, multicast=True))


@given(st.integers(0, 2**20))
def test_regions_are_disjoint_and_aligned(seed):
    chip_map = ChipMap(random_chip(np.random.default_rng(seed)))
    for regions in chip_map.cores:
        end = 0
        for region in sorted(regions.values(), key=lambda r: r.base):
            assert region.base >= end and region.base % region.span == 0
            assert region.words <= region.span
            end = region.base + region.span
        assert end <= chip_map.window


def _image(seed=3):
    rng = np.random.default_rng(seed)
    chip = random_chip(rng)
    return chip, random_image(rng, chip)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("weights", 9999, "core 0: weights must be in"),
        ("threshold", -1, "core 0: threshold must be in 0"),
        ("destinations", -1, "core 0: neuron of a destination must be in 0"),
    ],
)
def test_images_are_checked(field, value, message):
    chip, image = _image()
    {**image.cores[0].parameters, **vars(image.cores[0])}[field].flat[0] = value
    with pytest.raises(SpikeletError, match=message):
        image.check(chip)


@pytest.mark.parametrize(
    ("field", "message"), [("core", "event core"), ("axon", "event axon"), ("delay", "event delay")]
)
def test_events_out_of_range(field, message):
    rng = np.random.default_rng(1)
    chip = random_chip(rng)
    events = random_events(rng, chip)
    getattr(events, field)[-1] = 5000
    with pytest.raises(SpikeletError, match=f"{message}.*found 5000"):
        events.check(chip)


@given(st.integers(0, 2**20))
def test_events_from_spikes_lists_each_route_of_each_spike(seed):
    rng = np.random.default_rng(seed)
    spikes = rng.integers(0, 2, (2, 4, 5))
    routes = np.stack([rng.integers(0, 5, 7), *(rng.integers(0, 9, 7) for _ in range(3))], axis=1)
    events = Events.from_spikes(spikes, routes, extra_ticks=2)
    got = {}
    for event, tick in enumerate(events.tick_of_event):
        entry = (int(tick), *(int(getattr(events, f)[event]) for f in ("core", "axon", "delay")))
        got[entry] = got.get(entry, 0) + 1
    expected = {}
    for sample, tick, line in zip(*np.nonzero(spikes), strict=True):
        for source, *target in routes.tolist():
            if source == line:
                entry = (int(sample * 6 + tick), *target)
                expected[entry] = expected.get(entry, 0) + 1
    assert got == expected


def _trace(chip=2):
    rng = np.random.default_rng(0)
    return Recording(
        "golden",
        rng.integers(0, 2, (2, 3, 4)).astype(np.uint16),
        rng.integers(0, 9, (2, 3, chip)).astype(np.int32),
        rng.integers(0, 9, (2, chip)).astype(np.int32),
        (5,) * chip,
        spikes=[rng.integers(0, 2, (2, 3, 5)).astype(bool) for _ in range(chip)],
        states=[{"v": rng.integers(-9, 9, (2, 3, 5)).astype(np.int32)} for _ in range(chip)],
        cycles=np.ones((2, 3), np.int64),
    )


def test_a_trace_survives_a_file(tmp_path):
    trace = _trace()
    trace.save(tmp_path / "recording.npz")
    loaded = Recording.load(tmp_path / "recording.npz")
    assert loaded.first_difference(trace) is None
    assert len(loaded.compared(trace)) == 5
    assert np.array_equal(loaded.cycles, trace.cycles) and loaded.neurons == trace.neurons


def test_a_damaged_trace_is_refused(tmp_path):
    (tmp_path / "recording.npz").write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(SpikeletError, match="not a readable Recording"):
        Recording.load(tmp_path / "recording.npz")


@pytest.mark.parametrize("what", ["outputs", "active_axons", "merged_spikes", "spikes", "v"])
def test_any_single_bit_is_a_difference(what):
    expected, got = _trace(), _trace()
    array = {
        **vars(got),
        "spikes": got.spikes[1],
        "v": got.states[1]["v"],
    }[what]
    array.flat[-1] = array.flat[-1] ^ 1
    difference = got.first_difference(expected)
    assert difference is not None and difference.what == what and difference.sample == 1
    assert f"{what} differ first at sample 1" in str(difference)
    assert got.first(1).first_difference(expected.first(1)) is None


def test_the_earliest_tick_is_reported():
    expected, got = _trace(), _trace()
    got.outputs[0, 2, 0] ^= 1
    got.states[1]["v"][0, 1, 3] += 1
    difference = got.first_difference(expected)
    assert (difference.what, difference.tick, difference.core, difference.index) == (
        "v",
        1,
        1,
        3,
    )
