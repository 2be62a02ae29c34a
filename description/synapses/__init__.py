"""Synapse formats: how a core stores its weights, one file a format."""
