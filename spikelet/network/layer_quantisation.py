"""What quantisation did to a layer, in numbers."""

from dataclasses import dataclass

import numpy as np

from spikelet.description.neurons.model import FRACTION_BITS
from spikelet.network.leaks import MOST_FRACTION_BITS, Leak
from spikelet.network.network import FloatArray

__all__ = ["LayerQuantisation"]


@dataclass(frozen=True)
class LayerQuantisation:
    """What quantisation did to a population.

    Parameters
    ----------
    name : str
    scale : float
        Float value of one weight unit in the neurons' units; one potential LSB is
        ``scale / 2**weight_exponent``.
    weight_exponent : int
    weights : int
        Weights of all projections into the population.
    clipped : int
        Of these, weights beyond the ends of the integer range.
    rms_error : float
        Root mean square of float minus integer weights, in float units.
    range_low, range_high : float
        Potentials expected, in LSBs.
    range_source : str
        ``"calibration"``: extremes of the float network on the calibration samples; ``"bound"``:
        the parameters that are membrane values, and one tick in which all excitatory, or all
        inhibitory, sources spike.
    available_low, available_high : int
        Potentials that can be held.
    nonzero : int
        Float weights that are not 0.
    vanished : int
        Of these, weights that became 0.
    units : tuple of float
        Of the neurons: the weights and membrane values of each were divided by its unit first.
        (1.0,) where all stayed as they were, else one for each. Everything above is behind that.
    leaks : tuple of Leak
        What became of each leak.
    weight_bits : int
        That were asked for; with 1, weights of exactly 0 make the layer take 2.
    neuron_scales : bool
        Whether each neuron was to have the scale that suits its weights.
    """

    name: str
    scale: float
    weight_exponent: int
    weights: int
    clipped: int
    rms_error: float
    range_low: float
    range_high: float
    range_source: str
    available_low: int
    available_high: int
    nonzero: int = 0
    vanished: int = 0
    units: tuple[float, ...] = (1.0,)
    leaks: tuple[Leak, ...] = ()
    weight_bits: int = 4
    neuron_scales: bool = False

    @property
    def weight_unit(self) -> FloatArray:
        """Value of one weight unit in the float network, shape (1,), or (size,): of each neuron."""
        return np.array([unit * self.scale for unit in self.units])

    @property
    def lsb(self) -> FloatArray:
        """Value of a potential LSB in the float network, shape (1,), or (size,): of each neuron."""
        lsb = self.scale / 2**self.weight_exponent
        return np.array([unit * lsb for unit in self.units])

    @property
    def decay_bits(self) -> int | None:
        """Bits of the fractions by which its states decay, as they can be asked for.

        None without leak, and where leaks have different bits.
        """
        found = {leak.bits for leak in self.leaks}
        (bits,) = found if len(found) == 1 else (None,)
        return bits if bits in range(FRACTION_BITS, MOST_FRACTION_BITS + 1) else None

    @property
    def clipped_fraction(self) -> float:
        """Clipped weights as a share of all."""
        return self.clipped / self.weights

    @property
    def range_used(self) -> float:
        """Expected potentials as a share of those available, on the tighter side."""
        return max(self.range_high / self.available_high, self.range_low / self.available_low)
