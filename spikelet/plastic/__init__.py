"""Networks that learn on the chip: described, built, run, reported."""
