/* Compiled path of learning: one plastic core's phases, with its rule in them as C.
 *
 * golden/rule_code.py writes, before this text, what a visit does: the macros NEW_WEIGHT and NEW_TAG
 * of the phases, and what the rule needs. learning.py and its helpers say what is computed. Where a
 * visit certainly changes nothing it is left out, but its draws are not.
 */

struct trace {
    int32_t increment, decay, decay_shift, largest, set;
    int32_t *values; /* of axons or neurons, padded with zeros; NULL: no such trace */
};

struct learning {
    int32_t n_axons, n_neurons, row, lanes, on; /* row: n_neurons in whole blocks */
    int32_t first_teacher;                      /* of the axons; n_axons: there is none */
    struct trace x[2], y[3];
    const uint8_t *plastic; /* (n_axons) */
    const uint8_t *bits;    /* (n_axons): b, or NULL */
    int16_t *weights;       /* (n_axons, row) */
    int8_t *tags;           /* (n_axons, row), or NULL */
    uint32_t *random;       /* (lanes), or NULL */
    const int32_t *e;       /* (row) errors, or NULL */
    /* The rest is for work within a tick. */
    uint8_t *spiked, *marks; /* (n_axons): S; axons to visit */
    uint8_t *due;            /* (row): neurons to visit */
    uint16_t *rows, *fired;  /* (n_axons + SPARE), (n_neurons + SPARE): visited */
    uint16_t *draws;         /* (n_axons, row), or NULL: draws of the visited rows, in order */
    int32_t *columns;        /* (4, n_axons): x0, x1, x2, b of the visited rows */
    /* Where synapses are made of devices, as golden/devices.py has them. */
    int32_t *devices;       /* (count * n_axons, row): codes */
    int32_t *selected;      /* the device that this tick programs */
    int32_t *pulsed;        /* whether a pulse was given in this tick */
    uint16_t *device_draws; /* as draws */
};

/* What a visit knows; the macros name its members. `due`: the sweep terms that are evaluated. */
struct visit {
    int32_t x0, x1, x2, b, y0, y1, y2, y3, v, w, t, r, e, due, draw;
};

#define VALUE(trace, i) ((trace).values ? (trace).values[i] : 0)
#define WORDS (VECTOR_BYTES / 2)
/* Synapses of a column that are visited together. */
#define PART 64
/* 128 times 255, or -128, is the most that 16 bits hold. */
#define ROWS_BEFORE_FLUSH 128

typedef int16_t vector __attribute__((vector_size(VECTOR_BYTES), may_alias));

static NOINLINE void synaptic_sums(const struct learning *core, const uint16_t *active,
                                   int n_active, int32_t *sums)
{
    enum { VECTORS = BLOCK / WORDS };
    for (int column = 0; column < core->row; column += BLOCK) {
        memset(sums + column, 0, BLOCK * sizeof(*sums));
        for (int k = 0; k < n_active;) {
            int flush = k + ROWS_BEFORE_FLUSH < n_active ? k + ROWS_BEFORE_FLUSH : n_active;
            vector total[VECTORS] = {{0}};
            for (; k < flush; k++) {
                const int16_t *row = core->weights + active[k] * (size_t)core->row + column;
                for (int i = 0; i < VECTORS; i++)
                    total[i] += ((const vector *)row)[i];
            }
            for (int i = 0; i < VECTORS; i++)
                for (int word = 0; word < WORDS; word++)
                    sums[column + i * WORDS + word] += total[i][word];
        }
    }
}

/* Advance all LFSRs for each of the visited rows in some groups, and keep the draws. */
static void draw(const struct learning *core, int n_rows, int first_group, int last_group)
{
    const int lanes = core->lanes;
    uint32_t *states = core->random;
    for (int group = first_group; group < last_group; group++)
        for (int k = 0; k < n_rows; k++) {
            uint16_t *draws = core->draws + k * (size_t)core->row + group * lanes;
            uint16_t *device_draws =
                VISIT_DRAWS > 1 ? core->device_draws + (draws - core->draws) : NULL;
#pragma GCC ivdep
            for (int lane = 0; lane < lanes; lane++) {
                uint32_t s = states[lane];
                uint16_t bits = (uint16_t)(s >> 16 ^ s >> 14 ^ s >> 10 ^ s >> 9);
                s = s << 16 | bits;
                draws[lane] = bits;
                if (VISIT_DRAWS > 1) {
                    bits = (uint16_t)(s >> 16 ^ s >> 14 ^ s >> 10 ^ s >> 9);
                    s = s << 16 | bits;
                    device_draws[lane] = bits;
                }
                states[lane] = s;
            }
        }
}

#if HAS_DEVICES
/* Give a pulse of 1, 0 or -1 to a synapse's device; return its new weight. Its draw is where `draw`
 * points to, among the devices' draws. */
INLINE int32_t programmed(const struct learning *core, size_t at, const uint16_t *draw,
                          int32_t weight, int32_t pulse)
{
    static const int16_t up[] = UP, down[] = DOWN;
    if (!pulse)
        return weight;
    const size_t size = (size_t)core->n_axons * core->row;
    int32_t *codes = core->devices + *core->selected * size + at;
    /* Of a pair, the device that gets the pulse: its code is below or above that of the other. */
    const int32_t shift = PAIRS && pulse < 0 ? DEVICE_BITS : 0;
    const int32_t code = *codes >> shift;
    const uint32_t word = VISIT_DRAWS > 1 ? core->device_draws[draw - core->draws] : 0;
    const int32_t level = LEVEL(code), stuck = STUCK(code);
    const int32_t step = PAIRS || pulse > 0 ? up[level] : -down[level];
    const int32_t noise = (int32_t)(2 * ((word >> 4 & 15) + (word >> 8 & 15) + (word >> 12 & 15)));
    const int32_t change = 2 * step * (8 + VARIATION(code)) + NOISE * (noise - NOISE_MEAN) +
                           (int32_t)(16 * (word & 15)) + 8;
    const int32_t moved = stuck ? level : clamp(level + (change >> 8), 0, LEVELS - 1);
    *codes += (moved - level + ((WRITES(code) < MOST_WRITES) << FIRST_WRITES)) * (1 << shift);
    *core->pulsed = 1;
    if (PAIRS && REFRESH) {
        const int32_t away = DEVICE_BITS - shift, other = *codes >> away;
        const int32_t common = LEVEL(other) < moved ? LEVEL(other) : moved;
        const int32_t count = (WRITES(other) < MOST_WRITES) << FIRST_WRITES;
        if (common >= REFRESH && !stuck && !STUCK(other))
            *codes += (count - common) * (1 << away) - common * (1 << shift);
    }
    const int32_t by = (moved - level) * (1 << SLICE_BITS * *core->selected);
    return shift ? weight - by : weight + by;
}
#else
#define programmed(core, at, draw, weight, pulse) pulse
#endif

/* Visit the synapses of the axon rows[k] to a block of neurons, in the pre phase or the sweep. */
INLINE void visit_block(const struct learning *core, int k, int block, const struct visit *common,
                        const int32_t *v, const int sweep)
{
    const size_t at = core->rows[k] * (size_t)core->row + block;
    int16_t *weights = core->weights + at;
    int8_t *tags = core->tags + at;
    const int32_t *y1 = core->y[0].values + block, *y2 = core->y[1].values + block;
    const int32_t *y3 = core->y[2].values + block;
    const uint16_t *draws = core->draws + k * (size_t)core->row + block;
    struct visit here = *common;
#pragma GCC ivdep
    for (int n = 0; n < BLOCK; n++) {
        here.w = weights[n];
        here.t = HAS_TAGS ? tags[n] : 0;
        here.y1 = HAS_Y1 ? y1[n] : 0;
        here.y2 = HAS_Y2 ? y2[n] : 0;
        here.y3 = HAS_Y3 ? y3[n] : 0;
        here.v = HAS_V && !sweep ? v[block + n] : 0;
        here.draw = STOCHASTIC ? draws[n] : 0;
        int32_t new_weight = sweep ? NEW_WEIGHT(SWEEP, here) : NEW_WEIGHT(PRE, here);
        if (HAS_DEVICES) /* padding gets no pulses */
            new_weight = programmed(core, at + n, draws + n, weights[n],
                                    block + n < core->n_neurons ? new_weight : 0);
        weights[n] = (int16_t)new_weight;
        if (HAS_TAGS)
            tags[n] = (int8_t)(sweep ? NEW_TAG(SWEEP, here) : NEW_TAG(PRE, here));
    }
}

/* Visit rows[0] to rows[n_rows - 1] with all groups. */
INLINE void visit_rows(struct learning *core, int n_rows, struct visit common, const int32_t *v,
                       const int sweep)
{
    uint16_t blocks[4096 / BLOCK];
    int n_blocks = 0;
    if (STOCHASTIC)
        draw(core, n_rows, 0, core->n_neurons / core->lanes);
    for (int block = 0; block < core->row; block += BLOCK) {
        int32_t any = sweep || !PRE_NEEDS_Y;
        for (int n = block; PRE_NEEDS_Y && n < block + BLOCK; n++)
            any |= VALUE(core->y[0], n) | VALUE(core->y[1], n) | VALUE(core->y[2], n);
        blocks[n_blocks] = (uint16_t)block;
        n_blocks += any != 0;
    }
    for (int k = 0; k < n_rows; k++) {
        common.x0 = core->spiked[core->rows[k]];
        common.x1 = VALUE(core->x[0], core->rows[k]);
        common.x2 = VALUE(core->x[1], core->rows[k]);
        common.b = HAS_B ? core->bits[core->rows[k]] : 0;
        for (int i = 0; i < n_blocks; i++)
            visit_block(core, k, blocks[i], &common, v, sweep);
    }
}

/* Visit the synapses of some of the visited rows to one neuron that fired, or errs: weights and tags are
 * gathered, changed together, and scattered while their lines are in the nearest cache. */
INLINE void visit_part(struct learning *core, int first, int n, int neuron, const uint8_t *spikes,
                       int32_t reward)
{
    const size_t row = core->row;
    const uint16_t *rows = core->rows + first;
    const int32_t *x0 = core->columns + first, *x1 = x0 + core->n_axons, *x2 = x1 + core->n_axons;
    const int32_t *b = x2 + core->n_axons;
    const uint16_t *draws = core->draws + first * row + neuron;
    int16_t *weights = core->weights + neuron;
    int8_t *tags = core->tags + neuron;
    int32_t w[PART], t[PART];
    struct visit here = {.y0 = VISITS_ERRORS ? spikes[neuron] : 1, .r = reward};
    here.e = HAS_E ? core->e[neuron] : 0;
    here.y1 = VALUE(core->y[0], neuron);
    here.y2 = VALUE(core->y[1], neuron);
    here.y3 = VALUE(core->y[2], neuron);
    for (int k = 0; k < n; k++) {
        w[k] = weights[rows[k] * row];
        t[k] = HAS_TAGS ? tags[rows[k] * row] : 0;
    }
#pragma GCC ivdep
    for (int k = 0; k < n; k++) {
        here.x0 = x0[k];
        here.x1 = x1[k];
        here.x2 = x2[k];
        here.b = HAS_B ? b[k] : 0;
        here.w = w[k];
        here.t = t[k];
        here.draw = STOCHASTIC ? draws[k * row] : 0;
        int32_t new_weight = NEW_WEIGHT(POST, here);
        if (HAS_DEVICES)
            new_weight = programmed(core, rows[k] * row + neuron, draws + k * row, w[k], new_weight);
        w[k] = new_weight;
        t[k] = NEW_TAG(POST, here);
    }
    for (int k = 0; k < n; k++) {
        weights[rows[k] * row] = (int16_t)w[k];
        if (HAS_TAGS)
            tags[rows[k] * row] = (int8_t)t[k];
    }
}

/* Fill `rows` with the axons that the post phase visits, and `columns` with what they have. */
static int list_eligible(struct learning *core)
{
    const int n_axons = core->n_axons;
    const int32_t *traces[2] = {core->x[0].values, core->x[1].values};
    const uint8_t *spiked = core->spiked, *plastic = core->plastic;
    uint8_t *marks = core->marks;
#pragma GCC ivdep
    for (int a = 0; a < n_axons; a++) {
        int32_t any = VISITS_SILENT_AXONS | spiked[a];
        any |= HAS_X1 ? traces[0][a] : 0;
        any |= HAS_X2 ? traces[1][a] : 0;
        marks[a] = (any != 0) & plastic[a];
    }
    const int n_rows = list_nonzero(marks, n_axons, core->rows);
    const uint16_t *rows = core->rows;
    int32_t *x0 = core->columns, *x1 = x0 + n_axons, *x2 = x1 + n_axons, *b = x2 + n_axons;
    for (int k = 0; HAS_B && k < n_rows; k++)
        b[k] = core->bits[rows[k]];
#pragma GCC ivdep
    for (int k = 0; k < n_rows; k++) {
        x0[k] = spiked[rows[k]];
        x1[k] = HAS_X1 ? traces[0][rows[k]] : 0;
        x2[k] = HAS_X2 ? traces[1][rows[k]] : 0;
    }
    return n_rows;
}

/* Some axons at a time with all that fired or err, so that only their rows need be near. */
static NOINLINE void post_phase(struct learning *core, const uint8_t *spikes, int n_fired,
                                int32_t reward)
{
    const int n_rows = list_eligible(core), lanes = core->lanes;
    for (int i = 0; STOCHASTIC && i < n_fired; i++) {
        int group = core->fired[i] / lanes;
        if (!i || group != core->fired[i - 1] / lanes)
            draw(core, n_rows, group, group + 1);
    }
    int first = 0;
    for (; first + PART <= n_rows; first += PART)
        for (int i = 0; i < n_fired; i++)
            visit_part(core, first, PART, core->fired[i], spikes, reward);
    for (int i = 0; i < n_fired; i++)
        visit_part(core, first, n_rows - first, core->fired[i], spikes, reward);
}

static void sweep(struct learning *core, int64_t tick, int32_t reward)
{
    struct visit common = {.r = reward, .due = (reward != 0) << REWARD_DUE};
    for (int k = 0; k < REWARD_DUE; k++)
        common.due |= !((tick + 1) & ((1 << k) - 1)) << k;
    common.due &= SWEEP_TERMS;
    if (common.due)
        visit_rows(core, list_nonzero(core->plastic, core->n_axons, core->rows), common, NULL, 1);
}

INLINE void rise(const struct trace *trace, int i)
{
    if (!trace->values)
        return;
    int32_t sum = trace->values[i] + trace->increment;
    trace->values[i] = trace->set ? trace->increment : sum < trace->largest ? sum : trace->largest;
}

static void decay(const struct trace *trace, int n)
{
    int32_t *values = trace->values;
    const int32_t shift = trace->decay_shift, most = (1 << shift) - 1, factor = trace->decay;
    if (values && shift)
        for (int i = 0; i < n; i++)
            values[i] -= (values[i] + most) >> shift;
    else if (values)
        for (int i = 0; i < n; i++)
            values[i] = values[i] * factor >> 12;
}

/* Fill `fired` with the neurons that fired or err, in the place of those that fired. */
static int list_due(struct learning *core, const uint8_t *spikes)
{
    for (int n = 0; n < core->n_neurons; n++)
        core->due[n] = (spikes[n] != 0) | (core->e[n] != 0);
    return list_nonzero(core->due, core->n_neurons, core->fired);
}

/* Sum the rows of active axons whose spikes come through, `sent`, those of teachers behind the others'
 * sums; then do what precedes the neuron update. */
void spikelet_before_update(struct learning *core, const uint16_t *active, int32_t n_active,
                            const uint16_t *sent, int32_t n_sent, const int32_t *v, int32_t reward,
                            int32_t *sums)
{
    int n_plain = n_sent;
    while (n_plain && sent[n_plain - 1] >= core->first_teacher)
        n_plain--;
    synaptic_sums(core, sent, n_plain, sums);
    if (core->first_teacher < core->n_axons)
        synaptic_sums(core, sent + n_plain, n_sent - n_plain, sums + core->row);
    int n_rows = 0;
    for (int k = 0; k < n_active; k++) {
        core->spiked[active[k]] = 1;
        core->rows[n_rows] = active[k];
        n_rows += core->plastic[active[k]];
    }
    if (PRE_TERMS && core->on)
        visit_rows(core, n_rows, (struct visit){.r = reward}, v, 0);
    for (int k = 0; k < n_active; k++) {
        rise(&core->x[0], active[k]);
        rise(&core->x[1], active[k]);
    }
}

/* Do what follows the neuron update of a tick, counted from 0 at clear. */
void spikelet_after_update(struct learning *core, int64_t tick, const uint16_t *active,
                           int32_t n_active, const uint8_t *spikes, int32_t reward)
{
    if (VISITS_ERRORS && core->on) {
        int n_due = list_due(core, spikes);
        if (n_due)
            post_phase(core, spikes, n_due, reward);
    }
    int n_fired = list_nonzero(spikes, core->n_neurons, core->fired);
    if (POST_TERMS && !VISITS_ERRORS && core->on && n_fired)
        post_phase(core, spikes, n_fired, reward);
    if (SWEEP_TERMS && core->on)
        sweep(core, tick, reward);
    for (int k = 0; k < n_active; k++)
        core->spiked[active[k]] = 0;
    if (HAS_DEVICES && *core->pulsed) {
        *core->selected = (*core->selected + 1) % DEVICES;
        *core->pulsed = 0;
    }
    for (int i = 0; i < n_fired; i++) {
        rise(&core->y[0], core->fired[i]);
        rise(&core->y[1], core->fired[i]);
        rise(&core->y[2], core->fired[i]);
    }
    for (int i = 0; i < 2; i++)
        decay(&core->x[i], core->n_axons);
    for (int i = 0; i < 3; i++)
        decay(&core->y[i], core->n_neurons);
}
