"""The correctness-independent figures of NeuroBench's algorithm track.

Defined as in Yik et al., *The neurobench framework for benchmarking neuromorphic computing
algorithms and systems*, Nature Communications 2025; computed from the integer network.
"""

from spikelet.description.checks import bits_of
from spikelet.measures.measure import Figure, Measure
from spikelet.measures.subject import Subject

__all__ = ["MEASURES"]

_SOURCE = "NeuroBench (Yik et al. 2025), algorithm track"
_RUN = "a run with spikes (`spikelet verify`)"


def _footprint(subject: Subject) -> list[Figure]:
    """Bits of weights, parameters and states of the neurons in use, as the cores hold them."""
    bits = 0
    compiled = subject.compiled
    for core, used in zip(compiled.chip.cores, compiled.neurons, strict=True):
        bits += used * sum(core.state_bits.values())
        for name, ends in core.parameter_ranges.items():
            bits += bits_of(*ends) * (used if core.scope(name) == "neuron" else 1)
    for projection in compiled.network.projections:
        width = compiled.core(projection.target).weight_bits
        shape = projection.convolution
        kernel = shape.n_taps * shape.out_channels if shape else None
        bits += width * (kernel or subject.synapses_of(projection))
    return [Figure(bits / 8)]


def _connection_sparsity(subject: Subject) -> list[Figure]:
    if not subject.synapses:
        return []
    return [Figure(1 - subject.synapses_with_weight / subject.synapses)]


def _activation_sparsity(subject: Subject) -> list[Figure]:
    if subject.spikes is None or not subject.ticks:
        return []
    spikes = sum(float(subject.spikes[layer.name].sum()) for layer in subject.compiled.layers)
    return [Figure(1 - spikes / (subject.spiking_neurons * subject.ticks))]


def _effective(subject: Subject) -> list[Figure]:
    if subject.effective_additions is None:
        return []
    graded = subject.compiled.network.input_levels > 1
    note = "graded spikes add as often as they count" if graded else ""
    return [Figure(subject.effective_additions, "", note)]


def _dense(subject: Subject) -> list[Figure]:
    return [] if subject.ticks is None else [Figure(subject.synapses * subject.ticks)]


MEASURES = (
    Measure(
        "footprint",
        "Footprint",
        "bytes",
        "Weights, of a convolution its kernel once, parameters that are loaded, and states of the "
        "neurons in use, in the bits that the cores give them, / 8",
        _SOURCE,
        "nothing",
        _footprint,
    ),
    Measure(
        "connection_sparsity",
        "Connection sparsity",
        "",
        "Synapses of weight 0 / synapses; of plastic projections none counts as 0",
        _SOURCE,
        "a projection",
        _connection_sparsity,
    ),
    Measure(
        "activation_sparsity",
        "Activation sparsity",
        "",
        "1 - spikes of all neurons / (neurons × ticks), over all samples; inputs are not neurons",
        _SOURCE,
        _RUN,
        _activation_sparsity,
    ),
    Measure(
        "effective_acs",
        "Effective accumulates (ACs)",
        "",
        "Synaptic operations of a sample at synapses whose weight is not 0; there are no effective "
        "MACs, since spikes are not multiplied",
        _SOURCE,
        _RUN,
        _effective,
    ),
    Measure(
        "dense_operations",
        "Dense synaptic operations",
        "",
        "Synapses × ticks: the operations of a sample if every source spiked in every tick",
        _SOURCE,
        _RUN,
        _dense,
    ),
)
