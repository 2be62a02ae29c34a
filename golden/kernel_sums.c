/* Synaptic sums of a core that does not learn; golden/kernel.py puts it before kernel.c. */
#define WORDS (VECTOR_BYTES / 2)
/* Three sums for each of four vectors: twelve of the sixteen registers that AVX2 has. */
#define VECTORS 4
/* 257 times 255 is the most that 16 bits hold. */
#define ROWS_BEFORE_FLUSH 256
/* Columns whose weights lie together; with fewer bits, over those of other pieces. */
#define PIECE 64
typedef uint16_t vector __attribute__((vector_size(VECTOR_BYTES), may_alias));

/* Weights of one core, as (W - weight_min) / step, in 1, 4 or 8 bits each. */
struct crossbar {
    const uint8_t *weights; /* (n_axons, row_bytes) */
    int32_t columns;        /* neurons, in whole blocks */
    int32_t row_bytes, stored_bits, weight_min;
    int32_t step;         /* 2 between weights of -1 and +1, otherwise 1 */
    int32_t rows_in_byte; /* whose sum a byte holds */
};

/* The axons that are active in a tick. */
struct active {
    uint16_t *axons;
    int32_t n;
};

/* Add some active rows, so few that no byte overflows into its neighbour.
 *
 * In every 16-bit word the lower byte is a column 0..31 of a piece, the upper one 32 columns further.
 * Pieces of fewer bits share their bytes, 8 or 2 of them, the first in the lowest bits. `column` is
 * in the first of those that share, but of 8 in any, and then `vectors` stay within the 8. */
INLINE void add_bytes(const struct crossbar *crossbar, int column, const uint16_t *axons, int n_rows,
                      vector *pairs, const int vectors, const int bits)
{
    enum { PARTS = PIECE / VECTOR_BYTES };
    const int sharing = 8 / bits;
    const int first = bits == 1 ? column / PIECE % sharing : 0;
    const uint8_t *weights = crossbar->weights + column / (sharing * PIECE) * PIECE;
    const size_t row_bytes = crossbar->row_bytes;
    const uint16_t mask = ((1 << bits) - 1) * 257;
    for (int i = 0; i < vectors; i++)
        pairs[i] = (vector){0};
    for (int k = 0; k < n_rows; k++) {
        const vector *row = (const vector *)(weights + axons[k] * row_bytes);
        for (int i = 0; i < vectors; i++) {
            const int piece = i / PARTS;
            vector all = row[piece / sharing * PARTS + i % PARTS];
            pairs[i] += all >> bits * (first + piece % sharing) & mask;
        }
    }
}

/* Add up to ROWS_BEFORE_FLUSH active rows: the sums of the lower bytes, and of the upper ones.
 *
 * Bytes are added two at a time as 16-bit words, which is safe for `rows_in_byte` rows; only then are
 * they parted. A loop that may run not even once would keep the sums in memory. */
INLINE void add_words(const struct crossbar *crossbar, int column, const uint16_t *axons, int n_rows,
                      vector *lower, vector *upper, const int vectors, const int bits)
{
    const int rows_in_byte = crossbar->rows_in_byte;
    vector pairs[VECTORS];
    for (int i = 0; i < vectors; i++)
        lower[i] = upper[i] = (vector){0};
    int k = 0;
    do {
        int left = n_rows - k;
        add_bytes(crossbar, column, axons + k, left < rows_in_byte ? left : rows_in_byte, pairs,
                  vectors, bits);
        for (int i = 0; i < vectors; i++) {
            lower[i] += pairs[i] & 255;
            upper[i] += pairs[i] >> 8;
        }
        k += rows_in_byte;
    } while (k < n_rows);
}

/* Sum all active rows, in as many columns as `vectors` registers have bytes.
 *
 * Parted, the sums lie in order. Constant `vectors` keeps all of them in registers. */
INLINE void add_rows(const struct crossbar *crossbar, int column, const struct active *active,
                     int32_t *sums, const int vectors, const int bits)
{
    const int32_t offset = crossbar->weight_min * active->n;
    const int32_t step = bits == 1 ? crossbar->step : 1;
    vector lower[VECTORS], upper[VECTORS];
    int k = 0;
    do {
        int left = active->n - k;
        int n_rows = left < ROWS_BEFORE_FLUSH ? left : ROWS_BEFORE_FLUSH;
        add_words(crossbar, column, active->axons + k, n_rows, lower, upper, vectors, bits);
        for (int i = 0; i < vectors; i++) {
            int32_t *to = sums + column + i * WORDS / 32 * PIECE + i * WORDS % 32;
            for (int word = 0; word < WORDS; word++) {
                to[word] = (k ? to[word] : offset) + step * lower[i][word];
                to[word + 32] = (k ? to[word + 32] : offset) + step * upper[i][word];
            }
        }
        k += n_rows;
    } while (k < active->n);
}

INLINE void sum_columns(const struct crossbar *crossbar, const struct active *active, int32_t *sums,
                        const int bits)
{
    int column = 0;
    for (; column + VECTORS * VECTOR_BYTES <= crossbar->columns; column += VECTORS * VECTOR_BYTES)
        add_rows(crossbar, column, active, sums, VECTORS, bits);
    for (; column + 2 * PIECE <= crossbar->columns; column += 2 * PIECE)
        add_rows(crossbar, column, active, sums, 2 * PIECE / VECTOR_BYTES, bits);
    if (column < crossbar->columns)
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
