// Simulation models of the Gowin cells: those that Yosys ships, and of block RAMs, multipliers and
// what else it ships as black boxes.
//
// Written from the cells as Yosys emits them (gowin/brams_map.v, gowin/dsp_map.v) and Gowin's
// UG285 (block RAM) and UG287 (multipliers); not compared with a model of Gowin's. They model what
// Yosys uses and end the simulation on anything else.

/* verilator lint_off WIDTHEXPAND */
/* verilator lint_off WIDTHTRUNC */

// Where Yosys has a black box of the same name, Verilator takes the module that comes first.
/* verilator lint_off MODDUP */
/* verilator lint_off MULTITOP */

`define INITIAL_CONTENTS(BITS) \
    parameter [BITS-1:0] INIT_RAM_00 = 0, INIT_RAM_01 = 0, INIT_RAM_02 = 0, INIT_RAM_03 = 0, \
        INIT_RAM_04 = 0, INIT_RAM_05 = 0, INIT_RAM_06 = 0, INIT_RAM_07 = 0, INIT_RAM_08 = 0, \
        INIT_RAM_09 = 0, INIT_RAM_0A = 0, INIT_RAM_0B = 0, INIT_RAM_0C = 0, INIT_RAM_0D = 0, \
        INIT_RAM_0E = 0, INIT_RAM_0F = 0, INIT_RAM_10 = 0, INIT_RAM_11 = 0, INIT_RAM_12 = 0, \
        INIT_RAM_13 = 0, INIT_RAM_14 = 0, INIT_RAM_15 = 0, INIT_RAM_16 = 0, INIT_RAM_17 = 0, \
        INIT_RAM_18 = 0, INIT_RAM_19 = 0, INIT_RAM_1A = 0, INIT_RAM_1B = 0, INIT_RAM_1C = 0, \
        INIT_RAM_1D = 0, INIT_RAM_1E = 0, INIT_RAM_1F = 0, INIT_RAM_20 = 0, INIT_RAM_21 = 0, \
        INIT_RAM_22 = 0, INIT_RAM_23 = 0, INIT_RAM_24 = 0, INIT_RAM_25 = 0, INIT_RAM_26 = 0, \
        INIT_RAM_27 = 0, INIT_RAM_28 = 0, INIT_RAM_29 = 0, INIT_RAM_2A = 0, INIT_RAM_2B = 0, \
        INIT_RAM_2C = 0, INIT_RAM_2D = 0, INIT_RAM_2E = 0, INIT_RAM_2F = 0, INIT_RAM_30 = 0, \
        INIT_RAM_31 = 0, INIT_RAM_32 = 0, INIT_RAM_33 = 0, INIT_RAM_34 = 0, INIT_RAM_35 = 0, \
        INIT_RAM_36 = 0, INIT_RAM_37 = 0, INIT_RAM_38 = 0, INIT_RAM_39 = 0, INIT_RAM_3A = 0, \
        INIT_RAM_3B = 0, INIT_RAM_3C = 0, INIT_RAM_3D = 0, INIT_RAM_3E = 0, INIT_RAM_3F = 0

`define ALL_CONTENTS { \
        INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A, INIT_RAM_39, \
        INIT_RAM_38, INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34, INIT_RAM_33, INIT_RAM_32, \
        INIT_RAM_31, INIT_RAM_30, INIT_RAM_2F, INIT_RAM_2E, INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B, \
        INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28, INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24, \
        INIT_RAM_23, INIT_RAM_22, INIT_RAM_21, INIT_RAM_20, INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D, \
        INIT_RAM_1C, INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18, INIT_RAM_17, INIT_RAM_16, \
        INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10, INIT_RAM_0F, \
        INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, INIT_RAM_09, INIT_RAM_08, \
        INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04, INIT_RAM_03, INIT_RAM_02, INIT_RAM_01, \
        INIT_RAM_00}

// What two ports do to 2048 rows of 8 or 9 bits (BYTE), without output registers.
//
// Rows of a port are 1, 2 or 4 bits, or 1, 2 or 4 bytes; from two bytes on, the lowest address bits
// are byte write enables. Reads give the row as it was, unless the port's WRITE_MODE says that
// reads stop while it writes (0), or give what is written (1). When one port writes what the other
// reads in the same clock cycle, the hardware's read data is undefined; here it is the old data.
module gowin_block_ram #(
    parameter BYTE = 9,
    parameter [2048*BYTE-1:0] INITIAL = 0,
    parameter WIDTH_A = 36,
    parameter WIDTH_B = 36,
    parameter WRITE_MODE_A = 0,
    parameter WRITE_MODE_B = 0,
    parameter RESET_MODE = "SYNC"
) (
    input clock_a, enable_a, write_a, reset_a, clock_b, enable_b, write_b, reset_b,
    input [13:0] address_a, address_b,
    input [4*BYTE-1:0] data_a, data_b,
    output reg [4*BYTE-1:0] read_a, read_b
);
  reg [BYTE-1:0] memory[0:2047];

  integer word;
  initial for (word = 0; word < 2048; word = word + 1) memory[word] = INITIAL[BYTE*word+:BYTE];

  generate
    if (RESET_MODE != "SYNC" && RESET_MODE != "ASYNC")
      $fatal(1, "block RAM: reset is SYNC or ASYNC");
    if (!known_width(WIDTH_A) || !known_width(WIDTH_B))
      $fatal(1, "block RAM: rows are 1, 2 or 4 bits, or 1, 2 or 4 bytes");
    if (WRITE_MODE_A > 2 || WRITE_MODE_B > 2)
      $fatal(1, "block RAM: write modes are 0, 1 and 2");
  endgenerate

  function known_width(input integer width);
    known_width = width == BYTE || width == 2 * BYTE || width == 4 * BYTE
        || (BYTE == 8 && (width == 1 || width == 2 || width == 4));
  endfunction

  function [4*BYTE-1:0] row(input integer width, input [13:0] address);
    reg [BYTE-1:0] one;
    begin
      one = memory[address[13:3]];
      case (width)
        1: row = one[{1'b0, address[2:0]}];
        2: row = one[{1'b0, address[2:1], 1'b0}+:2];
        4: row = one[{1'b0, address[2], 2'b0}+:4];
        BYTE: row = one;
        2 * BYTE: row = {memory[{address[13:4], 1'b1}], memory[{address[13:4], 1'b0}]};
        default:
          row = {memory[{address[13:5], 2'd3}], memory[{address[13:5], 2'd2}],
                 memory[{address[13:5], 2'd1}], memory[{address[13:5], 2'd0}]};
      endcase
    end
  endfunction

  function [4*BYTE-1:0] written(input integer width, input [13:0] address,
                                input [4*BYTE-1:0] data);
    reg [3:0] enables;
    reg [4*BYTE-1:0] mask;
    begin
      enables = (width == 4 * BYTE) ? address[3:0]
              : (width == 2 * BYTE) ? {2'b0, address[1:0]} : 4'b1111;
      mask = {{BYTE{enables[3]}}, {BYTE{enables[2]}}, {BYTE{enables[1]}}, {BYTE{enables[0]}}};
      written = (row(width, address) & ~mask) | (data & mask);
    end
  endfunction

  wire async_a = reset_a & (RESET_MODE == "ASYNC");
  wire async_b = reset_b & (RESET_MODE == "ASYNC");

  always @(posedge clock_a, posedge async_a)
    if (reset_a) read_a <= 0;
    else if (enable_a) begin
      if (!write_a || WRITE_MODE_A == 2) read_a <= row(WIDTH_A, address_a);
      else if (WRITE_MODE_A == 1) read_a <= written(WIDTH_A, address_a, data_a);
    end

  always @(posedge clock_b, posedge async_b)
    if (reset_b) read_b <= 0;
    else if (enable_b) begin
      if (!write_b || WRITE_MODE_B == 2) read_b <= row(WIDTH_B, address_b);
      else if (WRITE_MODE_B == 1) read_b <= written(WIDTH_B, address_b, data_b);
    end

`define WRITES(CLOCK, ENABLE, WIDTH, ADDRESS, DATA) \
  always @(posedge CLOCK) \
    if (ENABLE) \
      case (WIDTH) \
        1: memory[ADDRESS[13:3]][{1'b0, ADDRESS[2:0]}] <= DATA[0]; \
        2: memory[ADDRESS[13:3]][{1'b0, ADDRESS[2:1], 1'b0}+:2] <= DATA[1:0]; \
        4: memory[ADDRESS[13:3]][{1'b0, ADDRESS[2], 2'b0}+:4] <= DATA[3:0]; \
        BYTE: memory[ADDRESS[13:3]] <= DATA[BYTE-1:0]; \
        2 * BYTE: begin \
          if (ADDRESS[0]) memory[{ADDRESS[13:4], 1'b0}] <= DATA[BYTE-1:0]; \
          if (ADDRESS[1]) memory[{ADDRESS[13:4], 1'b1}] <= DATA[BYTE+:BYTE]; \
        end \
        default: begin \
          if (ADDRESS[0]) memory[{ADDRESS[13:5], 2'd0}] <= DATA[BYTE-1:0]; \
          if (ADDRESS[1]) memory[{ADDRESS[13:5], 2'd1}] <= DATA[BYTE+:BYTE]; \
          if (ADDRESS[2]) memory[{ADDRESS[13:5], 2'd2}] <= DATA[2*BYTE+:BYTE]; \
          if (ADDRESS[3]) memory[{ADDRESS[13:5], 2'd3}] <= DATA[3*BYTE+:BYTE]; \
        end \
      endcase

  `WRITES(clock_a, enable_a & write_a, WIDTH_A, address_a, data_a)
  `WRITES(clock_b, enable_b & write_b, WIDTH_B, address_b, data_b)
endmodule

`define FIXED(CONDITION, NAME) \
  generate \
    if (CONDITION) $fatal(1, NAME, ": output registers and block selection are not modelled"); \
  endgenerate \

// Single port: SP in bytes of 8 bits, SPX9 of 9.
`define SINGLE_PORT(NAME, BYTE_BITS) \
module NAME #( \
    parameter READ_MODE = 0, WRITE_MODE = 0, BIT_WIDTH = 4 * BYTE_BITS, BLK_SEL = 0, \
        RESET_MODE = "SYNC", \
    `INITIAL_CONTENTS(32 * BYTE_BITS) \
) ( \
    input CLK, CE, OCE, WRE, RESET, \
    input [2:0] BLKSEL, \
    input [13:0] AD, \
    input [4*BYTE_BITS-1:0] DI, \
    output [4*BYTE_BITS-1:0] DO \
); \
  `FIXED(READ_MODE != 0 || BLK_SEL != 0, `"NAME`") \
  wire [4*BYTE_BITS-1:0] unused; \
  gowin_block_ram #( \
      .BYTE(BYTE_BITS), .INITIAL(`ALL_CONTENTS), .WIDTH_A(BIT_WIDTH), .WIDTH_B(BYTE_BITS), \
      .WRITE_MODE_A(WRITE_MODE), .RESET_MODE(RESET_MODE) \
  ) ram ( \
      .clock_a(CLK), .enable_a(CE), .write_a(WRE), .reset_a(RESET), .address_a(AD), .data_a(DI), \
      .read_a(DO), .clock_b(1'b0), .enable_b(1'b0), .write_b(1'b0), .reset_b(1'b0), \
      .address_b(14'b0), .data_b({(4*BYTE_BITS){1'b0}}), .read_b(unused) \
  ); \
endmodule

`SINGLE_PORT(SP, 8)
`SINGLE_PORT(SPX9, 9)

// Port A writes, port B reads.
`define SEMI_DUAL_PORT(NAME, BYTE_BITS) \
module NAME #( \
    parameter READ_MODE = 0, BIT_WIDTH_0 = 4 * BYTE_BITS, BIT_WIDTH_1 = 4 * BYTE_BITS, \
        BLK_SEL_0 = 0, BLK_SEL_1 = 0, RESET_MODE = "SYNC", \
    `INITIAL_CONTENTS(32 * BYTE_BITS) \
) ( \
    input CLKA, CEA, CLKB, CEB, OCE, RESETA, RESETB, \
    input [2:0] BLKSELA, BLKSELB, \
    input [13:0] ADA, ADB, \
    input [4*BYTE_BITS-1:0] DI, \
    output [4*BYTE_BITS-1:0] DO \
); \
  `FIXED(READ_MODE != 0 || BLK_SEL_0 != 0 || BLK_SEL_1 != 0, `"NAME`") \
  wire [4*BYTE_BITS-1:0] unused; \
  gowin_block_ram #( \
      .BYTE(BYTE_BITS), .INITIAL(`ALL_CONTENTS), .WIDTH_A(BIT_WIDTH_0), .WIDTH_B(BIT_WIDTH_1), \
      .RESET_MODE(RESET_MODE) \
  ) ram ( \
      .clock_a(CLKA), .enable_a(CEA), .write_a(1'b1), .reset_a(RESETA), .address_a(ADA), \
      .data_a(DI), .read_a(unused), .clock_b(CLKB), .enable_b(CEB), .write_b(1'b0), \
      .reset_b(RESETB), .address_b(ADB), .data_b({(4*BYTE_BITS){1'b0}}), .read_b(DO) \
  ); \
endmodule

`SEMI_DUAL_PORT(SDPB, 8)
`SEMI_DUAL_PORT(SDPX9B, 9)

// Two ports that both read and write, of two bytes at most.
`define DUAL_PORT(NAME, BYTE_BITS) \
module NAME #( \
    parameter READ_MODE0 = 0, READ_MODE1 = 0, WRITE_MODE0 = 0, WRITE_MODE1 = 0, \
        BIT_WIDTH_0 = 2 * BYTE_BITS, BIT_WIDTH_1 = 2 * BYTE_BITS, BLK_SEL_0 = 0, BLK_SEL_1 = 0, \
        RESET_MODE = "SYNC", \
    `INITIAL_CONTENTS(32 * BYTE_BITS) \
) ( \
    input CLKA, CEA, OCEA, WREA, RESETA, CLKB, CEB, OCEB, WREB, RESETB, \
    input [2:0] BLKSELA, BLKSELB, \
    input [13:0] ADA, ADB, \
    input [2*BYTE_BITS-1:0] DIA, DIB, \
    output [2*BYTE_BITS-1:0] DOA, DOB \
); \
  `FIXED(READ_MODE0 != 0 || READ_MODE1 != 0 || BLK_SEL_0 != 0 || BLK_SEL_1 != 0, `"NAME`") \
  wire [4*BYTE_BITS-1:0] read_a, read_b; \
  gowin_block_ram #( \
      .BYTE(BYTE_BITS), .INITIAL(`ALL_CONTENTS), .WIDTH_A(BIT_WIDTH_0), .WIDTH_B(BIT_WIDTH_1), \
      .WRITE_MODE_A(WRITE_MODE0), .WRITE_MODE_B(WRITE_MODE1), .RESET_MODE(RESET_MODE) \
  ) ram ( \
      .clock_a(CLKA), .enable_a(CEA), .write_a(WREA), .reset_a(RESETA), .address_a(ADA), \
      .data_a({{(2*BYTE_BITS){1'b0}}, DIA}), .read_a(read_a), .clock_b(CLKB), .enable_b(CEB), \
      .write_b(WREB), .reset_b(RESETB), .address_b(ADB), \
      .data_b({{(2*BYTE_BITS){1'b0}}, DIB}), .read_b(read_b) \
  ); \
  assign DOA = read_a[2*BYTE_BITS-1:0]; \
  assign DOB = read_b[2*BYTE_BITS-1:0]; \
endmodule

`DUAL_PORT(DPB, 8)
`DUAL_PORT(DPX9B, 9)

// Multipliers, combinational: no input, pipeline or output register, no shift chain.
`define MULTIPLIER(NAME, BITS) \
module NAME ( \
    input CLK, CE, RESET, ASIGN, BSIGN, ASEL, BSEL, \
    input [BITS-1:0] A, B, SIA, SIB, \
    output [2*BITS-1:0] DOUT \
); \
  wire signed [2*BITS-1:0] wide_a = {{BITS{ASIGN & A[BITS-1]}}, A}; \
  wire signed [2*BITS-1:0] wide_b = {{BITS{BSIGN & B[BITS-1]}}, B}; \
  assign DOUT = wide_a * wide_b; \
endmodule

`MULTIPLIER(MULT9X9, 9)
`MULTIPLIER(MULT18X18, 18)

// This one has no shift chain at all: its two selections are not there.
module MULT36X36 (
    input CLK, CE, RESET, ASIGN, BSIGN,
    input [35:0] A, B,
    output [71:0] DOUT
);
  wire signed [71:0] wide_a = {{36{ASIGN & A[35]}}, A};
  wire signed [71:0] wide_b = {{36{BSIGN & B[35]}}, B};
  assign DOUT = wide_a * wide_b;
endmodule

// PLL as a wire: the clock that is simulated at CLKIN is the one that the PLL makes. It locks after
// some cycles.
module rPLL #(
    parameter FCLKIN = "27",
    parameter IDIV_SEL = 0,
    parameter FBDIV_SEL = 0,
    parameter ODIV_SEL = 8,
    parameter DEVICE = ""
) (
    input CLKIN, CLKFB, RESET, RESET_P,
    input [5:0] FBDSEL, IDSEL, ODSEL,
    input [3:0] PSDA, FDLY, DUTYDA,
    output CLKOUT, LOCK
);
  reg [2:0] cycles = 0;
  assign CLKOUT = CLKIN;
  assign LOCK = &cycles;
  always @(posedge CLKIN) if (!LOCK) cycles <= cycles + 1;
endmodule

// Further black boxes of Yosys's file: without ports, so that a netlist with one does not compile.
module OSER4; endmodule
module OSER4_MEM; endmodule
module OSER8; endmodule
module OSER10; endmodule
module OVIDEO; endmodule
module OSER16; endmodule
module IDES4; endmodule
module IDES4_MEM; endmodule
module IDES8; endmodule
module IDES10; endmodule
module IVIDEO; endmodule
module IDES16; endmodule
module IDDR; endmodule
module IDDRC; endmodule
module DQS; endmodule
module ODDR; endmodule
module ODDRC; endmodule
module GSR; endmodule
module BANDGAP; endmodule
module SDP; endmodule
module SDPX9; endmodule
module DP; endmodule
module DPX9; endmodule
module PLLVR; endmodule
module OSC; endmodule
module OSCZ; endmodule
module OSCF; endmodule
module OSCH; endmodule
module OSCW; endmodule
module OSCO; endmodule
module EMCU; endmodule
module __APICULA_LUT5; endmodule
module __APICULA_LUT6; endmodule
module __APICULA_LUT7; endmodule

/* verilator lint_off SPECIFYIGN */
/* verilator lint_off INITIALDLY */
/* verilator lint_off UNOPTFLAT */
`include "gowin/cells_sim.v"
