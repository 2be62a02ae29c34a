// Steps a Verilated model, whose ports are read and written in place by sim/model.py.
//
// sim/model_library.py writes ports.h, a list of them from the header of the model, and defines
// VM_TRACE where waveforms are wanted.

#include <cstdint>
#include <memory>
#include <string>

#include "Vmodel.h"
#include "ports.h"
#include "verilated.h"
#if VM_TRACE
#include "verilated_vcd_c.h"
#endif

namespace {

// $stop, $fatal or a failed assertion in the design, or an error of the model itself.
struct Stopped {
    std::string said;
};

struct Model {
    VerilatedContext context;
    std::unique_ptr<Vmodel> top;
    std::string fault;
#if VM_TRACE
    VerilatedVcdC waves;
#endif

    explicit Model(const char* path) {
#if VM_TRACE
        context.traceEverOn(true);
#endif
        top = std::make_unique<Vmodel>(&context);
#if VM_TRACE
        top->trace(&waves, 99);
        waves.open(path);
        if (!waves.isOpen()) throw Stopped{"cannot write"};
#endif
    }

    void dump() {
#if VM_TRACE
        waves.dump(context.time());
#endif
    }

    void settle() { top->eval(); }

    // Inputs change while the clock is low. The state behind the falling edge is dumped with them.
    void cycle(uint8_t* clock) {
        settle();
        dump();
        context.timeInc(1);
        if (!clock) return;
        *clock = 1;
        settle();
        dump();
        context.timeInc(1);
        *clock = 0;
        settle();
    }

    void* port(int64_t index) {
#define PORT(direction, bits, member, name) &top->member,
        void* const addresses[] = {SPIKELET_PORTS(PORT) nullptr};
#undef PORT
        return addresses[index];
    }

    void close() {
        if (fault.empty()) top->final();
#if VM_TRACE
        dump();
        waves.close();
#endif
    }
};

}  // namespace

void vl_finish(const char*, int, const char*) { Verilated::threadContextp()->gotFinish(true); }

void vl_stop(const char* file, int line, const char*) {
    throw Stopped{std::string(file) + ":" + std::to_string(line) +
                  ": $stop, $fatal or an assertion that failed"};
}

void vl_fatal(const char* file, int line, const char*, const char* message) {
    throw Stopped{std::string(file) + ":" + std::to_string(line) + ": " + message};
}

extern "C" {

// A line for each port: direction, bits, name.
const char* model_ports() {
#define PORT(direction, bits, member, name) #direction " " #bits " " name "\n"
    return SPIKELET_PORTS(PORT) "";
#undef PORT
}

// NULL if the waveforms cannot be written.
void* model_create(const char* waves) {
    try {
        return std::make_unique<Model>(waves).release();
    } catch (const Stopped&) {
        return nullptr;
    }
}

void model_destroy(void* handle) {
    std::unique_ptr<Model> model(static_cast<Model*>(handle));
    try {
        model->close();
    } catch (const Stopped&) {
    }
}

void* model_port(void* handle, int64_t index) { return static_cast<Model*>(handle)->port(index); }

// Run so many cycles of a clock, or, without one, let as much time pass; 0 settles only. Returns the
// cycles done: fewer if the design ended or stopped. See model_fault.
int64_t model_step(void* handle, uint8_t* clock, int64_t cycles) {
    auto& model = *static_cast<Model*>(handle);
    int64_t done = 0;
    try {
        if (!cycles) model.settle();
        for (; done < cycles && !model.context.gotFinish(); ++done) model.cycle(clock);
    } catch (const Stopped& stopped) {
        model.fault = stopped.said;
    }
    return done;
}

const char* model_fault(void* handle) { return static_cast<Model*>(handle)->fault.c_str(); }

int32_t model_finished(void* handle) { return static_cast<Model*>(handle)->context.gotFinish(); }

}  // extern "C"
