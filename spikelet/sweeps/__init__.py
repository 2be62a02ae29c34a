"""Sweeps: many configurations of a network, each compiled and measured, on one machine or many."""
