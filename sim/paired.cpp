// Runs two descriptions of a board in lock step, from configuration on, by their pins.
//
// Compiled together with the model of module `paired`; see sim/paired.py for the other side.

#include <cstdint>
#include <memory>

#include "Vpaired.h"
#include "verilated.h"

// Runs variant `variant` of the second (0: itself) for at most `limit` cycles; without `all`, it
// ends `after` cycles behind the first difference, and as many behind a LED of `verdicts` that the
// first lights. `released` is the level of the button; `inverted` are the LEDs that light at 0.
//
// results: 0 cycles run, 1 cycle of the first difference of LEDs, 2 of the first of registers (-1:
// none), 3 cycle of the verdict of the first, 4 of the second (-1: none), 5 LEDs lit by the first at
// the end, 6 by the second, 7 a register that differed first (-1: none), 8 cycles in which something
// that the variant changes had another value.
extern "C" void paired_run(int64_t variant, int64_t limit, int64_t after, int64_t released,
                           int64_t inverted, int64_t verdicts, int64_t registers,
                           uint8_t* changed, int64_t* results) {
    auto context = std::make_unique<VerilatedContext>();
    auto top = std::make_unique<Vpaired>(context.get());
    top->variant = variant;
    top->button = released;
    top->clk = 0;
    top->eval();
    for (int result = 1; result < 8; ++result) results[result] = -1;
    const auto lit = [&](int64_t leds) { return (leds ^ inverted) & verdicts; };
    const auto* words = reinterpret_cast<const uint32_t*>(&top->values);
    const auto* wrong = reinterpret_cast<const uint32_t*>(&top->differs);
    auto first = std::make_unique<uint32_t[]>(registers / 32 + 1);
    for (int64_t word = 0; word * 32 < registers; ++word) first[word] = words[word];
    auto toggled = std::make_unique<uint32_t[]>(registers / 32 + 1);
    int64_t cycle = 0, end = limit;
    results[8] = 0;
    while (cycle < end) {
        if (top->led_first != top->led_second && results[1] < 0) results[1] = cycle;
        if (top->any && results[2] < 0) {
            results[2] = cycle;
            for (int64_t bit = 0; bit < registers && results[7] < 0; ++bit) {
                if (wrong[bit / 32] >> bit % 32 & 1) results[7] = bit;
            }
        }
        results[8] += top->touched;
        if (lit(top->led_first) && results[3] < 0) results[3] = cycle;
        if (lit(top->led_second) && results[4] < 0) results[4] = cycle;
        const bool over = results[3] >= 0 || results[1] >= 0;
        if (over && cycle + after < end) end = cycle + after;
        for (int64_t word = 0; word * 32 < registers; ++word) {
            toggled[word] |= words[word] ^ first[word];
        }
        top->clk = 1;
        top->eval();
        top->clk = 0;
        top->eval();
        ++cycle;
    }
    for (int64_t bit = 0; bit < registers; ++bit) changed[bit] = toggled[bit / 32] >> bit % 32 & 1;
    results[0] = cycle;
    results[5] = top->led_first ^ inverted;
    results[6] = top->led_second ^ inverted;
}
