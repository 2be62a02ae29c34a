// Runs a Verilated board by its pins: clock, serial port, LEDs. See sim/virtual_board.py.
//
// The host's serial port has a clock of its own, so the edges of its bits fall between those of the
// board's clock. A top module with the ports flash_cs, flash_clk, flash_copi and flash_cipo has the
// flash of sim/spi_flash.c there, which is compiled before this file.

#include <cmath>
#include <cstdint>
#include <deque>
#include <memory>
#include <type_traits>
#include <utility>

#include "Vtop.h"
#include "verilated.h"

namespace {

template <class Top, class = void>
struct FlashPins : std::false_type {};
template <class Top>
struct FlashPins<Top, std::void_t<decltype(std::declval<Top&>().flash_cs)>> : std::true_type {};

template <class Top>
void look_at_flash(Top& top, SpiFlash& flash, double seconds) {
    if constexpr (FlashPins<Top>::value) {
        top.flash_cipo = spi_flash_pins(&flash, top.flash_cs, top.flash_clk, top.flash_copi, seconds);
    }
}

struct Board {
    SpiFlash flash;
    double clock_s = 1;  // seconds of a clock cycle
    VerilatedContext context;
    Vtop top{&context};
    uint64_t cycles = 0;
    double bit = 1;             // clock cycles of a bit of the host's
    std::deque<uint8_t> queue;  // what the host still sends
    double sent_until = 0;      // clock cycle at which its line is free
    double started = 0;
    int sending = -1;
    double sample_at = 0;  // clock cycle at which its receiver looks at the line again
    int bits_left = 0;
    int word = 0;

    Board(double clock_hz, int flash_log_size) : clock_s(1 / clock_hz) {
        spi_flash_init(&flash, flash_log_size);
    }
    ~Board() { free(flash.contents); }

    void clock() {
        look_at_flash(top, flash, static_cast<double>(cycles) * clock_s);
        top.clk = 1;
        top.eval();
        top.clk = 0;
        top.eval();
        ++cycles;
    }

    // The level of the line to the board.
    int line() {
        const double now = static_cast<double>(cycles);
        if (sending >= 0 && now >= sent_until) sending = -1;
        if (sending < 0) {
            if (queue.empty()) return 1;
            started = std::max(now, sent_until);
            sent_until = started + 10 * bit;
            sending = queue.front();
            queue.pop_front();
        }
        const int place = static_cast<int>((now - started) / bit);
        return place <= 0 ? 0 : place <= 8 ? (sending >> (place - 1)) & 1 : 1;
    }

    // Look at the line from the board; a byte, or -1.
    int receive() {
        const double now = static_cast<double>(cycles);
        if (bits_left == 0) {
            if (!top.tx) {
                bits_left = 10;
                sample_at = now + bit / 2;
            }
            return -1;
        }
        if (now < sample_at) return -1;
        sample_at += bit;
        --bits_left;
        if (bits_left == 9 && top.tx) bits_left = 0;  // no start bit
        if (bits_left >= 1 && bits_left <= 8) word = (word >> 1) | (top.tx << 7);
        return bits_left == 0 && top.tx ? word : -1;
    }
};

}  // namespace

extern "C" {

// The button is not pressed at level `released`.
void* spikelet_board_create(int64_t released, double clock_hz, int64_t flash_log_size) {
    auto board = std::make_unique<Board>(clock_hz, static_cast<int>(flash_log_size));
    board->top.clk = 0;
    board->top.button = released;
    board->top.rx = 1;
    board->top.eval();
    return board.release();
}

void spikelet_board_destroy(void* handle) { delete static_cast<Board*>(handle); }

void spikelet_board_flash(void* handle, const uint8_t* bytes, int64_t n, int64_t offset) {
    spi_flash_store(&static_cast<Board*>(handle)->flash, bytes, n, offset);
}

// Bytes that the host still sends, without the one on the line.
int64_t spikelet_board_waiting(void* handle) {
    return static_cast<int64_t>(static_cast<Board*>(handle)->queue.size());
}

uint64_t spikelet_board_cycles(void* handle) { return static_cast<Board*>(handle)->cycles; }

int64_t spikelet_board_leds(void* handle) { return static_cast<Board*>(handle)->top.led; }

void spikelet_board_button(void* handle, int64_t level) {
    static_cast<Board*>(handle)->top.button = level;
}

// Send n bytes, with bits of so many clock cycles, and run so many cycles, or until a byte has come
// if `one` is set and nothing is left to be sent. Returns how many have come, at most `room`.
int64_t spikelet_board_run(void* handle, double bit, int64_t limit, const uint8_t* line, int64_t n,
                           uint8_t* came, int64_t room, int64_t one) {
    auto& board = *static_cast<Board*>(handle);
    board.bit = bit;
    board.queue.insert(board.queue.end(), line, line + n);
    int64_t count = 0;
    for (int64_t cycle = 0; cycle < limit && count < room; ++cycle) {
        board.top.rx = board.line();
        board.clock();
        const int byte = board.receive();
        if (byte >= 0) came[count++] = static_cast<uint8_t>(byte);
        if (one && count && board.bits_left == 0 && board.queue.empty()) break;
    }
    return count;
}

}  // extern "C"
