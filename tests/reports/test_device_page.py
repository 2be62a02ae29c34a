"""The page of a network whose synapses are made of devices shows how often they were written."""

from dataclasses import replace

import numpy as np

from spikelet.reports import learning_section
from spikelet.reports.learning_plots import write_histogram
from spikelet.runs.learn import learn_from
from spikelet.samples.plastic_samples import LearningSamples
from tests.network.test_devices import DEVICES, compiled


def test_the_page_has_a_histogram_of_writes(monkeypatch):
    shown = []
    monkeypatch.setattr(
        learning_section.learning_plots,
        "write_histogram",
        lambda writes, title: shown.append(writes) or write_histogram(writes, title),
    )
    spikes = (np.random.default_rng(1).random((1, 60, 30)) < 0.2).astype(np.uint8)
    learned = learn_from(compiled(devices=replace(DEVICES, write_bits=5)), LearningSamples(spikes))
    pictures = learning_section.drawn(learned)
    assert pictures["writes-i-n"].startswith(b"\x89PNG")
    assert shown[0].shape == (3, 30, 3) and 0 < shown[0].max() <= 31
    plain = learn_from(compiled(), LearningSamples(spikes))
    assert "writes-i-n" not in learning_section.drawn(plain)
