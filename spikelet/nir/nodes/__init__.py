"""Node kinds of NIR, one file each; ``spikelet.nir.handlers`` lists them."""
