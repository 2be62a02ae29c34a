"""What projections that learn, or teach, need of each other and of their population."""

from collections.abc import Sequence

from spikelet.description.errors import SpikeletError
from spikelet.description.learning.devices import Devices
from spikelet.description.learning.rule import LearningRule
from spikelet.description.learning.short_term import ShortTermPlasticity
from spikelet.description.learning.two_rules import both_rules
from spikelet.description.learning.variability import Variability
from spikelet.description.neurons.model import NeuronModel
from spikelet.network.integer_layers import IntegerProjection

__all__ = ["check_rule", "check_short_term", "check_taught", "check_teacher", "rule_of_devices"]


def check_rule(
    what: str, rule: LearningRule, connectivity: str, others: Sequence[IntegerProjection]
) -> None:
    """Raise SpikeletError unless a projection can learn by a rule, beside the others."""
    if not isinstance(rule, LearningRule):
        raise SpikeletError(f"{what}: rule must be a LearningRule, not {rule!r}")
    if connectivity != "all_to_all":
        raise SpikeletError(
            f"{what}: a rule would change the synapses that {connectivity} leaves out",
            remedy="make a plastic projection all_to_all, or leave its rule out",
        )
    rules = [other.rule for other in others if other.rule]
    try:
        both_rules(list(dict.fromkeys((*rules, rule))))
    except SpikeletError as error:
        raise SpikeletError(f"{what}: {error.args[0]}", remedy=error.remedy) from None


def check_short_term(
    what: str, given: ShortTermPlasticity, others: Sequence[IntegerProjection]
) -> None:
    """Raise SpikeletError unless the others have the same short-term plasticity, or none."""
    if not isinstance(given, ShortTermPlasticity):
        raise SpikeletError(f"{what}: short_term must be a ShortTermPlasticity, not {given!r}")
    for other in others:
        if other.short_term not in (None, given):
            raise SpikeletError(
                f"{what}: a core has one short-term plasticity; this is {given}, that of "
                f"{other.title} is {other.short_term}",
                remedy="use one for both, or leave it out of one",
            )


def rule_of_devices(
    what: str, rule: LearningRule | None, devices: Devices, variability: Variability | None
) -> LearningRule:
    """Return the rule for devices that can be as the variability says."""
    if not isinstance(devices, Devices):
        raise SpikeletError(f"{what}: devices must be Devices, not {devices!r}")
    if not isinstance(rule, LearningRule):
        raise SpikeletError(f"{what}: devices need a rule, which gives them pulses")
    if variability is None:
        return rule.with_devices(devices)
    if not isinstance(variability, Variability):
        raise SpikeletError(f"{what}: variability must be a Variability, not {variability!r}")
    return rule.with_devices(variability.built(devices))


def check_teacher(
    what: str,
    rule: LearningRule | None,
    target: str,
    model: NeuronModel,
    short_term: ShortTermPlasticity | None = None,
) -> None:
    """Raise SpikeletError unless a projection can teach neurons of a model."""
    if short_term is not None:
        raise SpikeletError(
            f"{what}: a teacher has no short-term plasticity",
            remedy="leave short_term out, and give it to other projections",
        )
    if rule is not None:
        raise SpikeletError(
            f"{what}: a teacher is not plastic, but has the rule {rule.name}",
            remedy="leave its rule out, and give it to the projections that are to learn",
        )
    if not model.reads("teacher"):
        raise SpikeletError(
            f"{what}: neurons of {model.name!r} have no error that a teacher could load",
            remedy=f"give population {target!r} an error (ErrorParams)",
        )


def check_taught(what: str, into: Sequence[IntegerProjection], model: NeuronModel) -> None:
    """Raise SpikeletError unless teachers and rules that read errors come together.

    ``into`` are all projections into the population.
    """
    reading = [p.rule for p in into if p.rule and p.rule.reads_error and not p.rule.reads_chance]
    taught = any(p.teacher for p in into)
    if reading and not taught and ("e" not in model.state_names or model.reads("teacher")):
        raise SpikeletError(
            f"{what}: rule {reading[0].name} reads e, the error by a teacher, but there is no "
            "teacher",
            remedy="project() to it with teacher=True, and give it an error (ErrorParams)",
        )
    if taught and not reading:
        raise SpikeletError(
            f"{what} has a teacher, but no rule that reads e",
            remedy="give a projection into it a rule with e, or leave the teacher out",
        )
