"""The barrier's wires: a signal to all places at once, and from all places as of one cycle.

No twin in golden, where a tick has no duration. Long wires and wide gates would set the clock of a
large chip, so both ways pass registers in a tree; every place is as many registers away as any
other. What arrives is then the state of the whole chip in one and the same cycle, and nothing that
moves from place to place can be overlooked.
"""

from amaranth import Cat, Module, Signal, Value

from spikelet.description.chip.params import BARRIER_FAN

__all__ = ["all_of", "sum_of", "to_all"]


def all_of(m: Module, bits: Value, latency: int, *, name: str) -> Value:
    """Return whether all bits were 1, ``latency`` cycles ago."""
    for level in range(latency):
        groups = Signal(-(-len(bits) // BARRIER_FAN), name=f"{name}_{level}")
        m.d.sync += groups.eq(
            Cat(bits[i : i + BARRIER_FAN].all() for i in range(0, len(bits), BARRIER_FAN))
        )
        bits = groups
    return bits.all()


def sum_of(m: Module, bits: Value, *, name: str) -> Value:
    """Return how many bits were 1, some cycles ago."""
    values = list(bits)
    level = 0
    while len(values) > 1:
        together = []
        for i in range(0, len(values), BARRIER_FAN):
            total = sum(values[i + 1 : i + BARRIER_FAN], values[i])
            register = Signal(total.shape(), name=f"{name}_{level}_{i // BARRIER_FAN}")
            m.d.sync += register.eq(total)
            together.append(register)
        values = together
        level += 1
    return values[0]


def to_all(m: Module, bit: Value, places: int, latency: int, *, name: str) -> list[Value]:
    """Return ``bit`` as it was ``latency`` cycles ago, for each place.

    Copies have the attribute ``keep``, without which synthesis makes one register of them.
    """
    stage = [bit]
    for level in range(latency):
        count = -(-places // BARRIER_FAN ** (latency - 1 - level))
        copies = [Signal(name=f"{name}_{level}_{i}", attrs={"keep": 1}) for i in range(count)]
        for number, copy in enumerate(copies):
            m.d.sync += copy.eq(stage[number * len(stage) // count])
        stage = copies
    return [stage[number * len(stage) // places] for number in range(places)]
