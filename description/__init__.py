"""The shared description of a chip: the one source of every width, depth, field and constant.

Imports numpy and the errors only, so that the golden model, the generator and the simulators can
all build on it.
"""
