"""The demo: all stages on a network that comes with Spikelet."""

from importlib.resources import files
from pathlib import Path

from spikelet.boards import board_named
from spikelet.compiler.compile import compile_network
from spikelet.fpga.families import device_named
from spikelet.network.limits import PlacementLimits
from spikelet.project import Project
from spikelet.results import (
    build_fields,
    compiled_fields,
    show_build,
    show_compiled,
    show_verification,
)
from spikelet.runs.recorded import compare_recorded
from spikelet.samples.samples import load_samples
from spikelet.terminal import Terminal

__all__ = ["demonstrate"]

_BOARDS = ("ULX3S-85F", "iCEBreaker")
_NETLISTS = tuple(
    f"netlist-{device_named(board_named(name).device).family.name}" for name in _BOARDS
)


def demonstrate(
    terminal: Terminal, project: Project, *, netlists: bool, topology: str, placement_seed: int
) -> bool:
    """Compile, verify, build and report; return whether all engines are equal.

    ``netlists`` says whether they are simulated too; the rest is as for :func:`compile_network`.
    """
    example = Path(str(files("spikelet.examples.digits")))
    test = load_samples(example / "digits_test.npz", "test_")
    calibration = load_samples(example / "digits_test.npz", "calibration_")

    terminal.say("1 of 4: compile digits.nir, 64-64-10, trained with snnTorch")
    compiled = compile_network(
        example / "digits.nir",
        "snntorch-subtract",
        limits=PlacementLimits(lanes=8, weight_memory="spram", fifo_depth=2),
        calibration=calibration.spikes,
        topology=topology,
        placement_seed=placement_seed,
    )
    project.save(compiled, network=example / "digits.nir", calibration=calibration)
    recorded = compare_recorded(compiled.network.floats, calibration)
    show_compiled(terminal, compiled, recorded)

    terminal.say("2 of 4: verify golden, RTL and netlists")
    with terminal.progress() as progress:
        engines = ("rtl", *_NETLISTS) if netlists else ("rtl",)
        result = project.verify(test, engines, progress=progress)
    show_verification(terminal, result)

    terminal.say("3 of 4: build bitstreams (the tools compile themselves at their first call)")
    builds = {}
    for target in _BOARDS:
        built = project.build(target, test, progress=terminal.say)
        show_build(terminal, target, built, project.build_folder(target))
        builds[target] = build_fields(built, project.build_folder(target))

    terminal.say("4 of 4: report")
    page, old = project.report()
    terminal.out_of_date(old)
    terminal.say(f"report: {page}")
    terminal.result(
        {
            **compiled_fields(compiled, project.folder, recorded),
            "verification": result.to_dict(),
            "builds": builds,
            "report": str(page),
        }
    )
    return result.equal
