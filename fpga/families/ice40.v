// Simulation models of the iCE40 cells: those that Yosys ships.

/* verilator lint_off SPECIFYIGN */
/* verilator lint_off WIDTHEXPAND */
/* verilator lint_off WIDTHTRUNC */
/* verilator lint_off UNOPTFLAT */

// Without the defaults of input ports. Verilator 5.048 writes the default of a connected port to the
// net it is connected to, once, in the first evaluation: where that net is an input of the chip, it
// overwrites what the harness has put there (rst and event_out__ready fell to 0). The netlist needs
// no defaults: Yosys connects every port that has one.
`define NO_ICE40_DEFAULT_ASSIGNMENTS
`include "ice40/cells_sim.v"
