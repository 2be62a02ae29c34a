"""NIR files: read, understood, written."""
