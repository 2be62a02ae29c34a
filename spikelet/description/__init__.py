"""The shared description of a chip: every width, depth, field and constant has its one source here.

Imports numpy only, so that the golden model, the generator and the simulators can all build on it.
"""
