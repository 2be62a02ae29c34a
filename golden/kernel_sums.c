/* Synaptic sums of a core that does not learn; golden/compiled.py puts it before kernel.c. */
#define WORDS (VECTOR_BYTES / 2)
/* Three sums for each of four vectors: twelve of the sixteen registers that AVX2 has. */
#define VECTORS 4
/* 257 times 255 is the most that 16 bits hold. */
#define ROWS_BEFORE_FLUSH 256
/* Columns whose weights a row holds in one piece. */
#define PIECE 64
typedef uint16_t vector __attribute__((vector_size(VECTOR_BYTES), may_alias));
typedef uint8_t bytes __attribute__((vector_size(VECTOR_BYTES)));
typedef uint8_t half_vector __attribute__((vector_size(VECTOR_BYTES / 2), may_alias));
typedef uint64_t eights __attribute__((vector_size(VECTOR_BYTES)));

/* Weights of one core, as W - weight_min, which is 0..weight_range, in 1, 4 or 8 bits each. */
struct crossbar {
    const uint8_t *weights; /* (n_axons, columns * stored_bits / 8) */
    int32_t columns;        /* neurons, in whole blocks */
    int32_t stored_bits, weight_min, weight_range;
    int32_t rows_in_byte; /* 255 / weight_range: rows whose sum a byte holds */
};

/* The axons that are active in a tick. */
struct active {
    uint16_t *axons;
    int32_t n;
};

INLINE int row_size(const struct crossbar *crossbar)
{
    return crossbar->columns * crossbar->stored_bits / 8;
}

/* Return a register of bytes from a row whose weights are stored in `bits` each.
 *
 * In every 16-bit word the lower byte is a column 0..31 of a piece, the upper one 32 columns further.
 * Weights of one bit are `ones` where it is set. */
INLINE vector row_part(const uint8_t *row, vector ones, const int bits)
{
    if (bits == 8)
        return *(const vector *)row;
    if (bits == 4) {
        vector words = __builtin_convertvector(*(const half_vector *)row, vector);
        return (words | words << 4) & 0x0f0f;
    }
#ifdef __AVX512BW__
    return (vector)_mm512_maskz_mov_epi8(*(const __mmask64 *)row, (__m512i)ones);
#else
    const int big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    eights words;
    for (int i = 0; i < VECTOR_BYTES / 8; i++)
        words[i] = row[i] * 0x0101010101010101;
    words &= big_endian ? 0x0102040810204080 : 0x8040201008040201;
    return (vector)((bytes)words != 0) & ones;
#endif
}

/* Add some active rows, so few that no byte overflows into its neighbour. */
INLINE void add_bytes(const struct crossbar *crossbar, int column, const uint16_t *axons, int n_rows,
                      vector *pairs, const int vectors, const int bits)
{
    const uint8_t *weights = crossbar->weights + column * bits / 8;
    const size_t row_bytes = crossbar->columns * bits / 8; /* `bits` is known, stored_bits is not */
    const vector ones = (vector){0} + (uint16_t)(crossbar->weight_range * 257);
    for (int i = 0; i < vectors; i++)
        pairs[i] = (vector){0};
    for (int k = 0; k < n_rows; k++) {
        const uint8_t *row = weights + axons[k] * row_bytes;
        for (int i = 0; i < vectors; i++)
            pairs[i] += row_part(row + i * VECTOR_BYTES * bits / 8, ones, bits);
    }
}

/* Add all active rows, in as many columns as `vectors` registers have bytes.
 *
 * Bytes are added two at a time as 16-bit words, which is safe for `rows_in_byte` rows; only then are
 * they parted, and the sums lie in order. Constant `vectors` keeps all sums in registers.
 */
INLINE void add_rows(const struct crossbar *crossbar, int column, const struct active *active,
                     int32_t *sums, const int vectors, const int bits)
{
    const int32_t offset = crossbar->weight_min * active->n;
    const int rows_in_byte = crossbar->rows_in_byte, few = active->n <= rows_in_byte;
    vector pairs[VECTORS];
    if (few)
        add_bytes(crossbar, column, active->axons, active->n, pairs, vectors, bits);
    for (int i = 0; i < vectors; i++) {
        int32_t *to = sums + column + i * WORDS / 32 * PIECE + i * WORDS % 32;
        for (int word = 0; word < WORDS; word++) {
            to[word] = offset + (few ? pairs[i][word] & 255 : 0);
            to[word + 32] = offset + (few ? pairs[i][word] >> 8 : 0);
        }
    }
    for (int k = few ? active->n : 0; k < active->n;) {
        vector lower[VECTORS] = {{0}}, upper[VECTORS] = {{0}};
        int flush = k + ROWS_BEFORE_FLUSH < active->n ? k + ROWS_BEFORE_FLUSH : active->n;
        for (; k < flush; k += rows_in_byte) {
            int n_rows = k + rows_in_byte < flush ? rows_in_byte : flush - k;
            add_bytes(crossbar, column, active->axons + k, n_rows, pairs, vectors, bits);
            for (int i = 0; i < vectors; i++) {
                lower[i] += pairs[i] & 255;
                upper[i] += pairs[i] >> 8;
            }
        }
        k = flush;
        for (int i = 0; i < vectors; i++) {
            int32_t *to = sums + column + i * WORDS / 32 * PIECE + i * WORDS % 32;
            for (int word = 0; word < WORDS; word++) {
                to[word] += lower[i][word];
                to[word + 32] += upper[i][word];
            }
        }
    }
}

INLINE void sum_columns(const struct crossbar *crossbar, const struct active *active, int32_t *sums,
                        const int bits)
{
    int column = 0;
    for (; column + VECTORS * VECTOR_BYTES <= crossbar->columns; column += VECTORS * VECTOR_BYTES)
        add_rows(crossbar, column, active, sums, VECTORS, bits);
    for (; column < crossbar->columns; column += PIECE)
        add_rows(crossbar, column, active, sums, PIECE / VECTOR_BYTES, bits);
}

static NOINLINE void synaptic_sums(const struct crossbar *crossbar, const struct active *active,
                                   int32_t *sums)
{
    switch (crossbar->stored_bits) {
    case 1: sum_columns(crossbar, active, sums, 1); break;
    case 4: sum_columns(crossbar, active, sums, 4); break;
    default: sum_columns(crossbar, active, sums, 8);
    }
}
