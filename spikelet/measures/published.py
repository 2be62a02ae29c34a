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
        name="TrueNorth",
        source="Merolla et al., Science 345, 2014",
        process_nm=28,
        area_mm2=430.0,
        neurons=1 << 20,
        synapses=1 << 28,
        weight_bits="1, and 4 weights of 9 bits a neuron",
        pj_per_operation=26.0,
        speed="1 (ticks of 1 ms)",
        learns=False,
        assumes=(
            "A synapse is a crosspoint of a 256 × 256 crossbar; all power, leakage included, "
            "at 0.75 V, over the synaptic events of a network of 20 Hz and 128 active "
            "synapses a neuron"
        ),
    ),
    PublishedChip(
        name="Loihi",
        source="Davies et al., IEEE Micro 38, 2018",
        process_nm=14,
        area_mm2=60.0,
        neurons=1 << 17,
        synapses=128_000_000,
        weight_bits="1 to 9",
        pj_per_operation=23.6,
        speed="1 and more (asynchronous ticks)",
        learns=True,
        assumes=(
            "As many synapses only of 1 bit; the least energy of a synaptic operation at 0.75 "
            "V, of simulation, without neuron updates and spikes on their way, which are "
            "stated apart"
        ),
    ),
    PublishedChip(
        name="SpiNNaker",
        source="Painkras et al., JSSC 48, 2013; Sharp et al., J. Neurosci. Meth. 210, 2012",
        process_nm=130,
        area_mm2=102.0,
        neurons=16_000,
        synapses=16_000_000,
        weight_bits="16",
        pj_per_operation=43000.0,
        speed="1 (ticks of 1 ms)",
        learns=True,
        assumes=(
            "Software on 16 of 18 ARM968 cores, 1,000 neurons each and 1,000 synapses a "
            "neuron, which lie in an SDRAM beside the chip, whose area is not counted; "
            "measured on four chips with 10,000 neurons and 4 million synapses, where a "
            "neuron takes another 100 nJ a ms"
        ),
    ),
    PublishedChip(
        name="ODIN",
        source="Frenkel et al., IEEE TBioCAS 13, 2019",
        process_nm=28,
        area_mm2=0.086,
        neurons=256,
        synapses=1 << 16,
        weight_bits="4",
        pj_per_operation=12.7,
        speed="1 and more (set by the clock)",
        learns=True,
        assumes=(
            "Area of the core without pads; all power at 0.55 V over synaptic operations at "
            "the highest clock, 75 MHz; 3 bits of weight, and one that enables learning"
        ),
    ),
    PublishedChip(
        name="Tianjic",
        source="Pei et al., Nature 572, 2019; Deng et al., JSSC 55, 2020",
        process_nm=28,
        area_mm2=14.44,
        neurons=40_000,
        synapses=10_000_000,
        weight_bits="8",
        pj_per_operation=1.54,
        speed="1 and more (set by the clock)",
        learns=False,
        assumes=(
            "650 thousand million synaptic operations a second and watt, as a spiking "
            "network, at 0.85 V and 300 MHz; the peak of a dense network, at which every core "
            "is busy"
        ),
    ),
)
