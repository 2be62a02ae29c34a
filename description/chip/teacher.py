"""What the teacher of a core's neurons, and their error, need of the core."""

from spikelet.description.errors import SpikeletError
from spikelet.description.learning.rule import LearningRule
from spikelet.description.neurons.chance import gives_chance
from spikelet.description.neurons.model import NeuronModel
from spikelet.description.neurons.update import NeuronUpdate

__all__ = ["check_teacher", "error_bits"]


def check_teacher(
    model: NeuronModel,
    update: NeuronUpdate,
    rule: LearningRule | None,
    teacher_axons: int,
    beside: str,
) -> None:
    """Raise SpikeletError if a core reads errors or teachers that it has not, or the other way.

    Parameters
    ----------
    model : NeuronModel
        Of the core.
    update : NeuronUpdate
        What the core computes of it.
    rule : LearningRule or None
    teacher_axons : int
    beside : str
        What the core has besides that cannot be where teachers are, in words; "": nothing.
    """
    if teacher_axons and beside:
        raise SpikeletError(
            f"core: {teacher_axons} axons are those of teachers, and it has {beside}",
            remedy="use teachers, or that, in a core, not both",
        )
    taught = "teacher" in update.inputs
    if teacher_axons and not (rule and taught):
        why = f"{model.name!r} reads no teacher" if rule else "there is no learning rule"
        raise SpikeletError(
            f"core: {teacher_axons} axons are those of teachers, but {why}",
            remedy="give the neurons an error (ErrorParams), and the core a rule that reads e",
        )
    if not rule or not rule.reads_error:
        return
    if rule.reads_chance and not gives_chance(model, rule.error_bits):
        raise SpikeletError(
            f"core: rule {rule.name} reads p in {rule.error_bits} bits, which neurons of "
            f"{model.name!r} do not give",
            remedy=f"make the model with_chance(model, {rule.error_bits})",
        )
    if "e" not in update.results or model.state("e").kind in ("flag", "count"):
        raise SpikeletError(
            f"core: rule {rule.name} reads e, but neurons of {model.name!r} have no such state",
            remedy="give them an error (ErrorParams), or a model with a signed state e",
        )
    if model.reads("teacher") and not teacher_axons:
        raise SpikeletError(
            f"core: rule {rule.name} reads e, the error by a teacher, but there is no teacher",
            remedy="let a projection into the neurons be a teacher's",
        )
    (low, high), half = update.ranges["e"], 1 << (rule.error_bits - 1)
    if low < -half or high >= half:
        raise SpikeletError(
            f"core: rule {rule.name} reads e in {rule.error_bits} bits, which hold "
            f"{-half}..{half - 1}; in {model.name!r} it is {low}..{high}",
            remedy="make error_bits of the rule larger, or the range of e narrower",
        )


def error_bits(rule: LearningRule | None) -> int:
    """Return the width of the error that a core's rule reads; 0: it reads none."""
    return rule.error_bits if rule and rule.reads_error else 0
