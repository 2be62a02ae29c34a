/* The neuron update of one model: golden/neuron_code.py writes the macros and puts them before it.
 *
 * `rows` are the memories of the neurons, in whole blocks; the neurons that are not there have values
 * that the model allows, so all of a block can be updated by one straight vector loop. */
#include <stdint.h>

#define INLINE static inline __attribute__((always_inline))
#define BLOCK 64

#define FUNCTIONS(bits)                                                                            \
    INLINE int##bits##_t least##bits(int##bits##_t a, int##bits##_t b) { return a < b ? a : b; }   \
    INLINE int##bits##_t most##bits(int##bits##_t a, int##bits##_t b) { return a > b ? a : b; }    \
    INLINE int##bits##_t abs##bits(int##bits##_t a) { return a < 0 ? -a : a; }                     \
    INLINE int32_t sign##bits(int##bits##_t a) { return (a > 0) - (a < 0); }                       \
    INLINE int##bits##_t truncate##bits(int##bits##_t a, int n)                                    \
    {                                                                                              \
        return (a + (a < 0 ? ((int##bits##_t)1 << n) - 1 : 0)) >> n;                               \
    }
FUNCTIONS(32)
FUNCTIONS(64)

/* What a neuron draws in the next tick: next_key of draws.py. */
INLINE uint32_t next_word(uint32_t word)
{
    word ^= word << 13;
    word ^= word >> 17;
    return word ^ word << 5;
}

TABLES

void spikelet_neuron_update(int32_t columns, int32_t weight_exponent, int32_t learning,
                            int32_t others, const int32_t *sums, const int64_t *constants,
                            void *const *rows)
{
    ROWS
    CONSTANTS
    uint8_t any = others != 0;
    for (int n = 0; INHIBITED && n < columns; n++)
        any |= row_fired[n] != 0;
    for (int block = 0; block < columns; block += BLOCK) {
#pragma GCC ivdep
        for (int n = block; n < block + BLOCK; n++) {
            LOADS
            LINES
            STORES
        }
    }
}
