"""Kinds of samples files, one file each; ``spikelet.samples.sample_readers`` lists them."""
