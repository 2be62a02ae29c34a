"""What reviews of the field compare networks and chips by; one file a group of measures."""
