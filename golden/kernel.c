/* Compiled path of the golden model: a whole chip, sample by sample and tick by tick.
 *
 * The numpy modules of this folder say what is computed; here is the same, exactly, and fast. A tick
 * at a time keeps a chip's state in the nearest cache and needs no schedule of the cores: no spike is
 * due before the next tick, so within a tick the order of the cores does not matter.
 * golden/native.py mirrors the structures. Synaptic sums are in kernel_sums.c, what a plastic core
 * learns in learning_rule.c.
 *
 * A large chip does not fit the cache, so what will be needed at places that follow no order is
 * fetched ahead: the weights of the next core, and where the spikes go.
 */
#define LINE 64 /* bytes of a cache line */
/* Entries that are written at once, whether or not all are wanted: fewer than SPARE. */
#define CHUNK 16
/* Spikes between two steps of their emission: time for a word to come from memory. */
#define STRIDE 32

enum { HOST = -1, LIST = -2 }; /* in place of a core */

/* LIST is in place of a neuron's only destination, and ends each list. */
struct destination {
    int16_t core, delay;
    int32_t place; /* in the axon bitmaps; of HOST the output line; of LIST its first entry */
};

struct route {
    int32_t input, core, axon, delay, length; /* input + i goes to axon + i, for i < length */
};

/* Learning of a plastic core, see learning_rule.c. */
typedef void before_update(void *learning, const uint16_t *active, int32_t n_active,
                           const uint16_t *sent, int32_t n_sent, const int32_t *v, int32_t reward,
                           int32_t *sums);
typedef void after_update(void *learning, int64_t tick, const uint16_t *active, int32_t n_active,
                          const uint8_t *spikes, int32_t reward);

/* One tick of all neurons, see neuron_update.c. */
typedef void neuron_update(int32_t columns, int32_t weight_exponent, int32_t learning, uint32_t key,
                           int32_t others, const int32_t *sums, const int64_t *constants, void *const *rows);

struct core {
    int32_t n_neurons;
    int32_t first_word, n_words; /* of its axons in the axon bitmaps */
    int32_t first_neuron, sends; /* in the table of destinations; whether it has any */
    int32_t first_tick, weight_exponent, learns;
    int32_t inhibition_axon; /* by which other cores say that their neurons fired; -1: none */
    uint32_t draw_key, transmission_key; /* of the first tick since `clear` */
    const uint8_t *failures; /* (n_axons): chances of spikes to fail; NULL: none does */
    struct short_term *short_term; /* NULL: none; see kernel_short_term.c */
    struct crossbar crossbar; /* empty in a plastic core */
    neuron_update *update;
    const int64_t *constants;
    void *const *rows; /* of the neurons: parameters and states, in whole blocks */
    void *learning;    /* NULL: not plastic */
    before_update *before;
    after_update *after;
};

struct run {
    int64_t first_sample, last_sample, ticks, input_ticks, n_inputs, n_cores, n_outputs;
    int64_t clear, first_tick; /* whether samples start cleared; else the first tick since then */
    uint8_t *cleared;          /* all that `clear` sets to 0 */
    int64_t cleared_bytes;
    uint64_t *due; /* (slots, words): the axon bitmaps, in each slot those of all cores */
    uint8_t *counts; /* (slots, 64 * words): how many spikes each bit stands for; NULL: one each */
    const int32_t *most; /* (n_cores): spikes that an axon takes; read where there are counts */
    int64_t slots, words;
    uint64_t *recorded_due; /* (samples, ticks, words), or NULL: receives those of each tick */
    const struct destination *destinations; /* of all neurons; behind them their lists */
    int32_t *fired;  /* (neurons + SPARE): those that fired in this tick, and have destinations */
    uint8_t *fired_counts; /* (neurons + SPARE): how often, where there are counts */
    uint16_t *lists; /* (3, list_room): active axons of this core and the next; neurons that fired */
    int64_t list_room;
    int64_t fetched_rows; /* most active rows of a core's weights that are fetched ahead */
    int32_t *sums;        /* (2, columns) of the widest core: the second those of teachers */
    const uint8_t *input; /* (samples, input_ticks, n_inputs), or NULL: the events below */
    const struct route *routes;
    int64_t n_routes;
    const int64_t *offsets; /* (samples * ticks + 1) */
    const int32_t *event_core, *event_axon, *event_delay;
    const int32_t *event_count; /* NULL: one each */
    int64_t counted;            /* whether `input` holds counts */
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
    int32_t *v;
    uint8_t *spikes; /* of the last tick, 0 or 1, or counts */
    uint32_t key;    /* of the draws of the coming tick */
    uint32_t transmission_key;
};

/* Return the axon bitmaps of a tick; the chip has slots for all its delays. */
INLINE uint64_t *due_at(const struct run *run, int64_t tick)
{
    return run->due + (tick & (run->slots - 1)) * run->words;
}

/* Return the counts of a tick, where there are any. */
INLINE uint8_t *counts_at(const struct run *run, int64_t tick)
{
    return run->counts + (tick & (run->slots - 1)) * run->words * 64;
}

/* Let spikes arrive at an axon, as many as it takes. */
static NOINLINE void arrive_counted(const struct run *run, int64_t now, struct destination to,
                                    int32_t count, int32_t *merged)
{
    uint8_t *held = counts_at(run, now + to.delay) + to.place;
    const int32_t sum = *held + count, most = run->most[to.core];
    *held = (uint8_t)(sum < most ? sum : most);
    merged[to.core] += sum - *held;
    due_at(run, now + to.delay)[to.place >> 6] |= (uint64_t)1 << (to.place & 63);
}

INLINE void arrive(const struct run *run, int64_t now, struct destination to, int32_t count,
                   int32_t *merged)
{
    if (run->counts) {
        arrive_counted(run, now, to, count, merged);
        return;
    }
    uint64_t *word = due_at(run, now + to.delay) + (to.place >> 6);
    int bit = to.place & 63;
    merged[to.core] += *word >> bit & 1;
    *word |= (uint64_t)1 << bit;
}

/* Let a row of inputs arrive. */
static NOINLINE void arrive_row(uint64_t *due, int32_t place, const uint8_t *input, int length,
                                int32_t *merged)
{
    const int shift = place & 63;
    uint64_t *word = due + (place >> 6);
    for (int i = 0; i < length; i += 64, word++) {
        uint64_t bits = nonzero_bits(input + i, length - i < 64 ? length - i : 64);
        uint64_t lower = bits << shift, upper = shift ? bits >> (64 - shift) : 0;
        *merged += __builtin_popcountll(word[0] & lower);
        word[0] |= lower;
        if (upper) {
            *merged += __builtin_popcountll(word[1] & upper);
            word[1] |= upper;
        }
    }
}

static void take_inputs(const struct core *cores, const struct run *run, int64_t sample,
                        int64_t tick, int64_t now, int32_t *merged)
{
    if (!run->input) {
        int64_t at = sample * run->ticks + tick;
        for (int64_t i = run->offsets[at]; i < run->offsets[at + 1]; i++) {
            int32_t core = run->event_core[i];
            int32_t place = cores[core].first_word * 64 + run->event_axon[i];
            int32_t count = run->event_count ? run->event_count[i] : 1;
            arrive(run, now, (struct destination){core, run->event_delay[i], place}, count, merged);
        }
    } else if (tick < run->input_ticks) {
        const uint8_t *input = run->input + (sample * run->input_ticks + tick) * run->n_inputs;
        for (int64_t i = 0; i < run->n_routes; i++) {
            struct route to = run->routes[i];
            int32_t place = cores[to.core].first_word * 64 + to.axon;
            if (run->counts) {
                for (int32_t k = 0; k < to.length; k++) {
                    uint8_t value = input[to.input + k];
                    struct destination at = {to.core, to.delay, place + k};
                    if (value)
                        arrive_counted(run, now, at, run->counted ? value : 1, merged);
                }
                continue;
            }
            arrive_row(due_at(run, now + to.delay), place, input + to.input, to.length,
                       &merged[to.core]);
        }
    }
}

/* Append the neurons that fired to those of the cores before; return their number. */
static NOINLINE int64_t note_fired(const struct core *core, const struct state *state,
                                   const struct run *run, int64_t noted)
{
    uint16_t *fired = run->lists + 2 * run->list_room;
    const int n_fired = core->sends ? list_nonzero(state->spikes, core->n_neurons, fired) : 0;
    for (int k = 0; k < n_fired; k += CHUNK)
        for (int i = k; i < k + CHUNK; i++)
            run->fired[noted + i] = core->first_neuron + fired[i];
    for (int k = 0; run->fired_counts && k < n_fired; k++)
        run->fired_counts[noted + k] = state->spikes[fired[k]];
    return noted + n_fired;
}

INLINE void send(const struct run *run, int64_t now, struct destination to, int32_t count,
                 uint16_t *outputs, int32_t *merged)
{
    if (to.core == HOST)
        outputs[to.place] += count;
    else
        arrive(run, now, to, count, merged);
}

/* Send the spikes of a tick: destinations are fetched two strides ahead, bitmaps one. */
static NOINLINE void emit(const struct run *run, int64_t now, int64_t n_fired, uint16_t *outputs,
                          int32_t *merged)
{
    const struct destination *table = run->destinations;
    for (int64_t k = 0; k < n_fired; k++) {
        if (k + 2 * STRIDE < n_fired)
            __builtin_prefetch(&table[run->fired[k + 2 * STRIDE]]);
        if (k + STRIDE < n_fired) {
            struct destination soon = table[run->fired[k + STRIDE]];
            if (soon.core >= 0)
                __builtin_prefetch(due_at(run, now + soon.delay) + (soon.place >> 6), 1);
        }
        struct destination to = table[run->fired[k]];
        const int32_t count = run->fired_counts ? run->fired_counts[k] : 1;
        if (to.core != LIST)
            send(run, now, to, count, outputs, merged);
        else
            for (int32_t i = to.place; table[i].core != LIST; i++)
                send(run, now, table[i], count, outputs, merged);
    }
}

/* Take a word of axons that are due now, each as often as its count; return how many. */
static NOINLINE int list_counted(uint64_t bits, int first, uint8_t *counts, uint16_t *axons)
{
    int found = 0;
    for (; bits; bits &= bits - 1) {
        const int bit = __builtin_ctzll(bits);
        for (; counts[bit]; counts[bit]--)
            axons[found++] = (uint16_t)(first + bit);
    }
    return found;
}

/* Take the axons that are due now from the bitmap, and fetch the first of their weights. */
static NOINLINE void list_active(const struct core *core, const struct run *run, int64_t now,
                                 struct active *active)
{
    uint64_t *words = due_at(run, now) + core->first_word;
    active->n = 0;
    for (int i = 0; i < core->n_words; i++) {
        uint16_t *axons = active->axons + active->n;
        active->n += run->counts
                         ? list_counted(words[i], i * 64,
                                        counts_at(run, now) + (core->first_word + i) * 64, axons)
                         : list_bits(words[i], i * 64, axons);
        words[i] = 0;
    }
    const struct crossbar *crossbar = &core->crossbar;
    const int64_t rows = active->n < run->fetched_rows ? active->n : run->fetched_rows;
    for (int64_t k = 0; crossbar->weights && k < rows; k++)
        for (int byte = 0; byte < crossbar->row_bytes; byte += LINE)
            __builtin_prefetch(crossbar->weights + (size_t)active->axons[k] * crossbar->row_bytes +
                               byte);
}

/* As next_key of draws.py. */
INLINE uint32_t next_key(uint32_t key)
{
    key ^= key << 13;
    key ^= key >> 17;
    return key ^ key << 5;
}

INLINE int32_t whole_blocks(int32_t columns)
{
    return (columns + BLOCK - 1) / BLOCK * BLOCK;
}

/* As draw of lfsr.py: 16 bits come in; the highest 8 of them are returned. */
INLINE int32_t next_chance(uint32_t *lfsr)
{
    const uint32_t bits = *lfsr >> 16 ^ *lfsr >> 14 ^ *lfsr >> 10 ^ *lfsr >> 9;
    *lfsr = *lfsr << 16 | (bits & 0xFFFF);
    return *lfsr >> 8 & 0xFF;
}

/* Take the active axons whose spikes come through; each draws, in ascending order. */
static NOINLINE void list_sent(const struct core *core, uint32_t lfsr, const struct active *active,
                               struct active *sent)
{
    sent->n = 0;
    for (int32_t k = 0; k < active->n; k++) {
        sent->axons[sent->n] = active->axons[k];
        sent->n += next_chance(&lfsr) >= core->failures[active->axons[k]];
    }
}

static void run_core(const struct core *core, struct state *state, const struct run *run,
                     int64_t now, const struct active *active, int32_t reward)
{
    const uint32_t key = state->key;
    state->key = next_key(key);
    struct active sent = *active;
    if (core->failures) {
        sent.axons = run->lists + 2 * run->list_room; /* that of those that fired is not yet used */
        list_sent(core, state->transmission_key, active, &sent);
        state->transmission_key = next_key(state->transmission_key);
    }
    if (core->short_term) { /* which leaves the teachers */
        const int32_t n = scaled_sums(core->short_term, &sent);
        sent.axons += n, sent.n -= n;
        advance(core->short_term, active);
    }
    if (now < core->first_tick)
        return;
    int32_t *sums = run->sums;
    if (core->learning)
        core->before(core->learning, active->axons, active->n, sent.axons, sent.n, state->v, reward,
                     sums);
    else
        synaptic_sums(&core->crossbar, &sent, sums);
    const int32_t n_neurons = core->n_neurons, columns = whole_blocks(n_neurons);
    if (core->short_term)
        memcpy(sums, core->short_term->sums, columns * sizeof(*sums));
    /* Active axons ascend, and this is the last of the core. */
    const int32_t others =
        active->n && active->axons[active->n - 1] == core->inhibition_axon;
    core->update(columns, core->weight_exponent, core->learns, key, others, sums, core->constants,
                 core->rows);
    memset(state->spikes + n_neurons, 0, columns - n_neurons); /* no neurons are there */
    if (core->learning)
        core->after(core->learning, now, active->axons, active->n, state->spikes, reward);
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

static void run_tick(const struct core *cores, struct state *states, const struct run *run,
                     int64_t row, int64_t now, int32_t *merged)
{
    /* No spike is due in the tick it is sent in, so the next core's can be listed already. */
    struct active this = {run->lists, 0}, next = {run->lists + run->list_room, 0};
    int64_t n_fired = 0;
    if (run->recorded_due)
        memcpy(run->recorded_due + row * run->words, due_at(run, now),
               run->words * sizeof(*run->due));
    list_active(&cores[0], run, now, &this);
    for (int64_t i = 0; i < run->n_cores; i++) {
        if (i + 1 < run->n_cores)
            list_active(&cores[i + 1], run, now, &next);
        run_core(&cores[i], &states[i], run, now, &this, run->rewards[row]);
        run->active[row * run->n_cores + i] = this.n;
        n_fired = note_fired(&cores[i], &states[i], run, n_fired);
        struct active done = this;
        this = next;
        next = done;
    }
    emit(run, now, n_fired, run->outputs + row * run->n_outputs, merged);
}

static void run_sample(const struct core *cores, struct state *states, const struct run *run,
                       int64_t sample)
{
    int64_t before = run->clear ? 0 : run->first_tick + (sample - run->first_sample) * run->ticks;
    int32_t *merged = run->merged + sample * run->n_cores;
    memset(merged, 0, run->n_cores * sizeof(*merged));
    for (int64_t tick = 0; tick < run->ticks; tick++) {
        int64_t row = sample * run->ticks + tick, now = before + tick;
        take_inputs(cores, run, sample, tick, now, merged);
        run_tick(cores, states, run, row, now, merged);
        record(run, row);
    }
}

/* Run samples first_sample up to, not including, last_sample. */
void spikelet_golden_run(const struct core *cores, struct state *states, const struct run *run)
{
    for (int64_t sample = run->first_sample; sample < run->last_sample; sample++) {
        if (run->clear) {
            memset(run->cleared, 0, run->cleared_bytes);
            for (int64_t i = 0; i < run->n_cores; i++) {
                states[i].key = cores[i].draw_key;
                states[i].transmission_key = cores[i].transmission_key;
            }
        }
        run_sample(cores, states, run, sample);
    }
}
