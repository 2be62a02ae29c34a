"""Structure and contents of a chip: parameters, images, states, memory map, packets."""
