"""Networks trained on the grid that a chip will hold, in the loops of the frameworks."""
