// Simulation models of the GateMate cells: those that Yosys ships, and the PLL.

/* verilator lint_off SPECIFYIGN */
/* verilator lint_off WIDTHEXPAND */
/* verilator lint_off WIDTHTRUNC */

// PLL as a wire: the clock that is simulated at CLK_REF is the one that the PLL makes. It locks after
// some cycles.
module CC_PLL #(
    parameter REF_CLK = "",
    parameter OUT_CLK = "",
    parameter PERF_MD = "",
    parameter LOCK_REQ = 1,
    parameter CLK270_DOUB = 0,
    parameter CLK180_DOUB = 0,
    parameter LOW_JITTER = 1,
    parameter CI_FILTER_CONST = 2,
    parameter CP_FILTER_CONST = 4
) (
    input CLK_REF, CLK_FEEDBACK, USR_CLK_REF, USR_LOCKED_STDY_RST,
    output CLK0, USR_PLL_LOCKED
);
    reg [2:0] cycles = 0;
    assign CLK0 = CLK_REF;
    assign USR_PLL_LOCKED = &cycles;
    always @(posedge CLK_REF) if (!USR_PLL_LOCKED) cycles <= cycles + 1;
endmodule

`include "gatemate/cells_sim.v"
