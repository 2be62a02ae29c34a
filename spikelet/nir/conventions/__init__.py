"""What each framework means by a NIR file; a file for each framework."""
