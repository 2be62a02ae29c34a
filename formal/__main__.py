"""Run proofs and print what was proved: ``python -m spikelet.formal [NAME ...]``."""

import argparse
import sys
import tempfile
from pathlib import Path

from spikelet.description.errors import SpikeletError
from spikelet.description.installation import not_installed

try:
    from spikelet.formal.proofs import PROOFS, QUICK
    from spikelet.formal.prover import Proof, prove
except ModuleNotFoundError as error:
    sys.exit(f"error: {not_installed(error.name or '', 'python -m spikelet.formal', 'formal')}")


def main(arguments: list[str] | None = None) -> int:
    """Run the proofs that are asked for; return 1 if one does not hold."""
    parser = argparse.ArgumentParser(prog="python -m spikelet.formal", description=__doc__)
    parser.add_argument("names", nargs="*", help="proofs whose names contain one of these")
    parser.add_argument("--quick", action="store_true", help="one proof of each kind, in seconds")
    parser.add_argument(
        "--cover",
        action="store_true",
        help="show instead that what is assumed lets the interesting cases happen",
    )
    parser.add_argument("--limit", type=int, default=1200, help="seconds for each proof")
    parser.add_argument("--folder", type=Path, help="keep the files of the tools here")
    parser.add_argument("--list", action="store_true", help="only list the proofs")
    options = parser.parse_args(arguments)
    chosen = _chosen(options.names, quick=options.quick)
    if options.list:
        for proof in chosen:
            print(f"{proof.name:58} {proof.claim}")
        return 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        failed = 0
        for proof in chosen:
            result = prove(proof, folder / proof.name, cover=options.cover, limit=options.limit)
            how = "for ever" if proof.cycles is None else f"{proof.cycles} cycles"
            how = f"{proof.cover} cycles" if options.cover else how
            print(f"{proof.name:58} {result.status:7} {how:9} {result.seconds:6.1f} s", flush=True)
            failed += not result.holds
    print(f"{len(chosen) - failed} of {len(chosen)} hold")
    return 1 if failed else 0


def _chosen(names: list[str], *, quick: bool) -> list[Proof]:
    """Return the proofs whose names contain one of ``names``; all, without names."""
    for name in names:
        if not any(name in proof.name for proof in PROOFS):
            raise SpikeletError(
                f"there is no proof with {name!r} in its name",
                remedy="see python -m spikelet.formal --list",
            )
    proofs = QUICK if quick else PROOFS
    return [p for p in proofs if not names or any(name in p.name for name in names)]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except SpikeletError as error:
        sys.exit(f"error: {error}")
