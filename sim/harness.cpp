// Drives a Verilated chip by whole samples, so that Python is called once per batch.
//
// Compiled together with the model that Verilator makes of a chip, whose ports are the same whether
// the Verilog is the generator's or a netlist. See sim/verilated_link.py for the other side, which
// defines RISING_EDGES_ONLY: whether nothing in the design looks at a falling edge.

#include <cstdint>
#include <memory>

#include "Vchip.h"
#include "Vchip___024root.h"
#include "verilated.h"

// Verilator spells the two underscores between a stream and its member this way.
#define PORT(stream, member) stream##___05F##member

// Samples to run, each from a cleared state if `clear`. Before tick i, values[i] are written to the
// settings, and the flits offsets[i] .. offsets[i + 1] sent; during it, outputs[i][flit & output_mask]
// is counted up, as far as there is such a line: a chip sends what its table says; by 1, or by
// flit >> count_shift if that is not 0; after it, the probes are read. Where `stop` is an address,
// from 0, its word is read then, too, and ends the sample if it is not 0. ticks_run[sample] is how
// many ticks were run.
struct Run {
    int64_t samples, ticks, clear, limit, n_settings, n_probes, n_outputs, output_mask;
    int64_t count_shift, stop;
    const int64_t* offsets;     // (samples * ticks + 1)
    const uint32_t* flits;
    const uint32_t* settings;   // addresses
    const uint32_t* values;     // (samples, ticks, n_settings)
    const uint32_t* probes;     // addresses
    uint32_t* words;            // (samples, ticks, n_probes)
    uint16_t* outputs;          // (samples, ticks, n_outputs)
    int64_t* ticks_run;         // (samples)
};

// The model's evaluation, of which top.eval() is one part: the others make the model, and then ask in
// each cycle, under a lock, for objects and messages of the design, which RTL of chips has not.
void Vchip___024root___eval(Vchip___024root* root);

namespace {

constexpr int64_t PATIENCE = 1 << 16;

// Let a model forget that its clock was high, so that it need not be evaluated at the falling edge to
// see the next rising one. False if its root has no such member.
template <typename Root>
auto forget_clock(Root& root, int) -> decltype(root.__Vtrigprevexpr___TOP__clk__0, true) {
    root.__Vtrigprevexpr___TOP__clk__0 = 0;
    return true;
}

template <typename Root> bool forget_clock(Root&, long) { return false; }

struct Chip {
    VerilatedContext context;
    Vchip top;
    uint64_t cycles = 0;

    // What has no initial value begins with random ones if `seed` is not 0. The model draws them from
    // the context of the thread while it is made.
    explicit Chip(int32_t seed) : top{seeded(context, seed)} {}

    static VerilatedContext* seeded(VerilatedContext& context, int32_t seed) {
        if (seed) {
            Verilated::threadContextp(&context);
            context.randReset(2);
            context.randSeed(seed);
        }
        return &context;
    }

    void clock() {
        top.clk = 1;
        if (RISING_EDGES_ONLY && cycles) {
            Vchip___024root___eval(top.rootp);
        } else {
            top.eval();
        }
        top.clk = 0;
        if (!RISING_EDGES_ONLY || !forget_clock(*top.rootp, 0)) top.eval();
        ++cycles;
    }

    void reset() {
        top.clk = 0;
        top.PORT(event_in, valid) = 0;
        top.PORT(event_out, ready) = 1;
        top.PORT(config_request, valid) = 0;
        top.start = 0;
        top.clear = 0;
        top.rst = 1;
        clock();
        clock();
        top.rst = 0;
        top.eval();
    }

    void request(uint32_t address, uint32_t data, bool write) {
        top.PORT(config_request, payload)[0] = address;
        top.PORT(config_request, payload)[1] = data;
        top.PORT(config_request, payload)[2] = write;
        top.PORT(config_request, valid) = 1;
    }

    // Strobe start or clear, and wait until the chip is no longer busy. False after `limit` cycles.
    template <typename Sink> bool run(bool start, uint64_t limit, Sink sink) {
        top.start = start;
        top.clear = !start;
        clock();
        top.start = 0;
        top.clear = 0;
        for (uint64_t cycle = 0; top.busy; ++cycle) {
            if (cycle == limit) return false;
            if (top.PORT(event_out, valid)) sink(static_cast<uint32_t>(top.PORT(event_out, payload)));
            clock();
        }
        return true;
    }

    // Write n words; addresses and data are `stride` apart.
    void write(int64_t n, const uint32_t* addresses, const uint32_t* data, int64_t stride) {
        for (int64_t i = 0; i < n; ++i) {
            request(addresses[i * stride], data[i * stride], true);
            clock();
        }
        top.PORT(config_request, valid) = 0;
    }

    // Returns how many words were answered: fewer than n of a chip that is silent for PATIENCE cycles.
    int64_t read(int64_t n, const uint32_t* addresses, uint32_t* data) {
        int64_t requested = 0, received = 0, silent = 0;
        while (received < n && silent < PATIENCE) {
            if (requested < n) {
                request(addresses[requested++], 0, false);
            } else {
                top.PORT(config_request, valid) = 0;
            }
            clock();
            ++silent;
            if (top.PORT(config_response, valid)) {
                data[received++] = top.PORT(config_response, payload);
                silent = 0;
            }
        }
        top.PORT(config_request, valid) = 0;
        return received;
    }
};

}  // namespace

extern "C" {

void* spikelet_create(int32_t power_on_seed) {
    auto chip = std::make_unique<Chip>(power_on_seed);
    chip->reset();
    return chip.release();
}

void spikelet_destroy(void* handle) { delete static_cast<Chip*>(handle); }

uint64_t spikelet_cycles(void* handle) { return static_cast<Chip*>(handle)->cycles; }

// Write n words; `writes` holds address and data in turn.
void spikelet_write(void* handle, int64_t n, const uint32_t* writes) {
    static_cast<Chip*>(handle)->write(n, writes, writes + 1, 2);
}

int64_t spikelet_read(void* handle, int64_t n, const uint32_t* addresses, uint32_t* data) {
    return static_cast<Chip*>(handle)->read(n, addresses, data);
}

// Returns -1, or the tick that took more than `limit` cycles, or of which the clear or an event did.
int64_t spikelet_run(void* handle, const Run* request) {
    const Run run = *request;
    auto& chip = *static_cast<Chip*>(handle);
    auto& top = chip.top;
    for (int64_t sample = 0; sample < run.samples; ++sample) {
        const int64_t first = sample * run.ticks;
        if (run.clear && !chip.run(false, run.limit, [](uint32_t) {})) return first;
        for (int64_t i = first; i < first + run.ticks; ++i) {
            chip.write(run.n_settings, run.settings, run.values + i * run.n_settings, 1);
            int64_t waited = 0;
            for (int64_t event = run.offsets[i]; event < run.offsets[i + 1];) {
                top.PORT(event_in, payload) = run.flits[event];
                top.PORT(event_in, valid) = 1;
                const bool taken = top.PORT(event_in, ready);
                event += taken;
                waited = taken ? 0 : waited + 1;
                if (waited > run.limit) return i;
                chip.clock();
            }
            top.PORT(event_in, valid) = 0;
            uint16_t* counts = run.outputs + i * run.n_outputs;
            const auto count = [=](uint32_t flit) {
                const int64_t line = flit & run.output_mask;
                if (line < run.n_outputs) counts[line] += run.count_shift ? flit >> run.count_shift : 1;
            };
            if (!chip.run(true, run.limit, count)) return i;
            chip.read(run.n_probes, run.probes, run.words + i * run.n_probes);
            ++run.ticks_run[sample];
            if (run.stop >= 0) {
                const uint32_t address = static_cast<uint32_t>(run.stop);
                uint32_t stopped = 0;
                chip.read(1, &address, &stopped);
                if (stopped) break;
            }
        }
    }
    return -1;
}

}  // extern "C"
