// Runs a Verilated host link with a chip that notes what it is told. See sim/noted_link.py.
//
// The chip is that of sim/noted_chip.py, behind ports that wait for random times.

#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <unordered_map>
#include <utility>
#include <vector>

#include "Vtop.h"
#include "verilated.h"

namespace {

constexpr int kAnswerAfter = 9;   // clock cycles, of a read
constexpr int kLongestTick = 40;  // clock cycles
constexpr int kByte = 9;          // clock cycles of a byte on the line, at least

enum Operation : uint8_t { kWrite, kRead, kEvent, kTick, kClear };

struct Told {
    uint32_t operation, place, data;
};

struct Link {
    VerilatedContext context;
    Vtop top{&context};
    std::mt19937 random;
    int address_bits;
    uint64_t cycle = 0;
    std::vector<Told> told;
    std::unordered_map<uint32_t, uint32_t> words;
    std::vector<uint32_t> events;
    std::deque<uint32_t> spikes;
    std::deque<std::pair<uint64_t, uint32_t>> answers;
    bool busy = false;
    uint64_t ends = 0;
    uint64_t resets = 0;

    bool chance(double share) { return random() < share * 4294967296.0; }

    // One clock cycle; `byte` comes on the line unless it is -1. Returns what leaves, or -1.
    int step(int byte) {
        top.rx___05Fvalid = byte >= 0;
        top.rx___05Fpayload = byte >= 0 ? byte : 0;
        top.tx___05Fready = cycle % kByte == 0;
        top.busy = busy;
        top.config_request___05Fready = !busy && chance(0.5);
        top.event_in___05Fready = !busy && chance(0.5);
        const bool answers_now = !answers.empty() && answers.front().first <= cycle;
        top.config_response___05Fvalid = answers_now;
        if (answers_now) {
            top.config_response___05Fpayload = answers.front().second;
            answers.pop_front();
        }
        top.event_out___05Fvalid = !spikes.empty();
        if (!spikes.empty()) top.event_out___05Fpayload = spikes.front();
        top.eval();
        const int left = top.tx___05Fvalid && top.tx___05Fready ? top.tx___05Fpayload : -1;
        resets += top.reset;
        serve();
        top.clk = 1;
        top.eval();
        top.clk = 0;
        top.eval();
        ++cycle;
        return left;
    }

    void serve() {
        if (top.event_out___05Fvalid && top.event_out___05Fready) spikes.pop_front();
        if (busy) {
            busy = cycle < ends || !spikes.empty();
            return;
        }
        if (top.config_request___05Fvalid && top.config_request___05Fready) {
            const uint64_t request = top.config_request___05Fpayload;
            const auto address = static_cast<uint32_t>(request & ((1ull << address_bits) - 1));
            const auto data = static_cast<uint32_t>(request >> address_bits);
            if (request >> (address_bits + 32) & 1) {
                told.push_back({kWrite, address, data});
                words[address] = data;
            } else {
                told.push_back({kRead, address, 0});
                const auto found = words.find(address);
                const uint32_t word =
                    found == words.end() ? address * 0x01010101u : found->second;
                answers.emplace_back(cycle + kAnswerAfter, word);
            }
        }
        if (top.event_in___05Fvalid && top.event_in___05Fready) {
            told.push_back({kEvent, static_cast<uint32_t>(top.event_in___05Fpayload), 0});
            events.push_back(top.event_in___05Fpayload);
        }
        if (top.start || top.clear) {
            told.push_back({static_cast<uint32_t>(top.start ? kTick : kClear), 0, 0});
            if (top.start) spikes.assign(events.begin(), events.end());
            events.clear();
            busy = true;
            ends = cycle + 3 + random() % kLongestTick;
        }
    }
};

}  // namespace

extern "C" {

void* spikelet_link_create(int64_t address_bits, int64_t seed) {
    auto link = std::make_unique<Link>();
    link->address_bits = static_cast<int>(address_bits);
    link->random.seed(static_cast<uint32_t>(seed));
    link->top.rst = 1;
    link->step(-1);
    link->top.rst = 0;
    link->told.clear();
    return link.release();
}

void spikelet_link_destroy(void* handle) { delete static_cast<Link*>(handle); }

// Send n bytes, then run so many cycles more. Returns how many bytes have come, at most `room`, or
// -1 if the link has not taken one in time.
int64_t spikelet_link_run(void* handle, const uint8_t* line, int64_t n, int64_t cycles,
                          uint8_t* came, int64_t room) {
    auto& link = *static_cast<Link*>(handle);
    int64_t count = 0;
    const auto step = [&](int byte) {
        const int left = link.step(byte);
        if (left >= 0 && count < room) came[count++] = static_cast<uint8_t>(left);
        return link.top.rx___05Fready;
    };
    for (int64_t at = 0; at < n; ++at) {
        link.top.rx___05Fvalid = 0;
        link.top.eval();
        if (!link.top.rx___05Fready) return -1;
        step(line[at]);
        for (uint32_t gap = 1; gap < kByte + link.random() % 4; ++gap) step(-1);
    }
    for (int64_t cycle = 0; cycle < cycles; ++cycle) step(-1);
    return count;
}

// What the chip was told, from number `first` on, as rows of operation, address or flit, and data.
int64_t spikelet_link_told(void* handle, int64_t first, uint32_t* rows, int64_t room) {
    const auto& told = static_cast<Link*>(handle)->told;
    int64_t count = 0;
    for (auto at = static_cast<size_t>(first); at < told.size() && count < room; ++at, ++count) {
        rows[3 * count] = told[at].operation;
        rows[3 * count + 1] = told[at].place;
        rows[3 * count + 2] = told[at].data;
    }
    return count;
}

int64_t spikelet_link_resets(void* handle) {
    return static_cast<int64_t>(static_cast<Link*>(handle)->resets);
}

}  // extern "C"
