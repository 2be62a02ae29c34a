/* Short-term plasticity of a core's axons, as short_term.py says; golden/kernel.py puts it before
 * kernel.c, and native_short_term.py mirrors the structure. */
struct short_term {
    int32_t n_axons, columns, first_teacher; /* columns: neurons, in whole blocks */
    int32_t utilisation, recovery, facilitation;
    const uint8_t *on;      /* (n_axons): which have it */
    int32_t *u, *depleted;  /* (n_axons), as they enter the tick */
    int32_t *amplitudes;    /* (n_axons): of the axons that are active */
    const int16_t *weights; /* (n_axons, columns) */
    int32_t *sums;          /* (columns): of the tick */
};

INLINE int32_t raised(const struct short_term *core, int axon)
{
    return core->u[axon] + (core->utilisation * ((1 << 15) - core->u[axon]) >> 15);
}

/* Sum the rows of axons, each times its amplitude, up to those of teachers; return how many there are. */
static NOINLINE int32_t scaled_sums(struct short_term *core, const struct active *sent)
{
    int32_t n = 0;
    for (; n < sent->n && sent->axons[n] < core->first_teacher; n++) {
        const int axon = sent->axons[n];
        const int64_t left = (1 << 16) - core->depleted[axon];
        core->amplitudes[n] = core->on[axon] ? (raised(core, axon) * left + (1 << 18)) >> 19 : 4096;
    }
    for (int column = 0; column < core->columns; column += BLOCK) {
        int64_t total[BLOCK] = {0};
        for (int k = 0; k < n; k++) {
            const int16_t *row = core->weights + sent->axons[k] * (size_t)core->columns + column;
            for (int i = 0; i < BLOCK; i++)
                total[i] += row[i] * (int64_t)core->amplitudes[k];
        }
        for (int i = 0; i < BLOCK; i++)
            core->sums[column + i] = (int32_t)((total[i] + 2048) >> 12);
    }
    return n;
}

INLINE int32_t recovered(int32_t value, int32_t factor)
{
    const int32_t rounded = (int32_t)((value * (int64_t)factor + (1 << 15)) >> 16);
    return rounded - (rounded == value && value > 0);
}

/* Take the spikes of a tick, and go on to the next. */
static NOINLINE void advance(struct short_term *core, const struct active *active)
{
    for (int32_t k = 0; k < active->n; k++) {
        const int axon = active->axons[k];
        const int32_t up = raised(core, axon);
        const int64_t left = (1 << 16) - core->depleted[axon];
        core->depleted[axon] += (int32_t)(up * left >> 15);
        core->u[axon] = up;
    }
    for (int axon = 0; axon < core->n_axons; axon++) {
        core->u[axon] = recovered(core->u[axon], core->facilitation);
        core->depleted[axon] = recovered(core->depleted[axon], core->recovery);
    }
}
