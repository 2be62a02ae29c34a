"""The 20 behaviours of Izhikevich 2004, on one core."""
