"""The verbs of the command line, one file each; ``spikelet.cli`` lists them."""
