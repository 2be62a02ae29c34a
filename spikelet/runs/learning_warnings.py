"""What should worry the user in what a network has learned."""

from collections.abc import Iterator

from spikelet.runs.learn import LearningRun

__all__ = ["learning_warnings"]

_STUCK = 0.9
"""Share of a projection's weights at one bound from which it is said."""

_TAKES_ALL = 0.9
"""Share of a population's spikes from which one neuron is said to take them."""


def learning_warnings(run: LearningRun) -> list[str]:
    """Return what looks wrong, each with numbers and a remedy."""
    return [*_activity(run), *_weights(run)]


def _activity(run: LearningRun) -> Iterator[str]:
    for population in run.compiled.network.populations:
        name = f"population {population.name!r}"
        if population.name not in run.compiled.network.outputs:
            if not run.shown.spikes(population.name).any():
                yield f"{name} never spiked in the first sample: check its threshold and weights"
            continue
        spikes = run.output_counts(population.name).sum(axis=0)
        total, silent = int(spikes.sum()), int((spikes == 0).sum())
        if not total:
            yield (
                f"{name} never spiked, so nothing was learned from its spikes: lower its "
                "threshold, or raise its weights or the input's rates"
            )
            continue
        if len(spikes) > 1 and spikes.max() > _TAKES_ALL * total:
            yield (
                f"{name}: neuron {spikes.argmax()} has {spikes.max():,} of all {total:,} spikes: "
                "raise the adaptation, or lower the inhibition"
            )
        if silent > len(spikes) / 2:
            yield (
                f"{name}: {silent:,} of {len(spikes):,} neurons never spiked: lower the threshold, "
                "or show more samples"
            )


def _weights(run: LearningRun) -> Iterator[str]:
    changed = 0
    for projection in run.plastic_projections:
        rule = projection.rule
        assert rule is not None
        before, after = run.weights(projection.source, projection.target)
        changed += int((before != after).sum())
        for words, bound in (("upper", rule.w_max), ("lower", rule.w_min)):
            at, was = (int((w == bound).sum()) for w in (after, before))
            if at > _STUCK * after.size and at > was:
                yield (
                    f"{projection.source} to {projection.target}: {at:,} of {after.size:,} weights "
                    f"are at their {words} bound, {bound}: balance the rule's terms, or make its "
                    "steps smaller"
                )
    if run.learning and run.plastic_projections and not changed:
        yield (
            "learning was on, and no plastic weight changed: check that pre- and postsynaptic "
            "neurons spike, and that the rule's steps do not round to 0"
        )
