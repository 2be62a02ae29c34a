"""Example networks, each trained by a script of its own."""
