"""``spikelet tune``: what it prints compiles to what it says."""

import json
import shlex
from pathlib import Path

from click.testing import CliRunner

from spikelet.cli import main
from spikelet.project import Project
from spikelet.runs.run import run
from spikelet.samples.samples import load_samples

DIGITS = Path("examples/digits").resolve()
SAMPLES = f"{DIGITS / 'digits_test.npz'}:test_"


def invoke(*arguments: object) -> tuple[int, str]:
    """Run the command line; return exit code and everything it printed."""
    result = CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)
    return result.exit_code, result.output


def tuning(folder: Path, *options: object) -> tuple[int, str]:
    """Tune the digits network on few samples."""
    neuron = ("--neuron", "snntorch-subtract")
    few = ("--count", 40, "--trials", 4)
    return invoke("tune", DIGITS / "digits.nir", SAMPLES, "-o", folder, *neuron, *few, *options)


def test_the_command_that_is_printed_compiles_the_best_chip(tmp_path: Path) -> None:
    code, output = tuning(tmp_path, "--target", "lfe5u-25f", "--json", "--accuracy", "-5")
    assert code == 0, output
    fields = json.loads(output)
    assert Path(fields["picture"]).read_bytes().startswith(b"\x89PNG")
    assert fields["target"] == "LFE5U-25F" and fields["best"]["accuracy"] >= 0.9
    words = shlex.split(fields["command"])
    assert words[:2] == ["spikelet", "compile"] and "--target" in words
    code, output = invoke(*words[1:])
    assert code == 0, output
    compiled = Project(tmp_path).load()
    samples = load_samples(SAMPLES).first(40)
    score = samples.score(run(compiled, samples).output_counts())
    assert score.correct == fields["best"]["correct"]
    code, output = tuning(tmp_path, "--target", "LFE5U-25F", "--resume", "--accuracy", "-5")
    assert code == 0, output
    assert fields["command"] in " ".join(output.split()), "lower case is another name of the same"
    assert "best chip" in output


def test_without_a_folder_or_with_another_tuning_in_it(tmp_path: Path) -> None:
    code, output = invoke("tune", DIGITS / "digits.nir", SAMPLES)
    assert code == 1 and "there is none to work in" in output and "-o FOLDER" in output
    code, output = tuning(tmp_path, "--resume")
    assert code == 1 and "there is nothing to resume" in output
    code, output = tuning(tmp_path, "--accuracy", "1")
    assert code == 1 and "what may be lost is negative" in output
    code, output = tuning(tmp_path, "--trials", "0")
    assert code == 2 and "0 is not in the range x>=1" in output
    code, output = invoke("tune", "absent.nir", SAMPLES, "-o", tmp_path)
    assert code == 1 and "absent.nir" in output
