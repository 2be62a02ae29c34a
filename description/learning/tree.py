"""The syntax tree of a learning rule. ``rule_text.py`` makes it from text."""

from dataclasses import dataclass

__all__ = ["Comparison", "Factor", "LinearFactor", "SumOfProducts", "Term"]


@dataclass(frozen=True)
class LinearFactor:
    """``constant`` plus the sum of ``sign * variable``; each variable at most once.

    Parameters
    ----------
    constant : int
    variables : tuple of (str, int)
        Name and sign, +1 or -1.
    """

    constant: int
    variables: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Comparison:
    """1 where ``variable`` compares so with ``value``, else 0.

    Parameters
    ----------
    variable : str
    operator : str
        ``"<"``, ``"<="``, ``">"``, ``">="``, ``"=="`` or ``"!="``.
    value : int
    """

    variable: str
    operator: str
    value: int

    def holds(self, value: int) -> bool:
        """Return whether the comparison is true of a value of the variable."""
        return {
            "<": value < self.value,
            "<=": value <= self.value,
            ">": value > self.value,
            ">=": value >= self.value,
            "==": value == self.value,
            "!=": value != self.value,
        }[self.operator]


Factor = LinearFactor | Comparison


@dataclass(frozen=True)
class Term:
    """``coefficient * 2**exponent`` times the factors, where all the triggers are 1.

    Parameters
    ----------
    coefficient : int
        With the term's sign; not 0.
    exponent : int
    factors : tuple of Factor
    triggers : tuple of str
        Of ``"x0"``, ``"y0"`` and one period ``"u0"`` to ``"u8"``, in this order.
    text : str
        As written, for messages.
    """

    coefficient: int
    exponent: int
    factors: tuple[Factor, ...]
    triggers: tuple[str, ...]
    text: str

    @property
    def phase(self) -> str:
        """``"post"`` with ``y0`` or ``e``, else ``"pre"`` with ``x0``, else ``"sweep"``."""
        if "y0" in self.triggers or "e" in self.variables:
            return "post"
        return "pre" if "x0" in self.triggers else "sweep"

    @property
    def variables(self) -> frozenset[str]:
        """Names of the variables in the factors."""
        names = set()
        for factor in self.factors:
            if isinstance(factor, Comparison):
                names.add(factor.variable)
            else:
                names.update(name for name, _ in factor.variables)
        return frozenset(names)

    @property
    def counts_by_error(self) -> bool:
        """Whether ``e`` decides where the term counts, and no post spike."""
        return self.phase == "post" and "y0" not in self.triggers

    @property
    def period(self) -> int | None:
        """``k`` of the trigger ``uk``: the term is evaluated every ``2**k`` ticks."""
        periods = [int(trigger[1:]) for trigger in self.triggers if trigger[0] == "u"]
        return periods[0] if periods else None


@dataclass(frozen=True)
class SumOfProducts:
    """A parsed rule.

    Parameters
    ----------
    target : str
        ``"dw"`` or ``"dt"``.
    terms : tuple of Term
    """

    target: str
    terms: tuple[Term, ...]

    @property
    def fraction_bits(self) -> int:
        """Bits behind the binary point in which the sum is exact."""
        return max(0, *(-term.exponent for term in self.terms))

    def in_phase(self, phase: str) -> tuple[Term, ...]:
        """Return the terms of one of :data:`PHASES`."""
        return tuple(term for term in self.terms if term.phase == phase)
