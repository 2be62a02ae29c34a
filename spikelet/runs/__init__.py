"""Runs of compiled networks on each engine, and their comparison."""
