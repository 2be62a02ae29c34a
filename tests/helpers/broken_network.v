// A network of one core and the host, for packets from that core to the host, with faults that the
// scoreboard of sim/traffic.py must find. The field x of a packet says which; 0 is none.
module NAME(clk, rst, core_0_in__payload, core_0_in__valid, core_0_in__ready,
            core_0_out__payload, core_0_out__valid, core_0_out__ready,
            host_in__payload, host_in__valid, host_in__ready,
            host_out__payload, host_out__valid, host_out__ready, busy, dropped);
  input clk;
  input rst;
  input [WIDTH-1:0] core_0_in__payload;
  input core_0_in__valid;
  output core_0_in__ready;
  output [WIDTH-1:0] core_0_out__payload;
  output core_0_out__valid;
  input core_0_out__ready;
  input [WIDTH-1:0] host_in__payload;
  input host_in__valid;
  output host_in__ready;
  output [WIDTH-1:0] host_out__payload;
  output host_out__valid;
  input host_out__ready;
  output busy;
  output dropped;

  reg [WIDTH-1:0] slots [0:15];
  reg [3:0] head, tail;
  reg stalled;
  wire [3:0] count = tail - head;
  wire [WIDTH-1:0] first = slots[head];
  wire [3:0] fault = first[WIDTH-1 -: 4];  // a fault of leaving, by x, the highest field
  wire [3:0] coming = core_0_in__payload[WIDTH-1 -: 4];
  wire rare = core_0_in__payload[2:0] == 5;
  wire push = core_0_in__valid && core_0_in__ready;
  wire to_host = count != 0 && fault != 5 && fault != 8;
  wire pop = (host_out__valid && host_out__ready) || (core_0_out__valid && core_0_out__ready);

  assign core_0_in__ready = count < 12;
  assign host_in__ready = 1;
  assign host_out__valid = to_host;
  assign host_out__payload = first ^ (fault == 4 && stalled);
  assign core_0_out__valid = count != 0 && fault == 5;
  assign core_0_out__payload = first;
  assign busy = count != 0 && fault != 6;
  assign dropped = push && coming == 7 && rare;

  always @(posedge clk) begin
    stalled <= host_out__valid && !host_out__ready;
    if (pop) head <= head + 1;
    if (push && !((coming == 1 || coming == 7) && rare)) begin
      slots[tail] <= core_0_in__payload;
      tail <= tail + 1;
      if (coming == 2 && rare) begin
        slots[tail + 4'd1] <= core_0_in__payload;
        tail <= tail + 2;
      end
      if (coming == 3 && rare && count > 2) begin
        slots[tail] <= slots[tail - 4'd1];
        slots[tail - 4'd1] <= core_0_in__payload;
      end
    end
    if (rst) begin
      head <= 0;
      tail <= 0;
      stalled <= 0;
    end
  end
endmodule
