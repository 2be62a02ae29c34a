"""A circuit as assignments and cells, and variants of it in one Verilog module."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

__all__ = ["OWN", "Circuit", "Configured", "Net", "variants_verilog", "verilog"]

_NEVER = "1'b0"

OWN = "%"
"""Stands behind the name of whatever a cell drives, so that it can be there twice."""


@dataclass(frozen=True)
class Net:
    """What a net is.

    Parameters
    ----------
    expression : str
        Verilog.
    needs : tuple of str
        Nets and inputs in it: those on which it depends without a clock.
    cell : str
        Whose output it is; empty if it is none.
    """

    expression: str
    needs: tuple[str, ...] = ()
    cell: str = ""


@dataclass
class Circuit:
    """A circuit.

    Parameters
    ----------
    nets : dict of str to Net
    cells : dict of str to str
        Verilog of each; names of what it drives end with :data:`OWN`.
    inputs, outputs : dict
        Ports: of an output, the nets of its bits, the lowest first; of an input, its width.
    bits : dict
        The configuration bits that take part, with what each belongs to.
    assumed : list of str
        What is taken to be so, in words.
    """

    nets: dict[str, Net] = field(default_factory=dict)
    cells: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, int] = field(default_factory=dict)
    outputs: dict[str, list[str]] = field(default_factory=dict)
    bits: dict[tuple[int, ...], str] = field(default_factory=dict)
    assumed: list[str] = field(default_factory=list)

    def loop(self) -> list[str]:
        """Return nets that depend on each other without a clock between; none if there are none."""
        graph = {name: net.needs for name, net in self.nets.items() if net.needs}
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            return list(error.args[1])
        return []


@dataclass(frozen=True)
class Configured:
    """The circuit of a configuration.

    Parameters
    ----------
    circuit : Circuit
    names : mapping of str to str
        Net of the circuit, by the name that place and route gave it.
    """

    circuit: Circuit
    names: Mapping[str, str]


def verilog(circuit: Circuit, top: str) -> str:
    """Return a Verilog module of a circuit."""
    return variants_verilog(circuit, (), top)


def variants_verilog(circuit: Circuit, variants: Sequence[Circuit], top: str) -> str:
    """Return a Verilog module that is a circuit, or one of its variants.

    Parameters
    ----------
    circuit : Circuit
    variants : sequence of Circuit
        With the same ports. If there are any, the module has an input ``variant``, 16 bits, which
        chooses: 0 is the circuit itself, 1 the first variant. What they share is there once. Its
        output ``touched`` is 1 while a net that the variant changes has another value than in the
        circuit itself.
    top : str
    """
    ports = [*circuit.inputs, *circuit.outputs]
    ports += ["variant", "touched"] if variants else []
    lines = [f"module {top}({', '.join(ports)});"]
    lines += [f"input {_range(width)}{name};" for name, width in circuit.inputs.items()]
    lines += [f"output {_range(len(nets))}{name};" for name, nets in circuit.outputs.items()]
    lines += ["input [15:0] variant;", "output touched;"] if variants else []
    chosen, cells = _merged(circuit, variants)
    lines += [f"wire {name};" for name in chosen]
    lines += cells
    for name, choices in chosen.items():
        text = choices[0]
        for number, other in choices.items():
            if number:
                text = f"variant == {number} ? {other} : {text}"
        lines.append(f"assign {name} = {text};")
    if variants:
        terms = [
            f"(variant == {number} & (({other}) != ({choices[0]})))"
            for choices in chosen.values()
            for number, other in choices.items()
            if number
        ]
        lines.append(f"assign touched = {' | '.join(terms) or _NEVER};")
    for name, bits in circuit.outputs.items():
        lines.append(f"assign {name} = {{{', '.join(reversed(bits))}}};")
    return "\n".join([*lines, "endmodule", ""])


def _range(width: int) -> str:
    return f"[{width - 1}:0] " if width > 1 else ""


def _merged(
    circuit: Circuit, variants: Sequence[Circuit]
) -> tuple[Mapping[str, dict[int, str]], list[str]]:
    """Return the expression of each net in each variant where it differs, and all cells."""
    chosen = {name: {0: _own(net, "")} for name, net in circuit.nets.items()}
    cells = [text.replace(OWN, "") for text in circuit.cells.values()]
    for number, variant in enumerate(variants, start=1):
        own = {name for name, text in variant.cells.items() if circuit.cells.get(name) != text}
        cells += [variant.cells[name].replace(OWN, f"_v{number}") for name in own]
        for name, net in variant.nets.items():
            text = _own(net, f"_v{number}" if net.cell in own else "")
            if chosen.setdefault(name, {0: _NEVER})[0] != text:
                chosen[name][number] = text
        for port, bits in variant.outputs.items():
            if bits != circuit.outputs[port]:
                raise ValueError(f"{port} is another port in a variant")
    return chosen, cells


def _own(net: Net, suffix: str) -> str:
    return net.expression.replace(OWN, suffix)
