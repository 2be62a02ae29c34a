"""Which cores learn in a run."""

from collections.abc import Sequence

from spikelet.compiler.compiled import CompiledNetwork

__all__ = ["learning_cores"]


def learning_cores(compiled: CompiledNetwork, learning: bool | Sequence[str]) -> frozenset[int]:
    """Return the cores that learn; SpikeletError for a name of no population that does."""
    plastic = [p.name for p in compiled.network.populations if compiled.network.rule(p.name)]
    if isinstance(learning, bool):
        names: Sequence[str] = plastic if learning else ()
    else:
        names = [learning] if isinstance(learning, str) else learning
    for name in names:
        if name not in plastic:
            raise compiled.network.error(
                f"learning must be true, false, or names of populations that learn, not {name!r}",
                f"those that learn are {', '.join(plastic)}" if plastic else "give one a rule",
            )
    return frozenset(part.core for name in names for part in compiled.layer(name).slices)
