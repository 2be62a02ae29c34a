"""Refuses an old Python at once, and finds the packages.

pip looks at requires-python only after all that is needed. The folders stand side by side; what is
installed and imported is only ``spikelet`` and what is in it, since names like ``sim`` and
``golden`` belong to users.
"""

import sys

from setuptools import find_packages, setup

if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit(
        "Spikelet needs Python 3.11 or later; this is Python %d.%d (%s). Make the virtual "  # noqa: UP031
        "environment with a newer one, such as: python3.11 -m venv .venv"
        % (sys.version_info[0], sys.version_info[1], sys.executable)
    )

PARTS = [
    "asic",
    "boards",
    "description",
    "examples",
    "formal",
    "fpga",
    "golden",
    "host",
    "rtl_gen",
    "sim",
]

setup(
    packages=[
        *find_packages(include=["spikelet", "spikelet.*"]),
        *(
            f"spikelet.{name}"
            for name in find_packages(include=[*PARTS, *(f"{p}.*" for p in PARTS)])
        ),
    ],
    package_dir={f"spikelet.{part}": part for part in PARTS},
)
