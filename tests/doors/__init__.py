"""Each door: a new thing, defined in its test file alone, from description to result."""
