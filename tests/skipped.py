"""Counts skipped tests: ``python -m tests.skipped FILE...``, of JUnit XML; 1 if there are any.

Those that were out of time (pytest's ``--begin-until``, conftest.py) are named and no error.
"""

import sys
from pathlib import Path
from xml.etree import ElementTree

__all__ = ["OUT_OF_TIME", "main"]

OUT_OF_TIME = "out of time"


def main(files: list[str]) -> int:
    """Print how many tests ran and how many were skipped, and why; return 1 if any was, or none."""
    ran, skipped, late = 0, [], 0
    for file in map(Path, files):
        for case in ElementTree.parse(file).getroot().iter("testcase"):
            reason = case.find("skipped")
            ran += reason is None
            if reason is not None:
                line = f"{case.get('classname')}.{case.get('name')}: {reason.get('message')}"
                print(f"skipped: {line}")
                if reason.get("message") == OUT_OF_TIME:
                    late += 1
                else:
                    skipped.append(line)
    print(f"tests that ran: {ran}; out of time: {late}; skipped: {len(skipped)}")
    return 1 if skipped or not ran else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
