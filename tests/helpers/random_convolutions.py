"""Random convolutions, and cores that hold them, for differential tests."""

import numpy as np

from spikelet.description.chip.core import CoreParams
from spikelet.description.neurons.models import neuron_model
from spikelet.description.synapses.convolution import ConvolutionShape

__all__ = ["convolution_core", "random_convolution", "random_kernel"]


def random_convolution(rng: np.random.Generator) -> ConvolutionShape:
    """Return a small convolution, or a part of one, of any geometry."""

    def axis() -> tuple[int, int, int, int, int, int]:
        size, kernel = int(rng.integers(1, 9)), int(rng.integers(1, 6))
        stride, dilation = int(rng.integers(1, 4)), int(rng.integers(1, 4))
        padding = int(rng.integers(0, (kernel - 1) * dilation + 1))
        most = (size - 1 + padding) // stride + 1
        return size, kernel, stride, dilation, padding, int(rng.integers(1, most + 1))

    y, x = axis(), axis()
    channels, out_channels = int(rng.integers(1, 6)), int(rng.integers(1, 13))
    if rng.random() < 0.1:  # rows of whole words: a power of two would be too many
        y, x = (80, 2, 3, 1, 1, 27), (35, 3, 5, 2, 4, 2)
        channels, out_channels = 1, 2
    return ConvolutionShape(
        *(y[0], x[0], channels),
        *(y[5], x[5], out_channels),
        *(y[1], x[1]),
        *(y[2], x[2], y[3], x[3], y[4], x[4]),
    )


def convolution_core(
    rng: np.random.Generator, convolution: ConvolutionShape, synapses: str = "shared"
) -> CoreParams:
    """Return a core with any lanes, pipelines and widths that hold a convolution."""
    lanes = 1 << int(rng.integers(0, 5))
    most = min(lanes, convolution.out_channels & -convolution.out_channels)  # of the pipelines
    return CoreParams(
        convolution.n_axons,
        convolution.n_neurons,
        neuron_model("snntorch-subtract"),
        weight_bits=int(rng.integers(2, 9)),
        weight_format=str(rng.choice(["signed", "unsigned"])),
        lanes=lanes,
        pipelines=1 << int(rng.integers(0, most.bit_length())),
        weight_memory=str(rng.choice(["block", "spram"])),
        synapses=synapses,
        synapse_options=convolution.options(),
        spike_bits=1 if synapses == "gather" else int(rng.spawn(1)[0].choice([1, 1, 2, 4, 7])),
    )


def random_kernel(rng: np.random.Generator, core: CoreParams) -> np.ndarray:
    """Return weights of a core that shares them; the ends of the range are among them."""
    shape = ConvolutionShape.of(core.synapse_options).kernel_shape
    kernel = rng.integers(core.weight_min, core.weight_max + 1, shape).astype(np.int16)
    kernel[..., 0], kernel[..., -1] = core.weight_max, core.weight_min
    return kernel
