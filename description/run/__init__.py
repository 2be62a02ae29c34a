"""What goes into a run and what is recorded of it."""
