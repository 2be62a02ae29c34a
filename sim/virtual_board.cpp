// Runs a Verilated board by its pins: clock, serial port, LEDs. See sim/virtual_board.py.
//
// The host's serial port has a clock of its own, so the edges of its bits fall between those of the
// board's clock; its SPI controller, of a top module with cs_n, sck, mosi and miso, too. A top module with the ports flash_cs, flash_clk, flash_copi and flash_cipo has the
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

template <class Top, class = void>
struct SerialPins : std::false_type {};
template <class Top>
struct SerialPins<Top, std::void_t<decltype(std::declval<Top&>().rx)>> : std::true_type {};

template <class Top, class = void>
struct SpiPins : std::false_type {};
template <class Top>
struct SpiPins<Top, std::void_t<decltype(std::declval<Top&>().sck)>> : std::true_type {};

template <class Top>
void set_line(Top& top, int level) {
    if constexpr (SerialPins<Top>::value) top.rx = level;
}

template <class Top>
int line_of(const Top& top) {
    if constexpr (SerialPins<Top>::value) return top.tx;
    return 1;
}

template <class Top>
void set_spi(Top& top, int cs_n, int sck, int mosi) {
    if constexpr (SpiPins<Top>::value) {
        top.cs_n = cs_n;
        top.sck = sck;
        top.mosi = mosi;
    }
}

template <class Top>
int spi_of(const Top& top) {
    if constexpr (SpiPins<Top>::value) return top.miso;
    return 1;
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
            if (!line_of(top)) {
                bits_left = 10;
                sample_at = now + bit / 2;
            }
            return -1;
        }
        if (now + 1 <= sample_at) return -1;  // the level is that until the next clock edge
        sample_at += bit;
        --bits_left;
        if (bits_left == 9 && line_of(top)) bits_left = 0;  // no start bit
        if (bits_left >= 1 && bits_left <= 8) word = (word >> 1) | (line_of(top) << 7);
        return bits_left == 0 && line_of(top) ? word : -1;
    }

    // Let time pass until a clock cycle, which need not be whole.
    void until(double cycle) {
        while (static_cast<double>(cycles) < cycle) clock();
    }
};

}  // namespace

extern "C" {

// The button is not pressed at level `released`.
void* spikelet_board_create(int64_t released, double clock_hz, int64_t flash_log_size) {
    auto board = std::make_unique<Board>(clock_hz, static_cast<int>(flash_log_size));
    board->top.clk = 0;
    board->top.button = released;
    set_line(board->top, 1);
    set_spi(board->top, 1, 0, 0);
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
        set_line(board.top, board.line());
        board.clock();
        const int byte = board.receive();
        if (byte >= 0) came[count++] = static_cast<uint8_t>(byte);
        if (one && count && board.bits_left == 0 && board.queue.empty()) break;
    }
    return count;
}

// Send n bytes by SPI in mode 0, with half cycles of sck of so many clock cycles, and take as many.
void spikelet_board_exchange(void* handle, double half, const uint8_t* line, int64_t n,
                             uint8_t* came) {
    auto& board = *static_cast<Board*>(handle);
    double now = static_cast<double>(board.cycles);
    set_spi(board.top, 0, 0, 0);
    board.until(now += half);
    for (int64_t at = 0; at < n; ++at) {
        int byte = 0;
        for (int place = 7; place >= 0; --place) {
            const int bit = (line[at] >> place) & 1;
            set_spi(board.top, 0, 0, bit);
            board.until(now += half);
            byte = byte << 1 | spi_of(board.top);
            set_spi(board.top, 0, 1, bit);
            board.until(now += half);
        }
        came[at] = static_cast<uint8_t>(byte);
    }
    set_spi(board.top, 0, 0, 0);
    board.until(now += half);
    set_spi(board.top, 1, 0, 0);
    board.until(now += half);
}

}  // extern "C"
