/* A tick of one core; golden/kernel.py puts it before kernel.c. */
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

static void keep_states(const struct core *core)
{
    for (int64_t i = 0; i < core->n_held; i++)
        memcpy(core->held[i].before, core->held[i].values, core->held[i].bytes);
}

/* Return whether a state has changed, or any neuron fires: see rest.py. */
static int moved(const struct core *core, const uint8_t *spikes)
{
    for (int64_t i = 0; i < core->n_held; i++)
        if (memcmp(core->held[i].before, core->held[i].values, core->held[i].bytes))
            return 1;
    for (int32_t n = 0; n < core->n_neurons; n++)
        if (spikes[n])
            return 1;
    return 0;
}

/* Weights of 9 bits are in two crossbars. */
static void all_sums(const struct core *core, const struct active *sent, int32_t *sums)
{
    synaptic_sums(&core->crossbar, sent, sums);
    if (!core->odd_sums)
        return;
    synaptic_sums(&core->odd, sent, core->odd_sums);
    for (int32_t n = 0; n < core->odd.columns; n++)
        sums[n] = 2 * sums[n] + core->odd_sums[n];
}

/* Return whether the neurons rest, and there is nothing to be done. */
static int run_core(const struct core *core, struct state *state, int64_t now,
                    const struct active *active, int32_t reward, uint16_t *room, int32_t *sums)
{
    struct active sent = *active;
    if (core->failures) {
        sent.axons = room;
        list_sent(core, state->transmission_key, active, &sent);
        state->transmission_key = next_key(state->transmission_key);
    }
    if (core->short_term) { /* which leaves the teachers */
        const int32_t n = scaled_sums(core->short_term, &sent);
        sent.axons += n, sent.n -= n;
        advance(core->short_term, active);
    }
    if (!state->awake && !active->n)
        return 1;
    state->awake = 1;
    if (now < core->first_tick)
        return 0;
    const int silent = core->n_held && !active->n;
    if (silent)
        keep_states(core);
    if (core->learning)
        core->before(core->learning, active->axons, active->n, sent.axons, sent.n, state->v, reward,
                     sums);
    else
        all_sums(core, &sent, sums);
    const int32_t n_neurons = core->n_neurons, columns = whole_blocks(n_neurons);
    if (core->short_term)
        memcpy(sums, core->short_term->sums, columns * sizeof(*sums));
    /* Active axons ascend, and this is the last of the core. */
    const int32_t others =
        active->n && active->axons[active->n - 1] == core->inhibition_axon;
    core->update(columns, core->weight_exponent, core->learns, others, sums, core->constants,
                 core->rows);
    memset(state->spikes + n_neurons, 0, columns - n_neurons); /* no neurons are there */
    if (core->learning)
        core->after(core->learning, now, active->axons, active->n, state->spikes, reward);
    if (silent)
        state->awake = moved(core, state->spikes);
    return 0;
}
