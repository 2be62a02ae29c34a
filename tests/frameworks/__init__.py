"""Modules of snnTorch, Norse, SpikingJelly and sinabs, read by the calls; and what was recorded."""
