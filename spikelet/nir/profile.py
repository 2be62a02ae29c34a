"""The execution profile of a NIR file: given, or found in its metadata, and held against it."""

from spikelet.description.chip.profile import PROFILES, ExecutionProfile, profile_named
from spikelet.description.errors import SpikeletError
from spikelet.nir.graph import NirGraph

__all__ = ["HOW_IT_RESETS", "profile_of"]

HOW_IT_RESETS = {"zero": "to 0", "subtract": "by subtracting the threshold", "value": "to v_reset"}
"""In words, by a profile's reset."""


def profile_of(graph: NirGraph, given: ExecutionProfile | str | None) -> ExecutionProfile:
    """Return how a tick of a file's network is computed.

    Parameters
    ----------
    graph : NirGraph
    given : ExecutionProfile or str or None
        By the user; None: what the metadata say, if ``simulator`` is snntorch.

    Raises
    ------
    SpikeletError
        If it is not known, contradicts the metadata, or is not of recurrent layers, where there are
        some.
    """
    profile = _profile(graph, given)
    _check_reset(graph, profile)
    _check_recurrent(graph, profile)
    return profile


def _reset_metadata(graph: NirGraph) -> tuple[str | None, bool | None]:
    """Return the file's reset mechanism and reset delay, None where it does not say."""
    mechanism = graph.metadata.get("reset_mechanism", graph.metadata.get("reset"))
    delay = graph.metadata.get("reset_delay")
    return None if mechanism is None else str(mechanism), None if delay is None else bool(delay)


def _profile(graph: NirGraph, profile: ExecutionProfile | str | None) -> ExecutionProfile:
    if isinstance(profile, ExecutionProfile):
        return profile
    if profile is not None:
        return profile_named(profile)
    if str(graph.metadata.get("simulator", "")).lower().startswith("snntorch"):
        for preset in PROFILES.values():
            wanted = (preset.reset, preset.reset_delay)
            if preset.name.startswith("snntorch") and wanted == _reset_metadata(graph):
                return preset
    raise SpikeletError(
        f"{graph.path}: how a tick is computed is not known: the file's metadata does not name "
        "simulator, reset_mechanism and reset_delay",
        remedy=f"pass --profile with one of {', '.join(PROFILES)}",
    )


def _check_reset(graph: NirGraph, profile: ExecutionProfile) -> None:
    mechanism, delay = _reset_metadata(graph)
    # reset to a value covers reset to zero: an exporter that says "zero" writes v_reset 0
    same = mechanism in (None, profile.reset) or (mechanism, profile.reset) == ("zero", "value")
    if not same:
        raise SpikeletError(
            f"{graph.path}: its metadata says reset {mechanism!r}, but profile {profile.name} "
            f"resets {HOW_IT_RESETS[profile.reset]}",
            remedy=f"choose the profile it was trained with: one of {', '.join(PROFILES)}",
        )
    if delay is not None and delay != profile.reset_delay:
        raise SpikeletError(
            f"{graph.path}: its metadata says reset_delay {delay}, but profile {profile.name} has "
            f"reset_delay {profile.reset_delay}",
            remedy=f"choose the profile it was trained with: one of {', '.join(PROFILES)}",
        )


def _check_recurrent(graph: NirGraph, profile: ExecutionProfile) -> None:
    if graph.ways_back and profile == PROFILES["snntorch-zero"]:
        raise graph.error(
            next(iter(graph.ways_back)),
            f"profile {profile.name} is that of snnTorch's Leaky; its recurrent layer RLeaky also "
            "drops the input of the tick in which it is reset",
            remedy="train it with reset_mechanism='subtract', or with reset_delay=False, and pass "
            "that profile",
        )
