// Runs a self-test on a board with one flip-flop of its netlist stuck, until a LED says something.
//
// Compiled together with the model of module `watched`; see sim/stuck_at.py for the other side.

#include <cstdint>
#include <memory>

#include "Vwatched.h"
#include "verilated.h"

namespace {

struct Board {
    VerilatedContext context;
    Vwatched top{&context};

    void clock() {
        top.clk = 1;
        top.eval();
        top.clk = 0;
        top.eval();
    }
};

constexpr int FLUSH = 1024;        // cycles after which what the self-test still asked for is through
constexpr int PATIENCE = 4096;     // cycles that a chip has to take a request or to answer it

}  // namespace

extern "C" {

// Run with flip-flop `stuck` (1 is the first, 0 none) at `value`, from configuration until a LED of
// `verdicts` is lit or `limit` cycles have passed; then read words of the chip, past the self-test.
// `spikes[line]` counts what left the chip, where lines from `n_lines - 1` on count as the last.
// Returns the words read; `leds` are as lit. `cycles` is the time of the verdict.
int64_t stuck_run(int32_t stuck, int32_t value, uint32_t released, uint32_t inverted,
                  uint32_t verdicts, int64_t limit, int64_t n_lines, int64_t* spikes,
                  int64_t n_words, const uint32_t* addresses, uint32_t* words,
                  uint32_t* leds, int64_t* cycles) {
    auto board = std::make_unique<Board>();
    auto& top = board->top;
    top.stuck = stuck;
    top.stuck_value = value;
    top.button = released;
    top.take = 0;
    top.request_valid = 0;
    top.clk = 0;
    top.eval();
    *cycles = 0;
    while (*cycles < limit && !((top.led ^ inverted) & verdicts)) {
        if (top.spike_valid) {
            ++spikes[top.spike_line < n_lines - 1 ? top.spike_line : n_lines - 1];
        }
        board->clock();
        ++*cycles;
    }
    *leds = top.led ^ inverted;
    top.take = 1;
    for (int cycle = 0; cycle < FLUSH; ++cycle) board->clock();
    for (int64_t word = 0; word < n_words; ++word) {
        top.request_address = addresses[word];
        top.request_valid = 1;
        top.eval();
        int left = PATIENCE;
        while (!top.request_ready && left--) board->clock();
        if (left < 0) return word;
        board->clock();
        top.request_valid = 0;
        top.eval();
        while (!top.response_valid && left--) board->clock();
        if (left < 0) return word;
        words[word] = top.response_data;
        board->clock();
    }
    return n_words;
}

}  // extern "C"
