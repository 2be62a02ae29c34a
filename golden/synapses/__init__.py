"""Golden models of the synapse formats, one file a format."""
