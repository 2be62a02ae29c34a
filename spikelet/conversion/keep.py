"""What a conversion leaves in a project folder."""

import json
from pathlib import Path

from spikelet.conversion.convert import Conversion
from spikelet.description.artefact import Artefact, digests_of_files
from spikelet.description.versions import package_versions
from spikelet.locked import writing
from spikelet.reports.conversion_plot import conversion_picture

__all__ = ["PICTURE", "keep"]

PICTURE = "accuracy.png"


def keep(conversion: Conversion, folder: Path, model: Path, samples: Path, command: str) -> Path:
    """Keep a conversion in ``conversion/`` of a folder; return the path of the NIR file there.

    Parameters
    ----------
    conversion : Conversion
    folder : Path
    model, samples : Path
        The files that it was made of, for the record.
    command : str

    Raises
    ------
    SpikeletError
        If the folder cannot be written.
    """
    inputs, sources = digests_of_files({"ONNX file": model, "samples file": samples})
    made = Artefact(
        "conversion",
        inputs,
        tools=package_versions("spikelet", "numpy", "scipy", "onnx"),
        command=command,
        sources=sources,
    )
    place, name = folder / "conversion", f"{conversion.network.name}.nir"
    picture = conversion_picture(
        conversion.accuracies, conversion.agreements, conversion.relu_accuracy
    )
    fields = json.dumps(conversion.to_dict(), indent=1) + "\n"
    with writing(folder):
        made.write(
            place,
            {name: conversion.nir, PICTURE: picture, "conversion.json": fields.encode()},
        )
    return place / name
