#include "amx.h"

#if defined(__x86_64__)
// Where row r of a block's tiles begins: bytes between its steps, and between hi and lo, follow.
INLINE char *tile_row(void *scratch, ctileproducts_mode mode, int64_t rows, int64_t steps, int64_t r, int64_t *bytes) {
    const int64_t first = r / block_rows * block_rows;
    const int64_t tiles = rows - first > tile_rows ? 2 : 1;
    *bytes = tiles * parts(mode) * tile_bytes;
    return (char *)scratch + first / tile_rows * steps * parts(mode) * tile_bytes + r % block_rows * 64;
}

// Rows as bfloat16, hi and perhaps lo.
AVX512 void amx_fill_bf16(
    ctileproducts_mode mode, const float *x, int64_t x_stride, int64_t rows, int64_t width, int64_t steps, void *scratch) {
    for (int64_t r = 0; r < rows; r++) {
        int64_t bytes;
        char *row = tile_row(scratch, mode, rows, steps, r, &bytes);
        const float *from = x + r * x_stride;
        for (int64_t s = 0; s < steps; s++, row += bytes) {
            const int64_t left = width - 32 * s;
            __m512 a, b;
            if (left >= 32) {
                a = _mm512_loadu_ps(from + 32 * s);
                b = _mm512_loadu_ps(from + 32 * s + 16);
            } else {
                a = _mm512_maskz_loadu_ps(mask(left), from + 32 * s);
                b = _mm512_maskz_loadu_ps(mask(left - 16), from + 32 * s + 16);
            }
            const __m512i hi = (__m512i)_mm512_cvtne2ps_pbh(b, a);
            _mm512_store_si512(row, hi);
            if (mode != ctileproducts_bf16x3) continue;
            const __m512i ha = _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm512_castsi512_si256(hi)), 16);
            const __m512i hb = _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(hi, 1)), 16);
            const __m512i lo = (__m512i)_mm512_cvtne2ps_pbh(
                _mm512_sub_ps(b, _mm512_castsi512_ps(hb)), _mm512_sub_ps(a, _mm512_castsi512_ps(ha)));
            _mm512_store_si512(row + bytes / 2, lo);
        }
    }
}

// Rows rounded to whole numbers, and the factor of each: `quantiseRow`. Products and sums with a stated rounding, which a
// compiler does not contract.
#define NEAREST (_MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)
AVX512 void amx_fill_int8(
    const float *x, int64_t x_stride, int64_t rows, int64_t width, int64_t steps, void *scratch, float *factors) {
    const __m512 magic = _mm512_set1_ps(12582912);
    for (int64_t r = 0; r < rows; r++) {
        int64_t bytes;
        char *row = tile_row(scratch, ctileproducts_int8, rows, steps, r, &bytes);
        const float *from = x + r * x_stride;
        // The largest magnitude; as whole numbers, where NaN and infinity are above all others.
        __m512i top0 = _mm512_setzero_si512(), top1 = top0, top2 = top0, top3 = top0;
        const __m512i magnitude = _mm512_set1_epi32(0x7fffffff);
        int64_t i = 0;
        for (; i + 64 <= width; i += 64) {
            top0 = _mm512_max_epi32(top0, _mm512_and_si512(magnitude, _mm512_loadu_si512(from + i)));
            top1 = _mm512_max_epi32(top1, _mm512_and_si512(magnitude, _mm512_loadu_si512(from + i + 16)));
            top2 = _mm512_max_epi32(top2, _mm512_and_si512(magnitude, _mm512_loadu_si512(from + i + 32)));
            top3 = _mm512_max_epi32(top3, _mm512_and_si512(magnitude, _mm512_loadu_si512(from + i + 48)));
        }
        for (; i < width; i += 16) {
            top0 = _mm512_max_epi32(
                top0, _mm512_and_si512(magnitude, _mm512_maskz_loadu_epi32(mask(width - i), from + i)));
        }
        const int bits = _mm512_reduce_max_epi32(_mm512_max_epi32(_mm512_max_epi32(top0, top1), _mm512_max_epi32(top2, top3)));
        float top;
        memcpy(&top, &bits, sizeof top);
        if (bits == 0 || bits >= 0x7f800000) {
            factors[r] = bits == 0 ? 0 : __builtin_nanf("");
            for (int64_t s = 0; s < steps; s++) memset(row + s * bytes, 0, 64);
            continue;
        }
        factors[r] = top / 127;
        const __m512 scale = _mm512_set1_ps(127 / top);
        for (int64_t s = 0; s < steps; s++, row += bytes) {
            for (int64_t part = 0; part < 4; part++) {
                const int64_t at = 64 * s + 16 * part;
                const __m512 v = width - at >= 16 ? _mm512_loadu_ps(from + at)
                                                  : _mm512_maskz_loadu_ps(mask(width - at), from + at);
                const __m512 whole = _mm512_add_round_ps(_mm512_mul_round_ps(v, scale, NEAREST), magic, NEAREST);
                _mm_store_si128((__m128i *)(row + 16 * part), _mm512_cvtepi32_epi8(_mm512_castps_si512(whole)));
            }
        }
    }
}
#endif
