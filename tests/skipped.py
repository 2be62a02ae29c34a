"""Counts skipped tests: ``python -m tests.skipped FILE...``, of JUnit XML; 1 if there are any."""

import sys
from pathlib import Path
from xml.etree import ElementTree

__all__ = ["main"]


def main(files: list[str]) -> int:
    """Print how many tests ran and how many were skipped, and why; return 1 if any was, or none."""
    ran, skipped = 0, []
    for file in map(Path, files):
        for case in ElementTree.parse(file).getroot().iter("testcase"):
            reason = case.find("skipped")
            ran += reason is None
            if reason is not None:
                name = f"{case.get('classname')}.{case.get('name')}"
                skipped.append(f"{name}: {reason.get('message')}")
    for line in skipped:
        print(f"skipped: {line}")
    print(f"tests that ran: {ran}; skipped: {len(skipped)}")
    return 1 if skipped or not ran else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
