// Sends packets through a Verilated network on chip and keeps score of where they arrive.
//
// Compiled together with the model that Verilator makes of the module of sim/traffic.py, whose ports
// are the same for every network: the lowest bits of a port's word are a flit, bit 31 is its valid.

#include <cstdint>
#include <cstdio>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "Vtraffic.h"
#include "verilated.h"

namespace {

constexpr uint32_t kValid = 1u << 31;

}  // namespace

// What is to be sent; see Traffic and Pattern in sim/traffic.py. Ports are numbered like the cores,
// the last one is the host's.
struct Task {
    int64_t ports, tag_bits, sequence_bits, in_order, send_all, burst;
    int64_t warm_up, measured, tail, drain;
    uint64_t seed;
    const double *rates, *stall_rates;
    const int64_t *longest_stalls;
    const int64_t *choice_offsets, *choices;
    const uint32_t* routes;
    const int64_t *target_offsets, *targets, *nowhere;
};

// One packet that arrived at one target; clock cycles since the start of the run.
struct Delivery {
    uint32_t source, target, created, injected, arrived;
};

// Sums over a run, then, for each port, over the cycles that are measured.
struct Score {
    int64_t packets, copies, dropped, blocked, held_up, cycles, settled;
    int64_t *offered, *injected, *delivered, *delivered_from;
};

namespace {

// splitmix64 (Steele et al. 2014).
struct Random {
    uint64_t state;

    uint64_t next() {
        uint64_t z = state += 0x9e3779b97f4a7c15u;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }
    bool chance(double probability) { return (next() >> 11) * 0x1p-53 < probability; }
    int64_t below(int64_t n) {
        return static_cast<int64_t>((static_cast<unsigned __int128>(next()) * n) >> 64);
    }
};

struct Packet {
    int64_t route;
    uint32_t sequence, created, injected;
    bool measured;
};

struct Traffic {
    VerilatedContext context;
    Vtraffic top{&context};
    std::vector<Delivery> deliveries;
    std::string fault;

    void edge() {
        top.clk = 1;
        top.eval();
        top.clk = 0;
    }

    void reset(int64_t ports) {
        top.clk = 0;
        for (int64_t port = 0; port < ports; ++port) {
            top.source_flits[port] = 0;
            ready(port, false);
        }
        top.rst = 1;
        top.eval();
        edge();
        top.rst = 0;
        deliveries.clear();
        fault.clear();
    }

    void ready(int64_t port, bool value) {
        const uint32_t bit = 1u << (port % 32);
        top.sink_ready[port / 32] = (top.sink_ready[port / 32] & ~bit) | (value ? bit : 0);
    }
};

// One run: sources and sinks of all ports, and the packets that are on their way.
struct Run {
    Traffic& traffic;
    const Task& task;
    Score& score;
    Random random{task.seed};
    uint32_t cycle = 0;
    bool measuring = false, creating = true;
    int64_t inside = 0, measured_left = 0;  // copies in the network; measured ones anywhere
    int64_t for_nowhere = 0;

    std::vector<std::deque<Packet>> waiting;   // by source: created, not yet injected
    std::vector<std::deque<Packet>> expected;  // by source and target: injected, not yet arrived
    std::vector<uint32_t> created, offering, held;
    std::vector<int64_t> stall;

    Run(Traffic& network, const Task& what, Score& sums)
        : traffic(network), task(what), score(sums), waiting(what.ports),
          expected(what.ports * what.ports), created(what.ports), offering(what.ports),
          held(what.ports), stall(what.ports) {}

    int64_t copies(int64_t route) const {
        return task.target_offsets[route + 1] - task.target_offsets[route];
    }

    template <typename... Values> bool fail(const char* text, Values... values) {
        char buffer[256];
        const int n = std::snprintf(buffer, sizeof buffer, "cycle %u: ", cycle);
        std::snprintf(buffer + n, sizeof buffer - n, text, values...);
        traffic.fault = buffer;
        return false;
    }

    void create(int64_t source) {
        const int64_t first = task.choice_offsets[source];
        const int64_t n = task.choice_offsets[source + 1] - first;
        if (n == 0 || !random.chance(task.rates[source] / task.burst)) return;
        for (int64_t i = 0; i < task.burst; ++i) {
            const int64_t route = task.choices[first + random.below(n)];
            waiting[source].push_back({route, created[source]++, cycle, 0, measuring});
            score.offered[source] += measuring;
            if (measuring) measured_left += copies(route);
        }
    }

    void offer(int64_t source) {
        uint32_t word = 0;
        if (!waiting[source].empty()) {
            const Packet& packet = waiting[source].front();
            const uint32_t number = packet.sequence & ((1u << task.sequence_bits) - 1);
            const uint32_t tag = static_cast<uint32_t>(source) << task.sequence_bits | number;
            word = kValid | task.routes[packet.route] | tag;
        }
        traffic.top.source_flits[source] = offering[source] = word;
    }

    void set_ready(int64_t sink) {
        if (stall[sink] > 0) {
            --stall[sink];
        } else if (task.stall_rates[sink] > 0 && random.chance(task.stall_rates[sink])) {
            stall[sink] = random.below(task.longest_stalls[sink]);
        } else {
            traffic.ready(sink, true);
            return;
        }
        traffic.ready(sink, false);
    }

    void inject(int64_t source) {
        Packet packet = waiting[source].front();
        waiting[source].pop_front();
        packet.injected = cycle;
        for (int64_t i = task.target_offsets[packet.route]; i < task.target_offsets[packet.route + 1]; ++i)
            expected[source * task.ports + task.targets[i]].push_back(packet);
        inside += copies(packet.route) + task.nowhere[packet.route];
        for_nowhere += task.nowhere[packet.route];
        ++score.packets;
        score.injected[source] += measuring;
    }

    // Take a flit that has arrived. False if it should not have, or not yet.
    bool arrive(int64_t sink, uint32_t word) {
        const uint32_t tag = word & ((1u << task.tag_bits) - 1);
        const int64_t source = tag >> task.sequence_bits;
        const uint32_t mask = (1u << task.sequence_bits) - 1;
        if (source >= task.ports) return fail("port %ld got a packet of no source", sink);
        auto& flow = expected[source * task.ports + sink];
        size_t place = 0;
        while (place < flow.size() && (flow[place].sequence & mask) != (tag & mask)) ++place;
        if (place == flow.size())
            return fail("port %ld got packet %u of port %ld, not due there: %zu are", sink,
                        tag & mask, source, flow.size());
        const Packet packet = flow[place];
        for (size_t i = 0; i < place; ++i)
            if (task.in_order || flow[i].route == packet.route)
                return fail("port %ld got packet %u of port %ld before %u", sink, tag & mask,
                            source, flow[i].sequence & mask);
        flow.erase(flow.begin() + place);
        --inside;
        ++score.copies;
        score.delivered[sink] += measuring;
        score.delivered_from[source] += measuring;
        if (packet.measured) {
            --measured_left;
            traffic.deliveries.push_back({static_cast<uint32_t>(source), static_cast<uint32_t>(sink),
                                          packet.created, packet.injected, cycle});
        }
        return true;
    }

    // What every sink sees in this cycle; a flit must stay as it is until it is taken.
    bool look(int64_t sink) {
        const uint32_t word = traffic.top.sink_flits[sink];
        const bool taken = traffic.top.sink_ready[sink / 32] >> (sink % 32) & 1;
        if (held[sink] && word != held[sink]) return fail("port %ld: a stalled flit changed", sink);
        held[sink] = (word & kValid) && !taken ? word : 0;
        score.held_up += held[sink] != 0;
        return !(word & kValid) || !taken || arrive(sink, word);
    }

    bool step() {
        auto& top = traffic.top;
        for (int64_t port = 0; port < task.ports; ++port) {
            if (creating) create(port);
            offer(port);
            set_ready(port);
        }
        top.eval();
        if (static_cast<bool>(top.busy) != (inside > 0))
            return fail("busy is %d with %ld packets inside", static_cast<int>(top.busy), inside);
        inside -= top.dropped;
        score.dropped += top.dropped;
        for (int64_t port = 0; port < task.ports; ++port)
            if (!look(port)) return false;
        for (int64_t port = 0; port < task.ports; ++port) {
            if (!offering[port]) continue;
            if (top.source_ready[port / 32] >> (port % 32) & 1) {
                inject(port);
            } else {
                ++score.blocked;
            }
        }
        traffic.edge();
        ++cycle;
        return true;
    }

    int64_t not_injected() const {
        int64_t n = 0;
        for (const auto& queue : waiting) n += queue.size();
        return n;
    }

    bool all() {
        traffic.reset(task.ports);
        while (cycle < task.warm_up + task.measured) {
            measuring = cycle >= task.warm_up;
            if (!step()) return false;
        }
        measuring = false;
        for (int64_t i = 0; i < task.tail && measured_left > 0; ++i)
            if (!step()) return false;
        score.settled = measured_left == 0;
        creating = false;
        if (!task.send_all)  // but for what is being offered already
            for (int64_t port = 0; port < task.ports; ++port)
                waiting[port].resize(waiting[port].size() && offering[port] ? 1 : 0);
        for (int64_t i = 0; inside > 0 || not_injected() > 0; ++i) {
            if (i == task.drain)
                return fail("%ld copies did not arrive and %ld packets were not taken within %ld cycles",
                            inside, not_injected(), task.drain);
            if (!step()) return false;
        }
        for (int64_t i = 0; i < 8; ++i)  // nothing may come after the last
            if (!step()) return false;
        score.cycles = cycle;
        return nothing_missing();
    }

    bool nothing_missing() {
        for (int64_t flow = 0; flow < task.ports * task.ports; ++flow)
            if (!expected[flow].empty())
                return fail("packet %u of port %ld never came to port %ld",
                            expected[flow].front().sequence & ((1u << task.sequence_bits) - 1),
                            flow / task.ports, flow % task.ports);
        if (score.dropped != for_nowhere)
            return fail("%ld copies were dropped instead of %ld", score.dropped, for_nowhere);
        return true;
    }
};

}  // namespace

extern "C" {

void* traffic_create() { return std::make_unique<Traffic>().release(); }

void traffic_destroy(void* handle) { delete static_cast<Traffic*>(handle); }

// Returns the number of measured deliveries, or -1 if something went wrong; see traffic_fault.
int64_t traffic_run(void* handle, const Task* task, Score* score) {
    auto& traffic = *static_cast<Traffic*>(handle);
    if (!Run(traffic, *task, *score).all()) return -1;
    return static_cast<int64_t>(traffic.deliveries.size());
}

const char* traffic_fault(void* handle) { return static_cast<Traffic*>(handle)->fault.c_str(); }

void traffic_deliveries(void* handle, Delivery* deliveries) {
    for (const Delivery& delivery : static_cast<Traffic*>(handle)->deliveries) *deliveries++ = delivery;
}

}  // extern "C"
