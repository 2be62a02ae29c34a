"""Presets: cores shaped and set like those of published chips, a file each."""
