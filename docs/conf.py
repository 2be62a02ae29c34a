"""The site: ``python -m sphinx -W --keep-going docs build/site``, with extra ``docs``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from spikelet import __version__

project = "Spikelet"
copyright = "the authors of Spikelet"
version = release = __version__

extensions = [
    "myst_nb",  # Markdown, and notebooks written as Markdown
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["build", "**/.ipynb_checkpoints"]
html_theme = "furo"
html_title = f"Spikelet {release}"

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 4
myst_update_mathjax = False

nb_execution_mode = "cache"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_execution_in_temp = True  # nothing is left among the pages

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = True
napoleon_use_rtype = False
python_use_unqualified_type_names = True
# Shapes such as (samples, ticks, neurons) are words, which Sphinx takes for names of attributes.
suppress_warnings = ["ref.python"]
toc_object_entries_show_parents = "hide"
