"""Events of cameras and cochleas: their files, and how they become spikes in ticks."""
