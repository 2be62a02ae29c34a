"""A toy design with memories of every width and multipliers, to compare RTL with netlists."""

from dataclasses import dataclass

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

__all__ = ["MEMORIES", "QUICK_MEMORIES", "MemorySpec", "SpramToy", "Toy"]


@dataclass(frozen=True)
class MemorySpec:
    """A memory of the toy.

    ``checked`` memories define what a read of the row being written returns (the old row, or the
    new one if ``transparent``); the others never read it. ``shared`` memories have one address.
    """

    width: int
    depth: int
    granularity: int | None = None
    checked: bool = False
    transparent: bool = False
    shared: bool = False
    comb: bool = False

    @property
    def name(self) -> str:
        kinds = ("checked", "transparent", "shared", "comb")
        marks = [kind for kind in kinds if getattr(self, kind)]
        return "_".join([f"m{self.width}x{self.depth}", *marks])


QUICK_MEMORIES = (
    MemorySpec(32, 256, 8),
    MemorySpec(17, 100),
    MemorySpec(36, 512, 9),
    MemorySpec(4, 1024),
    MemorySpec(12, 32),
)

MEMORIES = (
    *QUICK_MEMORIES,
    MemorySpec(32, 1024, 8),
    MemorySpec(17, 300),
    MemorySpec(4, 4096),
    MemorySpec(1, 16384),
    MemorySpec(2, 8192),
    MemorySpec(9, 2048),
    MemorySpec(18, 1024, 9),
    MemorySpec(13, 512, checked=True),
    MemorySpec(13, 512, checked=True, transparent=True),
    MemorySpec(16, 512, 8, shared=True, checked=True),
    MemorySpec(18, 1024, 9, shared=True, checked=True, transparent=True),
    MemorySpec(8, 16, comb=True),
)


class Toy(wiring.Component):
    """Memories that share their address, data and enable inputs, and a multiplier.

    ``initial`` fills the lower half of each memory from its specification.
    """

    def __init__(
        self, memories: tuple[MemorySpec, ...], factors: tuple[int, int] = (16, 13)
    ) -> None:
        self.memories = memories
        self.a_bits, self.b_bits = factors
        ports = {spec.name: Out(spec.width) for spec in memories}
        super().__init__(
            {
                "read_address": In(14),
                "write_address": In(14),
                "write_enable": In(4),
                "read_enable": In(1),
                "write_data": In(36),
                "a": In(signed(self.a_bits)),
                "b": In(signed(self.b_bits)),
                "product": Out(signed(self.a_bits + self.b_bits)),
                "unsigned_product": Out(18 + 18),
                **ports,
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for spec in self.memories:
            self._memory(m, spec)
        unsigned_a = Signal(18)
        m.d.sync += [
            unsigned_a.eq(self.write_data),
            self.product.eq(self.a * self.b),
            self.unsigned_product.eq(unsigned_a * self.write_data[18:]),
        ]
        return m

    def _memory(self, m: Module, spec: MemorySpec) -> None:
        attributes = {} if spec.checked else {"no_rw_check": 1}
        initial = [(row * 2654435761 >> 5) % (1 << spec.width) for row in range(spec.depth // 2)]
        memory = Memory(shape=spec.width, depth=spec.depth, init=initial, attrs=attributes)
        m.submodules[f"memory_{spec.name}"] = memory
        write = memory.write_port(granularity=spec.granularity)
        transparent_for = (write,) if spec.transparent else ()
        if spec.comb:
            read = memory.read_port(domain="comb")
        else:
            read = memory.read_port(transparent_for=transparent_for)
        read_address = self.write_address if spec.shared else self.read_address
        in_range = self.write_address[: len(write.addr)] < spec.depth
        m.d.comb += [
            write.addr.eq(self.write_address),
            write.data.eq(self.write_data),
            write.en.eq(Mux(in_range, self.write_enable, 0)),
            read.addr.eq(read_address),
            getattr(self, spec.name).eq(read.data),
        ]
        if not spec.comb:
            collides = write.en.any() & (write.addr == read.addr) & (not spec.checked)
            in_range = read.addr < spec.depth
            m.d.comb += read.en.eq(self.read_enable & in_range & ~collides)


class SpramToy(wiring.Component):
    """Two banks that ask for SPRAM; data is 0 unless the last cycle read.

    With ``one_address`` false, reading and writing use two addresses, which SPRAM does not have.
    """

    def __init__(self, depth: int, *, one_address: bool = True) -> None:
        self.depth = depth
        self.one_address = one_address
        super().__init__(
            {
                "address": In(range(depth)),
                "write_enable": In(2),
                "read_enable": In(1),
                "write_data": In(32),
                "read_data": Out(64),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for bank in range(2):
            memory = Memory(shape=32, depth=self.depth, init=[], attrs={"ram_style": "huge"})
            m.submodules[f"bank_{bank}"] = memory
            write, read = memory.write_port(), memory.read_port()
            fresh = Signal(name=f"fresh_{bank}")
            m.d.sync += fresh.eq(read.en)
            m.d.comb += [
                write.addr.eq(self.address),
                write.data.eq(self.write_data),
                write.en.eq(self.write_enable[bank]),
                read.addr.eq(self.address if self.one_address else ~self.address),
                read.en.eq(self.read_enable & ~write.en),
                self.read_data.word_select(bank, 32).eq(Mux(fresh, read.data, 0)),
            ]
        return m
