// Drives a Verilated chip by whole samples, so that Python is called once per batch.
//
// Compiled together with the model that Verilator makes of a chip, whose ports are the same whether
// the Verilog is the generator's or a netlist. See sim/engine.py for the other side.

#include <cstdint>
#include <memory>

#include "Vchip.h"
#include "verilated.h"

// Verilator spells the two underscores between a stream and its member this way.
#define PORT(stream, member) stream##___05F##member

namespace {

struct Chip {
    VerilatedContext context;
    Vchip top{&context};
    uint64_t cycles = 0;

    void clock() {
        top.clk = 1;
        top.eval();
        top.clk = 0;
        top.eval();
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

    void read(int64_t n, const uint32_t* addresses, uint32_t* data) {
        int64_t requested = 0, received = 0;
        while (received < n) {
            if (requested < n) {
                request(addresses[requested++], 0, false);
            } else {
                top.PORT(config_request, valid) = 0;
            }
            clock();
            if (top.PORT(config_response, valid)) data[received++] = top.PORT(config_response, payload);
        }
        top.PORT(config_request, valid) = 0;
    }
};

}  // namespace

extern "C" {

void* spikelet_create() {
    auto chip = std::make_unique<Chip>();
    chip->reset();
    return chip.release();
}

void spikelet_destroy(void* handle) { delete static_cast<Chip*>(handle); }

uint64_t spikelet_cycles(void* handle) { return static_cast<Chip*>(handle)->cycles; }

// Write n words; `writes` holds address and data in turn.
void spikelet_write(void* handle, int64_t n, const uint32_t* writes) {
    static_cast<Chip*>(handle)->write(n, writes, writes + 1, 2);
}

// Returns whether the chip was cleared within `limit` cycles.
int32_t spikelet_clear(void* handle, int64_t limit) {
    return static_cast<Chip*>(handle)->run(false, limit, [](uint32_t) {});
}

void spikelet_read(void* handle, int64_t n, const uint32_t* addresses, uint32_t* data) {
    static_cast<Chip*>(handle)->read(n, addresses, data);
}

// Run samples, each from a cleared state if `clear`. Before tick i, settings[i] are written, and the
// flits offsets[i] .. offsets[i + 1] sent; during it, outputs[i][flit & output_mask] is counted up,
// as far as there is such a line: a chip sends what its table says; after it, the probes are read.
// Returns the ticks done: fewer than samples * ticks if one took more than `limit` cycles.
int64_t spikelet_run(void* handle, int64_t samples, int64_t ticks, int32_t clear,
                     const int64_t* offsets, const uint32_t* flits, int64_t n_settings,
                     const uint32_t* setting_addresses, const uint32_t* settings,
                     int64_t n_probes, const uint32_t* probes, uint32_t* probe_data,
                     int64_t n_outputs, uint32_t output_mask,
                     uint16_t* outputs, int64_t limit) {
    auto& chip = *static_cast<Chip*>(handle);
    auto& top = chip.top;
    for (int64_t i = 0; i < samples * ticks; ++i) {
        if (clear && i % ticks == 0 && !chip.run(false, limit, [](uint32_t) {})) return i;
        chip.write(n_settings, setting_addresses, settings + i * n_settings, 1);
        for (int64_t event = offsets[i]; event < offsets[i + 1];) {
            top.PORT(event_in, payload) = flits[event];
            top.PORT(event_in, valid) = 1;
            event += top.PORT(event_in, ready);
            chip.clock();
        }
        top.PORT(event_in, valid) = 0;
        uint16_t* counts = outputs + i * n_outputs;
        const auto count = [=](uint32_t flit) {
            if ((flit & output_mask) < n_outputs) ++counts[flit & output_mask];
        };
        if (!chip.run(true, limit, count)) return i;
        chip.read(n_probes, probes, probe_data + i * n_probes);
    }
    return samples * ticks;
}

}  // extern "C"
