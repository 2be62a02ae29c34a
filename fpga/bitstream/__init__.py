"""From the bits of an FPGA's configuration back to a circuit that can be simulated."""
