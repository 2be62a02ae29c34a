/* Structures of kernel.c, which golden/kernel.py mirrors and puts before it. */
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
typedef void neuron_update(int32_t columns, int32_t weight_exponent, int32_t learning,
                           int32_t others, const int32_t *sums, const int64_t *constants, void *const *rows);

/* A state of the neurons of a core, and room for what it was before an update. */
struct held {
    const uint8_t *values;
    uint8_t *before;
    int64_t bytes;
};

struct core {
    int32_t n_neurons;
    int32_t first_word, n_words; /* of its axons in the axon bitmaps */
    int32_t first_neuron, sends; /* in the table of destinations; whether it has any */
    int32_t first_tick, weight_exponent, learns;
    int32_t inhibition_axon; /* by which other cores say that their neurons fired; -1: none */
    uint32_t transmission_key; /* of the first tick since `clear` */
    const uint8_t *failures; /* (n_axons): chances of spikes to fail; NULL: none does */
    struct short_term *short_term; /* NULL: none; see kernel_short_term.c */
    struct crossbar crossbar; /* empty in a plastic core */
    struct crossbar odd; /* the lowest bit of weights of 9 bits, whose others are the crossbar's */
    int32_t *odd_sums;   /* (columns), NULL: weights have no more than 8 bits */
    neuron_update *update;
    const int64_t *constants;
    void *const *rows; /* of the neurons: parameters and states, in whole blocks */
    void *learning;    /* NULL: not plastic */
    before_update *before;
    after_update *after;
    const struct held *held; /* states of the neurons */
    int64_t n_held;          /* 0: the core never rests */
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
    int64_t list_room;
    int64_t fetched_rows; /* most active rows of a core's weights that are fetched ahead */
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
    uint8_t *rested;   /* (samples, ticks, n_cores): whether the core cut the tick short */
    const int32_t *rewards; /* (samples, ticks) */
    const struct worker *workers;
    int64_t n_workers;
};

/* One thread, and what it alone writes. */
struct worker {
    int64_t first_core, last_core; /* those that it runs; of the last, the one behind it */
    uint64_t *due;   /* as of the run, where its spikes arrive: the first's are those of the run */
    uint8_t *counts;
    int32_t *fired;  /* (neurons + SPARE): those that fired in this tick, and have destinations */
    uint8_t *fired_counts; /* (neurons + SPARE): how often, where there are counts */
    uint16_t *lists; /* (3, list_room): active axons of this core and the next; neurons that fired */
    int32_t *sums;   /* (2, columns) of the widest core: the second those of teachers */
    int32_t *merged; /* (n_cores) */
    const struct probe *probes; /* of its cores */
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
    uint32_t transmission_key;
    int32_t awake;   /* whether the neurons are not known to rest */
};
