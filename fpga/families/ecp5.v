// Simulation models of the ECP5 cells that Yosys ships as black boxes: block RAM and multiplier.
//
// Written from the cells as Yosys emits them (lattice/brams_map_16kd.v, lattice/dsp_map_18x18.v);
// not compared with a model of Lattice's. They model what Yosys uses and end the simulation on
// anything else; a port or parameter that Yosys does not connect does not exist here, so that it
// cannot be ignored.

// The models that Yosys does ship: LUT4, PFUMX, L6MUX21, CCU2C, TRELLIS_FF, TRELLIS_DPR16X4.
/* verilator lint_off SPECIFYIGN */
/* verilator lint_off INITIALDLY */
`include "ecp5/common_sim.vh"
`include "ecp5/ccu2c_sim.vh"
/* verilator lint_on SPECIFYIGN */
/* verilator lint_on INITIALDLY */

// 18 Kbit true dual-port block RAM, without output registers.
//
// The memory is 2048 rows of 9 bits, the ninth being the parity bit that data widths 1, 2 and 4
// cannot reach. At width 18 address bits 1..0, at width 36 bits 3..0, are byte write enables. At
// width 36 (write on port A, read on port B) the low half of the data is on DIA and DOA, the high
// half on DIB and DOB. When one port writes what the other reads in the same clock cycle, the
// hardware's read data is undefined; here it is the old data.
module DP16KD #(
    parameter DATA_WIDTH_A = 18,
    parameter DATA_WIDTH_B = 18,
    parameter REGMODE_A = "NOREG",
    parameter REGMODE_B = "NOREG",
    parameter RESETMODE = "SYNC",
    parameter ASYNC_RESET_RELEASE = "SYNC",
    parameter CSDECODE_A = "0b000",
    parameter CSDECODE_B = "0b000",
    parameter CLKAMUX = "CLKA",
    parameter CLKBMUX = "CLKB",
    parameter WRITEMODE_A = "NORMAL",
    parameter WRITEMODE_B = "NORMAL",
    parameter GSR = "ENABLED",
    parameter [319:0] INITVAL_00 = 0, INITVAL_01 = 0, INITVAL_02 = 0, INITVAL_03 = 0,
    parameter [319:0] INITVAL_04 = 0, INITVAL_05 = 0, INITVAL_06 = 0, INITVAL_07 = 0,
    parameter [319:0] INITVAL_08 = 0, INITVAL_09 = 0, INITVAL_0A = 0, INITVAL_0B = 0,
    parameter [319:0] INITVAL_0C = 0, INITVAL_0D = 0, INITVAL_0E = 0, INITVAL_0F = 0,
    parameter [319:0] INITVAL_10 = 0, INITVAL_11 = 0, INITVAL_12 = 0, INITVAL_13 = 0,
    parameter [319:0] INITVAL_14 = 0, INITVAL_15 = 0, INITVAL_16 = 0, INITVAL_17 = 0,
    parameter [319:0] INITVAL_18 = 0, INITVAL_19 = 0, INITVAL_1A = 0, INITVAL_1B = 0,
    parameter [319:0] INITVAL_1C = 0, INITVAL_1D = 0, INITVAL_1E = 0, INITVAL_1F = 0,
    parameter [319:0] INITVAL_20 = 0, INITVAL_21 = 0, INITVAL_22 = 0, INITVAL_23 = 0,
    parameter [319:0] INITVAL_24 = 0, INITVAL_25 = 0, INITVAL_26 = 0, INITVAL_27 = 0,
    parameter [319:0] INITVAL_28 = 0, INITVAL_29 = 0, INITVAL_2A = 0, INITVAL_2B = 0,
    parameter [319:0] INITVAL_2C = 0, INITVAL_2D = 0, INITVAL_2E = 0, INITVAL_2F = 0,
    parameter [319:0] INITVAL_30 = 0, INITVAL_31 = 0, INITVAL_32 = 0, INITVAL_33 = 0,
    parameter [319:0] INITVAL_34 = 0, INITVAL_35 = 0, INITVAL_36 = 0, INITVAL_37 = 0,
    parameter [319:0] INITVAL_38 = 0, INITVAL_39 = 0, INITVAL_3A = 0, INITVAL_3B = 0,
    parameter [319:0] INITVAL_3C = 0, INITVAL_3D = 0, INITVAL_3E = 0, INITVAL_3F = 0
) (
    input DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5,
        DIA4, DIA3, DIA2, DIA1, DIA0,
    input ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0,
    input CLKA, CEA, OCEA, WEA, RSTA, CSA2, CSA1, CSA0,
    output DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5,
        DOA4, DOA3, DOA2, DOA1, DOA0,
    input DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5,
        DIB4, DIB3, DIB2, DIB1, DIB0,
    input ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0,
    input CLKB, CEB, OCEB, WEB, RSTB, CSB2, CSB1, CSB0,
    output DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5,
        DOB4, DOB3, DOB2, DOB1, DOB0
);
  reg [8:0] memory[0:2047];

  // Each INITVAL holds 16 words of 18 bits, 20 bits apart.
  localparam [20479:0] INITIAL = {
        INITVAL_3F, INITVAL_3E, INITVAL_3D, INITVAL_3C, INITVAL_3B, INITVAL_3A, INITVAL_39, INITVAL_38,
        INITVAL_37, INITVAL_36, INITVAL_35, INITVAL_34, INITVAL_33, INITVAL_32, INITVAL_31, INITVAL_30,
        INITVAL_2F, INITVAL_2E, INITVAL_2D, INITVAL_2C, INITVAL_2B, INITVAL_2A, INITVAL_29, INITVAL_28,
        INITVAL_27, INITVAL_26, INITVAL_25, INITVAL_24, INITVAL_23, INITVAL_22, INITVAL_21, INITVAL_20,
        INITVAL_1F, INITVAL_1E, INITVAL_1D, INITVAL_1C, INITVAL_1B, INITVAL_1A, INITVAL_19, INITVAL_18,
        INITVAL_17, INITVAL_16, INITVAL_15, INITVAL_14, INITVAL_13, INITVAL_12, INITVAL_11, INITVAL_10,
        INITVAL_0F, INITVAL_0E, INITVAL_0D, INITVAL_0C, INITVAL_0B, INITVAL_0A, INITVAL_09, INITVAL_08,
        INITVAL_07, INITVAL_06, INITVAL_05, INITVAL_04, INITVAL_03, INITVAL_02, INITVAL_01, INITVAL_00
  };

  integer word;
  initial begin
    for (word = 0; word < 1024; word = word + 1) begin
      memory[2*word] = INITIAL[20*word+:9];
      memory[2*word+1] = INITIAL[20*word+9+:9];
    end
  end

  generate
    if (REGMODE_A != "NOREG" || REGMODE_B != "NOREG")
      $fatal(1, "DP16KD: output registers are not modelled");
    if ((RESETMODE != "SYNC" && RESETMODE != "ASYNC") || ASYNC_RESET_RELEASE != RESETMODE)
      $fatal(1, "DP16KD: reset is SYNC or ASYNC, and so is its release");
    if (CSDECODE_A != "0b000" || CSDECODE_B != "0b000")
      $fatal(1, "DP16KD: chip selects are not modelled");
    if (!known_width(DATA_WIDTH_A) || !known_width(DATA_WIDTH_B))
      $fatal(1, "DP16KD: data widths are 1, 2, 4, 9, 18 and 36");
    if (!known_mode(WRITEMODE_A) || !known_mode(WRITEMODE_B))
      $fatal(1, "DP16KD: write modes are NORMAL, WRITETHROUGH and READBEFOREWRITE");
    if ((CLKAMUX != "CLKA" && CLKAMUX != "INV") || (CLKBMUX != "CLKB" && CLKBMUX != "INV"))
      $fatal(1, "DP16KD: a clock is the pin or its inverse");
  endgenerate

  function known_width(input integer width);
    known_width = width == 1 || width == 2 || width == 4 || width == 9 || width == 18 || width == 36;
  endfunction

  function known_mode(input [119:0] mode);
    known_mode = mode == "NORMAL" || mode == "WRITETHROUGH" || mode == "READBEFOREWRITE";
  endfunction

  function [35:0] read_row(input integer width, input [13:0] address);
    reg [8:0] cell_byte;
    begin
      cell_byte = memory[address[13:3]];
      case (width)
        1: read_row = {35'b0, cell_byte[{1'b0, address[2:0]}]};
        2: read_row = {34'b0, cell_byte[{1'b0, address[2:1], 1'b0}+:2]};
        4: read_row = {32'b0, cell_byte[{1'b0, address[2], 2'b0}+:4]};
        9: read_row = {27'b0, cell_byte};
        18: read_row = {18'b0, memory[{address[13:4], 1'b1}], memory[{address[13:4], 1'b0}]};
        default:
          read_row = {memory[{address[13:5], 2'd3}], memory[{address[13:5], 2'd2}],
                      memory[{address[13:5], 2'd1}], memory[{address[13:5], 2'd0}]};
      endcase
    end
  endfunction

  function [3:0] byte_enables(input integer width, input [13:0] address);
    byte_enables = (width == 36) ? address[3:0] : (width == 18) ? {2'b0, address[1:0]} : 4'b1111;
  endfunction

  function [35:0] written_row(input integer width, input [3:0] enables, input [35:0] old_row,
                              input [35:0] data);
    reg [35:0] mask;
    begin
      mask = (width < 18) ? {36{1'b1}}
           : {{9{enables[3]}}, {9{enables[2]}}, {9{enables[1]}}, {9{enables[0]}}};
      written_row = (old_row & ~mask) | (data & mask);
    end
  endfunction

  wire [17:0] input_a = {DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7,
        DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0};
  wire [17:0] input_b = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7,
        DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0};
  wire [35:0] both_inputs = {input_b, input_a};

  // Port A.
  wire clock_a = (CLKAMUX == "INV") ? ~CLKA : CLKA;
  wire [13:0] address_a = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0};
  reg [35:0] read_a;
  wire [3:0] bytes_a = byte_enables(DATA_WIDTH_A, address_a);
  wire [35:0] data_a = (DATA_WIDTH_A == 36) ? both_inputs : {18'b0, input_a};

  wire async_a = RSTA & (RESETMODE == "ASYNC");
  wire write_a = CEA & WEA & ~(RSTA & (RESETMODE == "SYNC"));

  always @(posedge clock_a, posedge async_a) begin
    if (RSTA) read_a <= 0;
    else if (CEA) begin
      if (!WEA || WRITEMODE_A == "READBEFOREWRITE")
        read_a <= read_row(DATA_WIDTH_A, address_a);
      else if (WRITEMODE_A == "WRITETHROUGH")
        read_a <= written_row(DATA_WIDTH_A, bytes_a, read_row(DATA_WIDTH_A, address_a),
                              data_a);
    end
  end

  always @(posedge clock_a) begin
    if (write_a) begin
      case (DATA_WIDTH_A)
        1: memory[address_a[13:3]][{1'b0, address_a[2:0]}] <= data_a[0];
        2: memory[address_a[13:3]][{1'b0, address_a[2:1], 1'b0}+:2] <= data_a[1:0];
        4: memory[address_a[13:3]][{1'b0, address_a[2], 2'b0}+:4] <= data_a[3:0];
        9: memory[address_a[13:3]] <= data_a[8:0];
        18: begin
          if (bytes_a[0]) memory[{address_a[13:4], 1'b0}] <= data_a[8:0];
          if (bytes_a[1]) memory[{address_a[13:4], 1'b1}] <= data_a[17:9];
        end
        default: begin
          if (bytes_a[0]) memory[{address_a[13:5], 2'd0}] <= data_a[8:0];
          if (bytes_a[1]) memory[{address_a[13:5], 2'd1}] <= data_a[17:9];
          if (bytes_a[2]) memory[{address_a[13:5], 2'd2}] <= data_a[26:18];
          if (bytes_a[3]) memory[{address_a[13:5], 2'd3}] <= data_a[35:27];
        end
      endcase
    end
  end

  // Port B.
  wire clock_b = (CLKBMUX == "INV") ? ~CLKB : CLKB;
  wire [13:0] address_b = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0};
  reg [35:0] read_b;
  wire [3:0] bytes_b = byte_enables(DATA_WIDTH_B, address_b);
  wire [35:0] data_b = (DATA_WIDTH_B == 36) ? both_inputs : {18'b0, input_b};

  wire async_b = RSTB & (RESETMODE == "ASYNC");
  wire write_b = CEB & WEB & ~(RSTB & (RESETMODE == "SYNC"));

  always @(posedge clock_b, posedge async_b) begin
    if (RSTB) read_b <= 0;
    else if (CEB) begin
      if (!WEB || WRITEMODE_B == "READBEFOREWRITE")
        read_b <= read_row(DATA_WIDTH_B, address_b);
      else if (WRITEMODE_B == "WRITETHROUGH")
        read_b <= written_row(DATA_WIDTH_B, bytes_b, read_row(DATA_WIDTH_B, address_b),
                              data_b);
    end
  end

  always @(posedge clock_b) begin
    if (write_b) begin
      case (DATA_WIDTH_B)
        1: memory[address_b[13:3]][{1'b0, address_b[2:0]}] <= data_b[0];
        2: memory[address_b[13:3]][{1'b0, address_b[2:1], 1'b0}+:2] <= data_b[1:0];
        4: memory[address_b[13:3]][{1'b0, address_b[2], 2'b0}+:4] <= data_b[3:0];
        9: memory[address_b[13:3]] <= data_b[8:0];
        18: begin
          if (bytes_b[0]) memory[{address_b[13:4], 1'b0}] <= data_b[8:0];
          if (bytes_b[1]) memory[{address_b[13:4], 1'b1}] <= data_b[17:9];
        end
        default: begin
          if (bytes_b[0]) memory[{address_b[13:5], 2'd0}] <= data_b[8:0];
          if (bytes_b[1]) memory[{address_b[13:5], 2'd1}] <= data_b[17:9];
          if (bytes_b[2]) memory[{address_b[13:5], 2'd2}] <= data_b[26:18];
          if (bytes_b[3]) memory[{address_b[13:5], 2'd3}] <= data_b[35:27];
        end
      endcase
    end
  end

  assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5,
        DOA4, DOA3, DOA2, DOA1, DOA0} = (DATA_WIDTH_B == 36) ? read_b[17:0] : read_a[17:0];
  assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5,
        DOB4, DOB3, DOB2, DOB1, DOB0} = (DATA_WIDTH_B == 36) ? read_b[35:18] : read_b[17:0];

  wire unused = &{OCEA, OCEB, CSA2, CSA1, CSA0, CSB2, CSB1, CSB0, 1'b0};
endmodule

// 18 x 18 bit multiplier, combinational: no input, pipeline or output register.
module MULT18X18D #(
    parameter REG_INPUTA_CLK = "NONE",
    parameter REG_INPUTB_CLK = "NONE",
    parameter REG_INPUTC_CLK = "NONE",
    parameter REG_PIPELINE_CLK = "NONE",
    parameter REG_OUTPUT_CLK = "NONE"
) (
    input A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0,
    input B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0,
    input C17, C16, C15, C14, C13, C12, C11, C10, C9, C8, C7, C6, C5, C4, C3, C2, C1, C0,
    input SIGNEDA, SIGNEDB, SOURCEA, SOURCEB,
    output P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19,
        P18, P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0
);
  generate
    if (REG_INPUTA_CLK != "NONE" || REG_INPUTB_CLK != "NONE" || REG_INPUTC_CLK != "NONE"
        || REG_PIPELINE_CLK != "NONE" || REG_OUTPUT_CLK != "NONE")
      $fatal(1, "MULT18X18D: registers are not modelled");
  endgenerate

  wire [17:0] a = {A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0};
  wire [17:0] b = {B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0};
  wire signed [35:0] wide_a = {{18{SIGNEDA & a[17]}}, a};
  wire signed [35:0] wide_b = {{18{SIGNEDB & b[17]}}, b};
  wire [35:0] product = wide_a * wide_b;
  assign {P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18,
        P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0} = product;

  wire unused = &{SOURCEA, SOURCEB, C17, C16, C15, C14, C13, C12, C11, C10, C9, C8, C7, C6, C5, C4,
        C3, C2, C1, C0, 1'b0};
endmodule

// PLL as a wire: the clock that is simulated at CLKI is the one that the PLL makes. It locks after
// some cycles.
module EHXPLLL #(
    parameter CLKI_DIV = 1,
    parameter CLKFB_DIV = 1,
    parameter CLKOP_DIV = 8,
    parameter CLKOP_CPHASE = 0,
    parameter CLKOS_ENABLE = "DISABLED",
    parameter CLKOS_DIV = 8,
    parameter CLKOS_CPHASE = 0,
    parameter FEEDBK_PATH = "CLKOP"
) (
    input CLKI, CLKFB, RST, STDBY, PLLWAKESYNC, ENCLKOP, ENCLKOS,
    input PHASESEL1, PHASESEL0, PHASEDIR, PHASESTEP, PHASELOADREG,
    output CLKOP, CLKOS, LOCK
);
    reg [2:0] cycles = 0;
    assign CLKOP = CLKI;
    assign CLKOS = CLKI;
    assign LOCK = &cycles;
    always @(posedge CLKI) if (!LOCK) cycles <= cycles + 1;
endmodule
