// Simulation models of the iCE40 cells: those that Yosys ships, and the PLLs.

/* verilator lint_off SPECIFYIGN */
/* verilator lint_off WIDTHEXPAND */
/* verilator lint_off WIDTHTRUNC */
/* verilator lint_off UNOPTFLAT */

// PLLs as wires: the clock that is simulated at the input is the one that the PLL makes. They lock
// after some cycles. Yosys ships them as black boxes, which Verilator drops as the later ones.
/* verilator lint_off MODDUP */
module SB_PLL40_CORE #(
    parameter FEEDBACK_PATH = "SIMPLE",
    parameter DIVR = 0,
    parameter DIVF = 0,
    parameter DIVQ = 0,
    parameter FILTER_RANGE = 0
) (
    input REFERENCECLK, RESETB, BYPASS,
    output PLLOUTGLOBAL, LOCK
);
    reg [2:0] cycles = 0;
    assign PLLOUTGLOBAL = REFERENCECLK;
    assign LOCK = &cycles;
    always @(posedge REFERENCECLK) if (!LOCK) cycles <= cycles + 1;
endmodule

module SB_PLL40_PAD #(
    parameter FEEDBACK_PATH = "SIMPLE",
    parameter DIVR = 0,
    parameter DIVF = 0,
    parameter DIVQ = 0,
    parameter FILTER_RANGE = 0
) (
    input PACKAGEPIN, RESETB, BYPASS,
    output PLLOUTGLOBAL, LOCK
);
    reg [2:0] cycles = 0;
    assign PLLOUTGLOBAL = PACKAGEPIN;
    assign LOCK = &cycles;
    always @(posedge PACKAGEPIN) if (!LOCK) cycles <= cycles + 1;
endmodule

// Without the defaults of input ports. Verilator 5.048 writes the default of a connected port to the
// net it is connected to, once, in the first evaluation: where that net is an input of the chip, it
// overwrites what the harness has put there (rst and event_out__ready fell to 0). The netlist needs
// no defaults: Yosys connects every port that has one.
`define NO_ICE40_DEFAULT_ASSIGNMENTS
`include "ice40/cells_sim.v"
