"""Memory of a field of every synapse: weights, or tags. No twin in golden: it is an array there."""

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.memory_map import Region
from spikelet.description.lanes import rows_in_word
from spikelet.rtl_gen.banked_memory import BankedMemory
from spikelet.rtl_gen.layouts import CONFIG_LATENCY, RegionPort, delayed

__all__ = ["SynapseMemory"]


class SynapseMemory(wiring.Component):
    """A row holds a field of as many synapses as there are lanes; the format numbers the rows.

    Where there are more rows than a block RAM is deep, several share a word: see
    :func:`~spikelet.description.lanes.rows_in_word`.

    No bench of its own: ``sim/bench_crossbar.py`` reads and writes it as the crossbar's.

    Timing: a row a cycle. ``row_data`` holds the row :attr:`latency` cycles after ``read``, until
    the next. What ``write`` gives is in the memory two cycles later. In ``spram``, ``read`` and
    ``write`` never come in the same cycle, since both go through one address register.
    Reset: does not clear the contents.

    Parameters
    ----------
    core : CoreParams
    region : Region
        Of the field in the memory map.
    bits : int
        Width of the field.
    writable : bool
        Whether the core itself writes; else only the configuration port does.
    rows : int or None
        None: as many as the core's weights have.
    kind : str or None
        As for :class:`BankedMemory`; None: as the core's weights.

    Members
    -------
    read : ``In(1)``
    read_row : ``In(range(rows))``
    row_data : ``Out(lanes * bits)``
    write : ``In(1)``
    write_row : ``In(range(rows))``
    write_data : ``In(lanes * bits)``
        Only if ``writable``.
    config : ``In(RegionPort(...))``
        While nothing is read or written.
    """

    latency = 3

    def __init__(
        self,
        core: CoreParams,
        region: Region,
        *,
        bits: int,
        writable: bool,
        rows: int | None = None,
        kind: str | None = None,
    ) -> None:
        self.core = core
        self.bits = bits
        self.rows = rows or core.weight_rows
        self.kind = kind or core.weight_memory
        self.writable = writable
        self.shared = rows_in_word(self.rows)
        members = {
            "read": In(1),
            "read_row": In(range(self.rows)),
            "row_data": Out(core.lanes * bits),
            "config": In(RegionPort((region.span - 1).bit_length(), region.bits)),
        }
        if writable:
            members |= {
                "write": In(1),
                "write_row": In(range(self.rows)),
                "write_data": In(core.lanes * bits),
            }
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        core, config = self.core, self.config
        row_bits = core.lanes * self.bits
        banks = -(-row_bits // 32)
        bank_address_bits = (banks - 1).bit_length()
        m.submodules.memory = memory = BankedMemory(
            depth=-(-self.rows // self.shared),
            banks=banks * self.shared,
            bank_bits=len(config.data),
            kind=self.kind,
        )
        configured = config.read | config.write
        config_row = config.offset[bank_address_bits:]
        row = Signal(range(self.rows))
        enable = Signal()
        write_row = Signal(range(self.rows))
        write_data = Signal(banks * len(config.data))
        write_banks = Signal(banks)
        next_row = Mux(configured, config_row, self.read_row)
        next_data = config.data.replicate(banks)
        next_banks = Signal(banks)
        m.d.comb += next_banks.eq(config.write << config.offset[:bank_address_bits])
        one_port = self.kind == "spram"
        if self.writable:
            if one_port:
                next_row = Mux(self.write, self.write_row, next_row)
            next_data = Mux(self.write, self.write_data, next_data)
            m.d.sync += write_banks.eq(next_banks | self.write.replicate(banks))
            m.d.sync += write_row.eq(Mux(config.write, config_row, self.write_row))
        else:
            one_port = True
            m.d.sync += write_banks.eq(next_banks)
        m.d.sync += [
            row.eq(next_row),
            enable.eq(self.read | config.read),
            write_data.eq(next_data),
        ]
        written = row if one_port else write_row
        share_bits = self.shared.bit_length() - 1
        m.d.comb += [
            memory.read_row.eq(row[share_bits:]),
            memory.read_enable.eq(enable),
            memory.write_row.eq(written[share_bits:]),
            memory.write_data.eq(write_data.replicate(self.shared)),
            memory.write_banks.eq(
                Cat(
                    write_banks & (written[:share_bits] == share).replicate(banks)
                    for share in range(self.shared)
                )
                if share_bits
                else write_banks
            ),
        ]
        if share_bits:
            self._choose(m, memory.read_data, enable, row[:share_bits])
        else:
            m.d.sync += self.row_data.eq(memory.read_data)
        bank = delayed(m, config.offset[:bank_address_bits], CONFIG_LATENCY - 1, name="bank")
        m.d.sync += config.read_data.eq(self.row_data.word_select(bank, len(config.data)))
        return m

    def _choose(self, m: Module, read: Value, enable: Signal, share: Value) -> None:
        """Build what chooses a row from its word, behind the word's registers."""
        word = Signal(len(read))
        fetched, chosen = Signal(len(share)), Signal(len(share))
        with m.If(enable):
            m.d.sync += fetched.eq(share)
        m.d.sync += [word.eq(read), chosen.eq(fetched)]
        m.d.comb += self.row_data.eq(word.word_select(chosen, len(word) // self.shared))
