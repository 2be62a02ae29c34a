/* What kernel.c and learning_rule.c share; golden/kernel.py and native_learning.py put it before both. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef __AVX512BW__
#include <immintrin.h>
#define VECTOR_BYTES 64
#else
#define VECTOR_BYTES 32
#endif
#define INLINE static inline __attribute__((always_inline))
#define NOINLINE __attribute__((noinline)) /* loops that need the registers for themselves */
/* Neurons of which the update is one straight piece of code; rows are padded to whole blocks. */
#define BLOCK 64
/* Entries that list_bits may write behind a list. */
#define SPARE 32

INLINE int32_t clamp(int32_t x, int32_t low, int32_t high)
{
    x = x < low ? low : x;
    return x > high ? high : x;
}

/* One bit for each of up to 64 bytes: 1 where it is not zero. So one branch ends a run of 64. */
INLINE uint64_t nonzero_bits(const uint8_t *bytes, int64_t n_bytes)
{
#ifdef __AVX512BW__
    __m512i all = _mm512_maskz_loadu_epi8(~(uint64_t)0 >> (64 - n_bytes), bytes);
    return _mm512_test_epi8_mask(all, all);
#else
    uint64_t bits = 0;
    for (int64_t first = 0; first < n_bytes; first += 8) {
        uint64_t word = 0;
        memcpy(&word, bytes + first, n_bytes - first < 8 ? n_bytes - first : 8);
        if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
            word = __builtin_bswap64(word);
        word |= word >> 4;
        word |= word >> 2;
        word |= word >> 1;
        bits |= ((word & 0x0101010101010101) * 0x0102040810204080 >> 56) << first;
    }
    return bits;
#endif
}

/* Write the indices of the bits that are set, the lowest being `first`; return their number.
 *
 * Without asking how many there are, since a branch that depends on the data costs more; `indices`
 * has room for SPARE more. */
INLINE int list_bits(uint64_t bits, int first, uint16_t *indices)
{
    const int found = __builtin_popcountll(bits);
#ifdef __AVX512VBMI2__
    typedef uint16_t block __attribute__((vector_size(64)));
    block lower = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                   16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};
    lower += (uint16_t)first;
    block upper = lower + 32;
    const uint32_t lower_bits = (uint32_t)bits, upper_bits = (uint32_t)(bits >> 32);
    uint16_t *after = indices + __builtin_popcount(lower_bits);
    _mm512_storeu_si512(indices, _mm512_maskz_compress_epi16(lower_bits, (__m512i)lower));
    _mm512_storeu_si512(after, _mm512_maskz_compress_epi16(upper_bits, (__m512i)upper));
#else
    for (int count = 0; count < found; count += 8)
        for (int i = count; i < count + 8; i++, bits &= bits - 1)
            indices[i] = (uint16_t)(first + (bits ? __builtin_ctzll(bits) : 0));
#endif
    return found;
}

/* Write the indices of the bytes that are not zero; return their number. */
INLINE int list_nonzero(const uint8_t *bytes, int n_bytes, uint16_t *indices)
{
    int found = 0;
    for (int first = 0; first < n_bytes; first += 64) {
        int left = n_bytes - first;
        uint64_t bits = nonzero_bits(bytes + first, left < 64 ? left : 64);
        found += list_bits(bits, first, indices + found);
    }
    return found;
}
