"""The homeostatic threshold of neuron models that have a state ``adaptation``."""

from dataclasses import dataclass

from spikelet.description.checks import check_int

__all__ = ["Adaptation"]


@dataclass(frozen=True)
class Adaptation:
    """Homeostatic threshold: rises on each spike of its neuron while learning is on, and decays.

    A neuron fires above ``threshold + (adaptation >> fraction_bits)``, at most ``v_max``. After
    each tick with learning on the adaptation becomes ``min(decayed + increment * fired, largest)``,
    with ``decayed = adaptation - ceil(adaptation / 2**decay_shift)``; with ``decay_shift`` 0 it
    does not decay. As in Diehl & Cook 2015 ("Unsupervised learning of digit recognition using
    spike-timing-dependent plasticity", equation 4 and text), in integers.

    Parameters
    ----------
    increment : int
        1..``2**bits - 1``.
    decay_shift : int
        0..24.
    fraction_bits : int
        0..16; bits of the adaptation below a potential LSB.
    bits : int
        2..24.

    Raises
    ------
    SpikeletError
        If a field is outside its range.
    """

    increment: int
    decay_shift: int = 0
    fraction_bits: int = 8
    bits: int = 24

    def __post_init__(self) -> None:
        check_int("adaptation: bits", self.bits, 2, 24)
        check_int("adaptation: increment", self.increment, 1, self.largest)
        check_int("adaptation: decay_shift", self.decay_shift, 0, 24)
        check_int("adaptation: fraction_bits", self.fraction_bits, 0, 16)

    @property
    def largest(self) -> int:
        """Largest value."""
        return (1 << self.bits) - 1

    @property
    def constants(self) -> dict[str, int]:
        """Values of the parameters of a neuron model that adapts, by name."""
        return {
            "adaptation_bits": self.bits,
            "adaptation_fraction": self.fraction_bits,
            "adaptation_increment": self.increment,
            "adaptation_shift": self.decay_shift,
        }
