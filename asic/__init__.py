"""Chips of standard cells: files for their layout elsewhere, gates, and estimates before layout."""
