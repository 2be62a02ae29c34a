"""Learning rules: as text, as a tree, and by name."""
