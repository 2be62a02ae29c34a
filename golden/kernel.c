/* Compiled path of the golden model: a whole chip, sample by sample and tick by tick.
 *
 * The numpy modules of this folder say what is computed; here is the same, exactly, and fast. A tick
 * at a time keeps a chip's state in the nearest cache and needs no schedule of the cores: no spike is
 * due before the next tick, so within a tick the order of the cores does not matter.
 * Structures are in kernel_structures.c, a tick of one core is in kernel_core.c, its synaptic sums in
 * kernel_sums.c, what a plastic core learns in learning_rule.c.
 *
 * A large chip does not fit the cache, so what will be needed at places that follow no order is
 * fetched ahead: the weights of the next core, and where the spikes go.
 *
 * Several threads share a chip's cores out, and meet once a tick. Each lets its spikes arrive in
 * bitmaps of its own, which the thread of the target adds up when they are due: how many spikes
 * merge does not depend on their order.
 */
#define LINE 64 /* bytes of a cache line */
/* Entries that are written at once, whether or not all are wanted: fewer than SPARE. */
#define CHUNK 16
/* Spikes between two steps of their emission: time for a word to come from memory. */
#define STRIDE 32

/* Return the place of a tick in axon bitmaps; the chip has slots for all its delays. */
INLINE int64_t slot_of(const struct run *run, int64_t tick)
{
    return (tick & (run->slots - 1)) * run->words;
}

INLINE uint64_t *due_at(const struct run *run, const struct worker *worker, int64_t tick)
{
    return worker->due + slot_of(run, tick);
}

/* Hold `sum` spikes at an axon, or as many as it takes; the others have merged. */
INLINE void hold(uint8_t *held, int32_t sum, int32_t most, int32_t *merged)
{
    *held = (uint8_t)(sum < most ? sum : most);
    *merged += sum - *held;
}

/* Let spikes arrive at an axon, as many as it takes. */
static NOINLINE void arrive_counted(const struct run *run, const struct worker *worker, int64_t now,
                                    struct destination to, int32_t count)
{
    uint8_t *held = worker->counts + slot_of(run, now + to.delay) * 64 + to.place;
    hold(held, *held + count, run->most[to.core], &worker->merged[to.core]);
    due_at(run, worker, now + to.delay)[to.place >> 6] |= (uint64_t)1 << (to.place & 63);
}

INLINE void arrive(const struct run *run, const struct worker *worker, int64_t now,
                   struct destination to, int32_t count)
{
    if (run->counts) {
        arrive_counted(run, worker, now, to, count);
        return;
    }
    uint64_t *word = due_at(run, worker, now + to.delay) + (to.place >> 6);
    int bit = to.place & 63;
    worker->merged[to.core] += *word >> bit & 1;
    *word |= (uint64_t)1 << bit;
}

/* Add what the other workers have sent to a core, due in a tick, to the bitmaps of the run. */
static NOINLINE void gather(const struct core *cores, const struct run *run,
                            const struct worker *worker, int64_t i, int64_t tick)
{
    const int64_t first = slot_of(run, tick) + cores[i].first_word;
    for (const struct worker *from = run->workers + 1; from < run->workers + run->n_workers; from++)
        for (int64_t w = first; w < first + cores[i].n_words; w++) {
            uint64_t sent = from->due[w];
            if (!run->counts)
                worker->merged[i] += __builtin_popcountll(run->due[w] & sent);
            run->due[w] |= sent;
            from->due[w] = 0;
            for (; run->counts && sent; sent &= sent - 1) {
                const int64_t axon = w * 64 + __builtin_ctzll(sent);
                hold(&run->counts[axon], run->counts[axon] + from->counts[axon], run->most[i],
                     &worker->merged[i]);
                from->counts[axon] = 0;
            }
        }
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

static void take_inputs(const struct core *cores, const struct run *run,
                        const struct worker *worker, int64_t sample, int64_t tick, int64_t now)
{
    if (!run->input) {
        int64_t at = sample * run->ticks + tick;
        for (int64_t i = run->offsets[at]; i < run->offsets[at + 1]; i++) {
            int32_t core = run->event_core[i];
            int32_t place = cores[core].first_word * 64 + run->event_axon[i];
            int32_t count = run->event_count ? run->event_count[i] : 1;
            struct destination to = {core, run->event_delay[i], place};
            arrive(run, worker, now, to, count);
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
                        arrive_counted(run, worker, now, at, run->counted ? value : 1);
                }
                continue;
            }
            arrive_row(due_at(run, worker, now + to.delay), place, input + to.input, to.length,
                       &worker->merged[to.core]);
        }
    }
}

/* Append the neurons that fired to those of the cores before; return their number. */
static NOINLINE int64_t note_fired(const struct core *core, const struct state *state,
                                   const struct run *run, const struct worker *worker,
                                   int64_t noted)
{
    uint16_t *fired = worker->lists + 2 * run->list_room;
    const int n_fired = core->sends ? list_nonzero(state->spikes, core->n_neurons, fired) : 0;
    for (int k = 0; k < n_fired; k += CHUNK)
        for (int i = k; i < k + CHUNK; i++)
            worker->fired[noted + i] = core->first_neuron + fired[i];
    for (int k = 0; run->counts && k < n_fired; k++)
        worker->fired_counts[noted + k] = state->spikes[fired[k]];
    return noted + n_fired;
}

INLINE void send(const struct run *run, const struct worker *worker, int64_t now,
                 struct destination to, int32_t count, uint16_t *outputs)
{
    if (to.core != HOST)
        arrive(run, worker, now, to, count);
    else if (run->n_workers == 1)
        outputs[to.place] += count;
    else /* cores of several threads may share an output line */
        __atomic_fetch_add(&outputs[to.place], (uint16_t)count, __ATOMIC_RELAXED);
}

/* Send the spikes of a tick: destinations are fetched two strides ahead, bitmaps one. */
static NOINLINE void emit(const struct run *run, const struct worker *worker, int64_t now,
                          int64_t n_fired, uint16_t *outputs)
{
    const struct destination *table = run->destinations;
    const int32_t *fired = worker->fired;
    for (int64_t k = 0; k < n_fired; k++) {
        if (k + 2 * STRIDE < n_fired)
            __builtin_prefetch(&table[fired[k + 2 * STRIDE]]);
        if (k + STRIDE < n_fired) {
            struct destination soon = table[fired[k + STRIDE]];
            if (soon.core >= 0)
                __builtin_prefetch(due_at(run, worker, now + soon.delay) + (soon.place >> 6), 1);
        }
        struct destination to = table[fired[k]];
        const int32_t count = run->counts ? worker->fired_counts[k] : 1;
        if (to.core != LIST)
            send(run, worker, now, to, count, outputs);
        else
            for (int32_t i = to.place; table[i].core != LIST; i++)
                send(run, worker, now, table[i], count, outputs);
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
    uint64_t *words = run->due + slot_of(run, now) + core->first_word;
    active->n = 0;
    for (int i = 0; i < core->n_words; i++) {
        uint16_t *axons = active->axons + active->n;
        active->n += run->counts
                         ? list_counted(words[i], i * 64,
                                        run->counts + (slot_of(run, now) + core->first_word + i) * 64,
                                        axons)
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

static void record(const struct worker *worker, int64_t row)
{
    for (int64_t i = 0; i < worker->n_probes; i++) {
        struct probe probe = worker->probes[i];
        for (int64_t k = 0; k < probe.rows; k++)
            memcpy(probe.to + (row * probe.rows + k) * probe.bytes, probe.from + k * probe.stride,
                   probe.bytes);
    }
}

static void run_tick(const struct core *cores, struct state *states, const struct run *run,
                     const struct worker *worker, int64_t row, int64_t now)
{
    /* No spike is due in the tick it is sent in, so the next core's can be listed already. */
    struct active this = {worker->lists, 0}, next = {worker->lists + run->list_room, 0};
    const int64_t first = worker->first_core, last = worker->last_core;
    int64_t n_fired = 0;
    for (int64_t i = first; i < last && (run->n_workers > 1 || run->recorded_due); i++) {
        gather(cores, run, worker, i, now);
        const int64_t word = cores[i].first_word;
        if (run->recorded_due)
            memcpy(run->recorded_due + row * run->words + word,
                   run->due + slot_of(run, now) + word, cores[i].n_words * sizeof(*run->due));
    }
    list_active(&cores[first], run, now, &this);
    for (int64_t i = first; i < last; i++) {
        if (i + 1 < last)
            list_active(&cores[i + 1], run, now, &next);
        /* The list of neurons that fired is not yet used. */
        const int rests = run_core(&cores[i], &states[i], now, &this, run->rewards[row],
                                   worker->lists + 2 * run->list_room, worker->sums);
        run->active[row * run->n_cores + i] = this.n;
        run->rested[row * run->n_cores + i] = rests;
        if (!rests)
            n_fired = note_fired(&cores[i], &states[i], run, worker, n_fired);
        struct active done = this;
        this = next;
        next = done;
    }
    emit(run, worker, now, n_fired, run->outputs + row * run->n_outputs);
}

/* Clear the chip if samples are to start so, and take the inputs of the first tick. */
static void begin_sample(const struct core *cores, struct state *states, const struct run *run,
                         int64_t sample, int64_t now)
{
    if (run->clear) {
        memset(run->cleared, 0, run->cleared_bytes);
        for (int64_t i = 0; i < run->n_cores; i++) {
            states[i].transmission_key = cores[i].transmission_key;
            states[i].awake = 1;
        }
    }
    for (int64_t i = 0; i < run->n_workers; i++)
        memset(run->workers[i].merged, 0, run->n_cores * sizeof(int32_t));
    if (run->ticks)
        take_inputs(cores, run, run->workers, sample, 0, now);
}

/* Let the first worker run the cores of all. */
static void go_alone(const struct run *run, struct worker *first, struct barrier *barrier)
{
    first->last_core = run->n_cores;
    for (int64_t i = 1; i < run->n_workers; i++)
        first->n_probes += run->workers[i].n_probes;
    barrier->threads = 1;
}

/* Run a sample: the first worker does what is done once, while the others wait. Return whether the
 * worker is still wanted. */
static int run_sample(const struct core *cores, struct state *states, const struct run *run,
                      struct worker *worker, struct barrier *barrier, int64_t sample)
{
    const int64_t before =
        run->clear ? 0 : run->first_tick + (sample - run->first_sample) * run->ticks;
    const int first = !worker->first_core;
    if (first)
        begin_sample(cores, states, run, sample, before);
    meet(barrier, first);
    for (int64_t tick = 0; tick < run->ticks; tick++) {
        int64_t row = sample * run->ticks + tick, now = before + tick;
        run_tick(cores, states, run, worker, row, now);
        record(worker, row);
        if (first && tick + 1 < run->ticks)
            take_inputs(cores, run, worker, sample, tick + 1, now + 1);
        if (first)
            weigh_losses(barrier);
        if (!was_last(barrier, meet(barrier, first)))
            continue;
        if (!first)
            return 0;
        go_alone(run, worker, barrier);
    }
    for (int64_t i = worker->first_core; i < worker->last_core; i++)
        for (int64_t slot = 0; slot < run->slots; slot++)
            gather(cores, run, worker, i, slot);
    meet(barrier, first);
    for (int64_t i = 0; first && i < run->n_cores; i++) {
        int32_t *merged = &run->merged[sample * run->n_cores + i];
        *merged = 0;
        for (int64_t k = 0; k < run->n_workers; k++)
            *merged += run->workers[k].merged[i];
    }
    return 1;
}

/* What a thread is started with. */
struct share {
    const struct core *cores;
    struct state *states;
    const struct run *run;
    struct worker worker;
    struct barrier *barrier;
    const int32_t *go; /* 0: wait until all threads are there; below: one is not, and none shall run */
};

static void *run_share(void *given)
{
    struct share *share = given;
    int32_t go;
    while (!(go = __atomic_load_n(share->go, __ATOMIC_ACQUIRE)))
        sched_yield();
    const struct run *run = share->run;
    int64_t sample = go < 0 ? run->last_sample : run->first_sample;
    while (sample < run->last_sample &&
           run_sample(share->cores, share->states, run, &share->worker, share->barrier, sample))
        sample++;
    return NULL;
}

/* Run samples first_sample up to, not including, last_sample. Return whether all workers did. */
int32_t spikelet_golden_run(const struct core *cores, struct state *states, const struct run *run)
{
    const int32_t threads = (int32_t)run->n_workers;
    struct barrier barrier = {.threads = threads, .begun = nanoseconds()};
    struct share shares[threads];
    pthread_t others[threads];
    int32_t go = 0, alone = 1, started = 1;
    for (int32_t i = 0; i < threads; i++)
        shares[i] = (struct share){cores, states, run, run->workers[i], &barrier, &go};
    while (started < threads && !pthread_create(&others[started], NULL, run_share, &shares[started]))
        started++;
    if (started < threads) { /* the system has no thread left */
        go_alone(run, &shares[0].worker, &barrier);
        shares[0].go = &alone;
    }
    __atomic_store_n(&go, started == threads ? 1 : -1, __ATOMIC_RELEASE);
    run_share(&shares[0]);
    for (int32_t i = 1; i < started; i++)
        pthread_join(others[i], NULL);
    return barrier.threads == threads;
}
