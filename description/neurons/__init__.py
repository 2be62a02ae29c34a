"""Neuron models as text: one TOML file a model."""
