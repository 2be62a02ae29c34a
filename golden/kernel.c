/* Compiled path of the golden model: a whole chip, sample by sample and tick by tick.
 *
 * The numpy modules of this folder say what is computed; here is the same, exactly, and fast. A tick
 * at a time keeps a chip's state in the nearest cache and needs no schedule of the cores: no spike is
 * due before the next tick, so within a tick the order of the cores does not matter.
 * golden/compiled.py mirrors the structures. What a plastic core learns is in learning_rule.c.
 */
#define WORDS (VECTOR_BYTES / 2)
/* Three sums for each of four vectors: twelve of the sixteen registers that AVX2 has. */
#define VECTORS 4
/* 257 times 255 is the most that 16 bits hold. */
#define ROWS_BEFORE_FLUSH 256
/* Columns whose weights a row holds in one piece, see add_rows. */
#define PIECE 64
typedef uint16_t vector __attribute__((vector_size(VECTOR_BYTES), may_alias));

enum { FLOOR, TOWARD_ZERO, NEAREST, NO_LEAK };
enum { CLEAR, CLEAR_DELAYED, SUBTRACT, SUBTRACT_DELAYED, SUBTRACT_RESIDUAL };

struct destination {
    int32_t core, axon, delay; /* core -1: the host, where the axon is the output line */
};

struct route {
    int32_t input, core, axon, delay, length; /* input + i goes to axon + i, for i < length */
};

/* Learning of a plastic core, see learning_rule.c. */
typedef void before_update(void *learning, const uint16_t *active, int32_t n_active,
                           const int32_t *v, int32_t reward, int32_t *sums);
typedef void after_update(void *learning, int64_t tick, const uint16_t *active, int32_t n_active,
                          const uint8_t *spikes, int32_t reward);

struct core {
    int32_t n_axons, n_neurons, row_bytes, slots, first_tick, rounding, reset_mode;
    int32_t v_min, v_max, weight_exponent, weight_min, rows_in_byte, inhibition;
    int32_t increment, decay_shift, fraction_bits, largest; /* of the adaptation, where it changes */
    const uint8_t *weights;                               /* (n_axons, row_bytes), see add_rows */
    const int32_t *threshold, *decay, *bias, *reset;      /* (row_bytes) */
    const int32_t *first_destination;                     /* (n_neurons + 1) */
    const struct destination *destinations;
    void *learning;                                       /* NULL: not plastic */
    before_update *before;
    after_update *after;
};

struct run {
    int64_t first_sample, last_sample, ticks, input_ticks, n_inputs, n_cores, n_outputs;
    int64_t clear, first_tick; /* whether samples start cleared; else the first tick since then */
    const uint8_t *input; /* (samples, input_ticks, n_inputs), or NULL: the events below */
    const struct route *routes;
    int64_t n_routes;
    const int64_t *offsets; /* (samples * ticks + 1) */
    const int32_t *event_core, *event_axon, *event_delay;
    uint16_t *outputs; /* (samples, ticks, n_outputs) */
    int32_t *active;   /* (samples, ticks, n_cores) */
    int32_t *merged;   /* (samples, n_cores) */
    const int32_t *rewards; /* (samples, ticks) */
    const struct probe *probes;
    int64_t n_probes;
};

/* Rows of `bytes` each to be recorded after every tick. */
struct probe {
    const uint8_t *from;
    uint8_t *to; /* (samples, ticks, rows, bytes) */
    int64_t rows, stride, bytes;
};

struct state {
    int32_t n_axons, slots;
    int32_t *v, *fired, *sums;  /* fired: 0 or -1, ready to be a mask */
    int32_t *threshold, *bias;  /* of the coming update: the core's, or with what is added to them */
    int32_t *adaptation;        /* NULL where it does not change */
    uint8_t *spikes;            /* fired as 0 or 1 */
    uint8_t *due;               /* (slots, n_axons): the axon bitmap, 0 or 1 */
    uint16_t *active;           /* (n_axons): the axons of this tick that are set in it */
    uint8_t *cleared;           /* all that `clear` sets to 0 */
    int64_t cleared_bytes;
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

/* The statements of lif_update.py. Constant modes leave one straight vector loop for each profile. */
INLINE void lif_update(const struct core *core, const struct state *state, const int rounding,
                       const int mode)
{
    const int subtracts = mode >= SUBTRACT;
    const int delayed = mode == CLEAR_DELAYED || mode == SUBTRACT_DELAYED;
    const int32_t *thresholds = state->threshold, *decays = core->decay, *biases = state->bias;
    const int32_t *resets = core->reset, *sums = state->sums;
    const int32_t v_min = core->v_min, v_max = core->v_max, exponent = core->weight_exponent;
    int32_t *vs = state->v, *fireds = state->fired;
    uint8_t *spikes = state->spikes;
    /* What is added to the current is at most 2**25, so beyond 2**28 it saturates all the same. */
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

/* Lower the biases of those that did not fire, if some neuron did. */
static void inhibit(const struct core *core, struct state *state)
{
    int32_t any = 0;
    for (int n = 0; n < core->n_neurons; n++)
        any |= state->fired[n];
    for (int n = 0; n < core->n_neurons; n++)
        state->bias[n] = core->bias[n] - (any & ~state->fired[n] & core->inhibition);
}

/* Let adaptations decay and rise, and the thresholds follow. */
static void adapt(const struct core *core, struct state *state)
{
    const int32_t shift = core->decay_shift, most = (1 << shift) - 1, largest = core->largest;
    for (int n = 0; n < core->n_neurons; n++) {
        int32_t value = state->adaptation[n];
        value -= shift ? (value + most) >> shift : 0;
        value += core->increment & state->fired[n];
        state->adaptation[n] = value < largest ? value : largest;
        int32_t threshold = core->threshold[n] + (state->adaptation[n] >> core->fraction_bits);
        state->threshold[n] = threshold < core->v_max ? threshold : core->v_max;
    }
}

/* Return the place of an axon in the bitmap `delay` ticks from now; the core has the slots for it. */
INLINE uint8_t *due_at(const struct state *state, int64_t now, int axon, int delay)
{
    return state->due + ((now + delay) & (state->slots - 1)) * state->n_axons + axon;
}

INLINE void arrive(struct state *state, int64_t now, int axon, int delay)
{
    uint8_t *due = due_at(state, now, axon, delay);
    state->merged += *due;
    *due = 1;
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

static void take_inputs(struct state *states, const struct run *run, int64_t sample, int64_t tick,
                        int64_t now)
{
    if (!run->input) {
        int64_t at = sample * run->ticks + tick;
        for (int64_t i = run->offsets[at]; i < run->offsets[at + 1]; i++)
            arrive(&states[run->event_core[i]], now, run->event_axon[i], run->event_delay[i]);
    } else if (tick < run->input_ticks) {
        const uint8_t *input = run->input + (sample * run->input_ticks + tick) * run->n_inputs;
        for (int64_t i = 0; i < run->n_routes; i++) {
            struct route route = run->routes[i];
            struct state *state = &states[route.core];
            uint8_t *due = due_at(state, now, route.axon, route.delay);
            arrive_row(state, due, input + route.input, route.length);
        }
    }
}

static NOINLINE void emit(const struct core *core, struct state *states, const uint8_t *spikes,
                          int64_t now, uint16_t *outputs)
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
                arrive(&states[to.core], now, to.axon, to.delay);
        }
    })
}

static NOINLINE void list_active(const struct core *core, struct state *state, int64_t now)
{
    uint8_t *due = due_at(state, now, 0, 0);
    state->n_active = list_nonzero(due, core->n_axons, state->active);
    memset(due, 0, core->n_axons);
}

static void run_core(const struct core *core, struct state *state, int64_t now, int32_t reward)
{
    list_active(core, state, now);
    if (now < core->first_tick)
        return;
    if (core->learning)
        core->before(core->learning, state->active, state->n_active, state->v, reward, state->sums);
    else
        synaptic_sums(core, state);
    if (core->inhibition)
        inhibit(core, state);
    update(core, state);
    if (core->learning)
        core->after(core->learning, now, state->active, state->n_active, state->spikes, reward);
    if (state->adaptation)
        adapt(core, state);
}

static void record(const struct run *run, int64_t row)
{
    for (int64_t i = 0; i < run->n_probes; i++) {
        struct probe probe = run->probes[i];
        for (int64_t k = 0; k < probe.rows; k++)
            memcpy(probe.to + (row * probe.rows + k) * probe.bytes, probe.from + k * probe.stride,
                   probe.bytes);
    }
}

static void run_sample(const struct core *cores, struct state *states, const struct run *run,
                       int64_t sample)
{
    int64_t before = run->clear ? 0 : run->first_tick + (sample - run->first_sample) * run->ticks;
    for (int64_t tick = 0; tick < run->ticks; tick++) {
        int64_t row = sample * run->ticks + tick, now = before + tick;
        take_inputs(states, run, sample, tick, now);
        for (int64_t i = 0; i < run->n_cores; i++) {
            run_core(&cores[i], &states[i], now, run->rewards[row]);
            run->active[row * run->n_cores + i] = states[i].n_active;
            emit(&cores[i], states, states[i].spikes, now, run->outputs + row * run->n_outputs);
        }
        record(run, row);
    }
}

/* Run samples first_sample up to, not including, last_sample. */
void spikelet_golden_run(const struct core *cores, struct state *states, const struct run *run)
{
    for (int64_t sample = run->first_sample; sample < run->last_sample; sample++) {
        for (int64_t i = 0; i < run->n_cores; i++) {
            if (run->clear)
                memset(states[i].cleared, 0, states[i].cleared_bytes);
            states[i].merged = 0;
        }
        run_sample(cores, states, run, sample);
        for (int64_t i = 0; i < run->n_cores; i++)
            run->merged[sample * run->n_cores + i] = states[i].merged;
    }
}
