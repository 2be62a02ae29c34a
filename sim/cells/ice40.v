// Simulation models of the iCE40 cells: those that Yosys ships.

/* verilator lint_off SPECIFYIGN */
/* verilator lint_off WIDTHEXPAND */
/* verilator lint_off WIDTHTRUNC */
/* verilator lint_off UNOPTFLAT */
`include "ice40/cells_sim.v"
