"""From a network to a chip: placed, compiled, saved."""
