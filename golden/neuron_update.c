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

/* What a neuron draws: Robert Jenkins' mix of 32 bits, as in draws.py. */
INLINE uint32_t mixed(uint32_t a)
{
    a = (a + 0x7ed55d16u) + (a << 12);
    a = (a ^ 0xc761c23cu) ^ (a >> 19);
    a = (a + 0x165667b1u) + (a << 5);
    a = (a + 0xd3a2646cu) ^ (a << 9);
    a = (a + 0xfd7046c5u) + (a << 3);
    return (a ^ 0xb55a4f09u) ^ (a >> 16);
}

TABLES

void spikelet_neuron_update(int32_t columns, int32_t weight_exponent, int32_t learning,
                            uint32_t key, const int32_t *sums, const int64_t *constants,
                            void *const *rows)
{
    ROWS
    CONSTANTS
    uint8_t any = 0;
    for (int n = 0; INHIBITED && n < columns; n++)
        any |= row_fired[n];
    for (int block = 0; block < columns; block += BLOCK) {
#pragma GCC ivdep
        for (int n = block; n < block + BLOCK; n++) {
            LOADS
            LINES
            STORES
        }
    }
}
