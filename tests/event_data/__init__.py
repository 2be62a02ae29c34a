"""Events: their files, binning, and the road to a chip."""
