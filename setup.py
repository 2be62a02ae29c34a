"""Refuses an old Python at once: pip looks at requires-python only after all that is needed."""

import sys

from setuptools import setup

if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit(
        "Spikelet needs Python 3.11 or later; this is Python %d.%d (%s). Make the virtual "  # noqa: UP031
        "environment with a newer one, such as: python3.11 -m venv .venv"
        % (sys.version_info[0], sys.version_info[1], sys.executable)
    )

setup()
