"""From a ReLU network to spiking neurons without a leak."""
