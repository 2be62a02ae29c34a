/* Compiled path of the golden model: a whole chip, sample by sample and tick by tick.
 *
 * The numpy modules of this folder say what is computed; here is the same, exactly, and fast. A tick
 * at a time keeps a chip's state in the nearest cache and needs no schedule of the cores: no spike is
 * due before the next tick, so within a tick the order of the cores does not matter.
 * golden/compiled.py mirrors the structures.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef __AVX512BW__
#include <immintrin.h>
#define VECTOR_BYTES 64
#else
#define VECTOR_BYTES 32
#endif
#define INLINE static inline __attribute__((always_inline))
#define NOINLINE __attribute__((noinline)) /* loops that need the registers for themselves */
#define WORDS (VECTOR_BYTES / 2)
/* Three sums for each of four vectors: twelve of the sixteen registers that AVX2 has. */
#define VECTORS 4
/* 257 times 255 is the most that 16 bits hold. */
#define ROWS_BEFORE_FLUSH 256
/* Columns whose weights a row holds in one piece, see add_rows. */
#define PIECE 64
/* Neurons of which the update is one straight piece of code. */
#define BLOCK 64

typedef uint16_t vector __attribute__((vector_size(VECTOR_BYTES), may_alias));

enum { FLOOR, TOWARD_ZERO, NEAREST, NO_LEAK };
enum { CLEAR, CLEAR_DELAYED, SUBTRACT, SUBTRACT_DELAYED, SUBTRACT_RESIDUAL };

struct destination {
    int32_t core, axon, delay; /* core -1: the host, where the axon is the output line */
};

struct route {
    int32_t input, core, axon, delay, length; /* input + i goes to axon + i, for i < length */
};

struct core {
    int32_t n_axons, n_neurons, row_bytes, slots, first_tick, rounding, reset_mode;
    int32_t v_min, v_max, weight_exponent, weight_min, rows_in_byte;
    const uint8_t *weights;                               /* (n_axons, row_bytes), see add_rows */
    const int32_t *threshold, *decay, *bias, *reset;      /* (row_bytes) */
    const int32_t *first_destination;                     /* (n_neurons + 1) */
    const struct destination *destinations;
    uint8_t *spikes;     /* (samples, ticks, n_neurons), or NULL */
    int32_t *potentials; /* likewise */
};

struct run {
    int64_t first_sample, last_sample, ticks, input_ticks, n_inputs, n_cores, n_outputs;
    const uint8_t *input; /* (samples, input_ticks, n_inputs), or NULL: the events below */
    const struct route *routes;
    int64_t n_routes;
    const int64_t *offsets; /* (samples * ticks + 1) */
    const int32_t *event_core, *event_axon, *event_delay;
    uint16_t *outputs; /* (samples, ticks, n_outputs) */
    int32_t *active;   /* (samples, ticks, n_cores) */
    int32_t *merged;   /* (samples, n_cores) */
};

struct state {
    int32_t n_axons, slots;
    int32_t *v, *fired, *sums; /* fired: 0 or -1, ready to be a mask */
    uint8_t *spikes;           /* the same as 0 or 1 */
    uint8_t *due;              /* (slots, n_axons): the axon bitmap, 0 or 1 */
    uint16_t *active;          /* (n_axons): the axons of this tick that are set in it */
    int32_t n_active, merged;
};

/* Add the active rows, in as many columns as `vectors` registers have bytes.
 *
 * Weights are stored as W - weight_min, so 0..255. Bytes are added two at a time as 16-bit words,
 * which is safe for `rows_in_byte` rows, since no byte overflows into its neighbour; only then are
 * they parted. The lower bytes of a piece are its columns 0..31, the upper ones 32..63, so that the
 * parted sums lie in order. Constant `vectors` keeps all sums in registers.
 */
INLINE void add_rows(const struct core *core, int column, const uint16_t *active, int n_active,
                     int32_t *sums, const int vectors)
{
    const uint8_t *weights = core->weights + column;
    const size_t row_bytes = core->row_bytes;
    for (int k = 0; k < n_active;) {
        vector lower[VECTORS] = {{0}}, upper[VECTORS] = {{0}};
        int flush = k + ROWS_BEFORE_FLUSH < n_active ? k + ROWS_BEFORE_FLUSH : n_active;
        while (k < flush) {
            vector pairs[VECTORS] = {{0}};
            int part = k + core->rows_in_byte < flush ? k + core->rows_in_byte : flush;
            for (; k < part; k++) {
                const vector *row = (const vector *)(weights + active[k] * row_bytes);
                for (int i = 0; i < vectors; i++)
                    pairs[i] += row[i];
            }
            for (int i = 0; i < vectors; i++) {
                lower[i] += pairs[i] & 255;
                upper[i] += pairs[i] >> 8;
            }
        }
        for (int i = 0; i < vectors; i++) {
            int32_t *to = sums + column + i * WORDS / 32 * PIECE + i * WORDS % 32;
            for (int word = 0; word < WORDS; word++) {
                to[word] += lower[i][word];
                to[word + 32] += upper[i][word];
            }
        }
    }
}

static NOINLINE void synaptic_sums(const struct core *core, const struct state *state)
{
    const int row_bytes = core->row_bytes, offset = core->weight_min * state->n_active;
    int32_t *sums = state->sums;
    int column = 0;
    for (int i = 0; i < row_bytes; i++)
        sums[i] = offset;
    for (; column + VECTORS * VECTOR_BYTES <= row_bytes; column += VECTORS * VECTOR_BYTES)
        add_rows(core, column, state->active, state->n_active, sums, VECTORS);
    for (; column < row_bytes; column += PIECE)
        add_rows(core, column, state->active, state->n_active, sums, PIECE / VECTOR_BYTES);
}

INLINE int32_t clamp(int32_t x, int32_t low, int32_t high)
{
    x = x < low ? low : x;
    return x > high ? high : x;
}

/* The statements of lif_update.py. Constant modes leave one straight vector loop for each profile. */
INLINE void lif_update(const struct core *core, const struct state *state, const int rounding,
                       const int mode)
{
    const int subtracts = mode >= SUBTRACT;
    const int delayed = mode == CLEAR_DELAYED || mode == SUBTRACT_DELAYED;
    const int32_t *thresholds = core->threshold, *decays = core->decay, *biases = core->bias;
    const int32_t *resets = core->reset, *sums = state->sums;
    const int32_t v_min = core->v_min, v_max = core->v_max, exponent = core->weight_exponent;
    int32_t *vs = state->v, *fireds = state->fired;
    uint8_t *spikes = state->spikes;
    /* What is added to the current stays below 2**25, so beyond 2**28 it saturates all the same. */
    const int32_t most = (1 << 28) >> exponent;
    for (int block = 0; block < core->n_neurons; block += BLOCK) {
#pragma GCC ivdep
        for (int n = block; n < block + BLOCK; n++) {
            int32_t v = vs[n], threshold = thresholds[n];
            int32_t pending = delayed                     ? fireds[n]
                              : mode == SUBTRACT_RESIDUAL ? -(v > threshold)
                                                          : 0;
            int32_t base = subtracts ? v : (v & ~pending) | (resets[n] & pending);
            /* base * decay needs 36 bits: its upper part is a multiple of 4096, rounded by nothing. */
            int32_t half = rounding == NEAREST                     ? 2048
                           : rounding == TOWARD_ZERO && base < 0 ? 4095
                                                                   : 0;
            int32_t leaked = rounding == NO_LEAK ? base
                                                 : (base >> 12) * decays[n] +
                                                       (((base & 4095) * decays[n] + half) >> 12);
            int32_t lowered = subtracts ? pending & threshold : 0;
            uint32_t current = (uint32_t)clamp(sums[n], -most, most) << exponent;
            int32_t summed = leaked + (int32_t)current + biases[n] - lowered;
            int32_t clipped = clamp(summed, v_min, v_max);
            int32_t fires = -(clipped > threshold);
            int32_t next = delayed ? clipped : (clipped & ~fires) | (resets[n] & fires);
            if (subtracts && !delayed)
                next = clamp(clipped + lowered - (threshold & fires), v_min, v_max);
            vs[n] = next;
            fireds[n] = fires;
        }
#pragma GCC ivdep
        for (int n = block; n < block + BLOCK; n++)
            spikes[n] = fireds[n] & 1;
    }
}

static NOINLINE void update(const struct core *core, const struct state *state)
{
#define MODES(rounding)                                                                            \
    case rounding:                                                                                 \
        switch (core->reset_mode) {                                                                \
        case CLEAR: lif_update(core, state, rounding, CLEAR); break;                               \
        case CLEAR_DELAYED: lif_update(core, state, rounding, CLEAR_DELAYED); break;               \
        case SUBTRACT: lif_update(core, state, rounding, SUBTRACT); break;                         \
        case SUBTRACT_DELAYED: lif_update(core, state, rounding, SUBTRACT_DELAYED); break;         \
        default: lif_update(core, state, rounding, SUBTRACT_RESIDUAL);                             \
        }                                                                                          \
        break;
    switch (core->rounding) {
        MODES(FLOOR)
        MODES(TOWARD_ZERO)
        MODES(NEAREST)
        MODES(NO_LEAK)
    }
#undef MODES
}

/* Return the place of an axon in the bitmap `delay` ticks from now; the core has the slots for it. */
INLINE uint8_t *due_at(const struct state *state, int64_t tick, int axon, int delay)
{
    return state->due + ((tick + delay) & (state->slots - 1)) * state->n_axons + axon;
}

INLINE void arrive(struct state *state, int64_t tick, int axon, int delay)
{
    uint8_t *due = due_at(state, tick, axon, delay);
    state->merged += *due;
    *due = 1;
}

/* One bit for each of up to 64 bytes: 1 where it is not zero. So one branch ends a run of 64. */
INLINE uint64_t nonzero_bits(const uint8_t *bytes, int64_t n_bytes)
{
#ifdef __AVX512BW__
    __m512i all = _mm512_maskz_loadu_epi8(~(uint64_t)0 >> (64 - n_bytes), bytes);
    return _mm512_test_epi8_mask(all, all);
#else
    uint64_t bits = 0;
    for (int64_t first = 0; first < n_bytes; first += 8) {
        uint64_t word = 0;
        memcpy(&word, bytes + first, n_bytes - first < 8 ? n_bytes - first : 8);
        if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
            word = __builtin_bswap64(word);
        word |= word >> 4;
        word |= word >> 2;
        word |= word >> 1;
        bits |= ((word & 0x0101010101010101) * 0x0102040810204080 >> 56) << first;
    }
    return bits;
#endif
}

/* Run `visit` with each index of a byte that is not zero. */
#define FOR_EACH_NONZERO(bytes, n_bytes, index, visit)                                             \
    for (int64_t first = 0; first < (n_bytes); first += 64) {                                      \
        int64_t left = (n_bytes)-first;                                                            \
        uint64_t bits = nonzero_bits((bytes) + first, left < 64 ? left : 64);                      \
        for (; bits; bits &= bits - 1) {                                                           \
            int64_t index = first + __builtin_ctzll(bits);                                         \
            visit                                                                                  \
        }                                                                                          \
    }

/* Let a row of inputs arrive; the two plain loops are vectors of bytes, and few spikes ever merge. */
static NOINLINE void arrive_row(struct state *state, uint8_t *restrict due,
                                const uint8_t *restrict input, int length)
{
    uint8_t merging = 0;
    for (int i = 0; i < length; i++)
        merging |= due[i] & (input[i] != 0);
    for (int i = 0; merging && i < length; i++)
        state->merged += due[i] & (input[i] != 0);
    for (int i = 0; i < length; i++)
        due[i] |= input[i] != 0;
}

static void take_inputs(struct state *states, const struct run *run, int64_t sample, int64_t tick)
{
    if (!run->input) {
        int64_t at = sample * run->ticks + tick;
        for (int64_t i = run->offsets[at]; i < run->offsets[at + 1]; i++)
            arrive(&states[run->event_core[i]], tick, run->event_axon[i], run->event_delay[i]);
    } else if (tick < run->input_ticks) {
        const uint8_t *input = run->input + (sample * run->input_ticks + tick) * run->n_inputs;
        for (int64_t i = 0; i < run->n_routes; i++) {
            struct route route = run->routes[i];
            struct state *state = &states[route.core];
            uint8_t *due = due_at(state, tick, route.axon, route.delay);
            arrive_row(state, due, input + route.input, route.length);
        }
    }
}

static NOINLINE void emit(const struct core *core, struct state *states, const uint8_t *spikes,
                          int64_t tick, uint16_t *outputs)
{
    if (!core->first_destination[core->n_neurons])
        return;
    FOR_EACH_NONZERO(spikes, core->n_neurons, neuron, {
        int32_t last = core->first_destination[neuron + 1];
        for (int32_t i = core->first_destination[neuron]; i < last; i++) {
            struct destination to = core->destinations[i];
            if (to.core < 0)
                outputs[to.axon]++;
            else
                arrive(&states[to.core], tick, to.axon, to.delay);
        }
    })
}

/* Eight at a time without asking, since a branch that depends on the data costs more than eight;
 * `active` has room for what is written past its end. */
static NOINLINE void list_active(const struct core *core, struct state *state, int64_t tick)
{
    uint8_t *due = due_at(state, tick, 0, 0);
    int n_active = 0;
    for (int first = 0; first < core->n_axons; first += 64) {
        int left = core->n_axons - first;
        uint64_t bits = nonzero_bits(due + first, left < 64 ? left : 64);
        for (int count = __builtin_popcountll(bits); count > 0; count -= 8) {
            for (int i = 0; i < 8; i++, bits &= bits - 1)
                state->active[n_active + i] = (uint16_t)(first + (bits ? __builtin_ctzll(bits) : 0));
            n_active += count < 8 ? count : 8;
        }
    }
    state->n_active = n_active;
    memset(due, 0, core->n_axons);
}

static void run_sample(const struct core *cores, struct state *states, const struct run *run,
                       int64_t sample)
{
    for (int64_t tick = 0; tick < run->ticks; tick++) {
        int64_t row = sample * run->ticks + tick;
        take_inputs(states, run, sample, tick);
        for (int64_t i = 0; i < run->n_cores; i++) {
            const struct core *core = &cores[i];
            list_active(core, &states[i], tick);
            run->active[row * run->n_cores + i] = states[i].n_active;
            if (tick >= core->first_tick) {
                synaptic_sums(core, &states[i]);
                update(core, &states[i]);
            }
            emit(core, states, states[i].spikes, tick, run->outputs + row * run->n_outputs);
            size_t n = core->n_neurons;
            if (core->spikes)
                memcpy(core->spikes + row * n, states[i].spikes, n);
            if (core->potentials)
                memcpy(core->potentials + row * n, states[i].v, n * sizeof(int32_t));
        }
    }
    for (int64_t i = 0; i < run->n_cores; i++)
        run->merged[sample * run->n_cores + i] = states[i].merged;
}

/* Cut the state of one core from `memory`, or only measure it; a line of cache is 64 bytes. */
static size_t place_state(const struct core *core, struct state *state, uint8_t *memory)
{
    size_t used = 0;
#define TAKE(field, count)                                                                         \
    state->field = (void *)((uintptr_t)memory + used);                                             \
    used += ((count) * sizeof(*state->field) + 63) & ~(size_t)63;
    TAKE(v, core->row_bytes)
    TAKE(fired, core->row_bytes)
    TAKE(sums, core->row_bytes)
    TAKE(spikes, core->row_bytes)
    TAKE(due, (size_t)core->slots * core->n_axons)
    TAKE(active, core->n_axons + 8)
#undef TAKE
    state->n_axons = core->n_axons;
    state->slots = core->slots;
    state->merged = 0;
    return used;
}

/* Run samples first_sample up to, not including, last_sample; return 0, or 1 without memory. */
int32_t spikelet_golden_run(const struct core *cores, const struct run *run)
{
    struct state *states = calloc(run->n_cores, sizeof(struct state));
    size_t bytes = 0, used;
    for (int64_t i = 0; states && i < run->n_cores; i++)
        bytes += place_state(&cores[i], &states[i], 0);
    uint8_t *memory = states ? aligned_alloc(64, bytes) : NULL;
    for (int64_t sample = run->first_sample; memory && sample < run->last_sample; sample++) {
        memset(memory, 0, bytes);
        used = 0;
        for (int64_t i = 0; i < run->n_cores; i++)
            used += place_state(&cores[i], &states[i], memory + used);
        run_sample(cores, states, run, sample);
    }
    free(memory);
    free(states);
    return memory == NULL;
}
