"""Five published neuromorphic chips, with the figures of their papers and what those assume."""

from dataclasses import dataclass

__all__ = ["PUBLISHED", "PublishedChip"]


@dataclass(frozen=True)
class PublishedChip:
    """A chip as its paper describes it.

    Parameters
    ----------
    name : str
    source : str
        Where the figures are from.
    process_nm : int
    area_mm2 : float
    neurons, synapses : int
        That the chip holds.
    weight_bits : str
        Of a synapse.
    pj_per_operation : float
        Energy of a synaptic operation, in pJ.
    speed : str
        Over biological time.
    learns : bool
        On the chip.
    assumes : str
        Under which its figures hold.
    """

    name: str
    source: str
    process_nm: int
    area_mm2: float
    neurons: int
    synapses: int
    weight_bits: str
    pj_per_operation: float
    speed: str
    learns: bool
    assumes: str

    @property
    def synapses_per_mm2(self) -> float:
        """Computing density."""
        return self.synapses / self.area_mm2


PUBLISHED = (
    PublishedChip(
        *("TrueNorth", "Merolla et al., Science 345, 2014", 28, 430.0, 1 << 20, 1 << 28),
        *("1, and 4 weights of 9 bits a neuron", 26.0, "1 (ticks of 1 ms)", False),
        "A synapse is a crosspoint of a 256 × 256 crossbar; all power, leakage included, at "
        "0.75 V, over the synaptic events of a network of 20 Hz and 128 active synapses a neuron",
    ),
    PublishedChip(
        *("Loihi", "Davies et al., IEEE Micro 38, 2018", 14, 60.0, 1 << 17, 128_000_000),
        *("1 to 9", 23.6, "1 and more (asynchronous ticks)", True),
        "As many synapses only of 1 bit; the least energy of a synaptic operation at 0.75 V, of "
        "simulation, without neuron updates and spikes on their way, which are stated apart",
    ),
    PublishedChip(
        *(
            "SpiNNaker",
            "Painkras et al., JSSC 48, 2013; Sharp et al., J. Neurosci. Meth. 210, 2012",
        ),
        *(130, 102.0, 16_000, 16_000_000, "16", 43_000.0, "1 (ticks of 1 ms)", True),
        "Software on 16 of 18 ARM968 cores, 1,000 neurons each and 1,000 synapses a neuron, which "
        "lie in an SDRAM beside the chip, whose area is not counted; measured on four chips with "
        "10,000 neurons and 4 million synapses, where a neuron takes another 100 nJ a ms",
    ),
    PublishedChip(
        *("ODIN", "Frenkel et al., IEEE TBioCAS 13, 2019", 28, 0.086, 256, 1 << 16, "4", 12.7),
        *("1 and more (set by the clock)", True),
        "Area of the core without pads; all power at 0.55 V over synaptic operations at the "
        "highest clock, 75 MHz; 3 bits of weight, and one that enables learning",
    ),
    PublishedChip(
        *("Tianjic", "Pei et al., Nature 572, 2019; Deng et al., JSSC 55, 2020", 28, 14.44),
        *(40_000, 10_000_000, "8", 1.54, "1 and more (set by the clock)", False),
        "650 thousand million synaptic operations a second and watt, as a spiking network, at "
        "0.85 V and 300 MHz; the peak of a dense network, at which every core is busy",
    ),
)
