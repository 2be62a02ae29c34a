"""Samples, their files, encodings and labels."""
