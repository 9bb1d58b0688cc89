// Rows become columns.

/// Overwrites `to: [8, lanes]` without gaps with the transpose of `[lanes, 8]` whose rows are `stride` apart; `lanes` is 8 or 16. Of
/// only `rows` rows the last one is repeated.
INLINE void NAME(transpose)(const float *from, int64_t stride, int64_t rows, const int lanes, float *to) {
#if HAS_AVX512 || HAS_AVX2
    // Blocks of eight by eight, each by three exchanges of halves.
    for (int down = 0; down < lanes; down += 8) {
        __m256 r[8], s[8];
#pragma clang loop unroll(full)
        for (int i = 0; i < 8; i++) r[i] = _mm256_loadu_ps(from + NAME(least)(down + i, rows - 1) * stride);
#pragma clang loop unroll(full)
        for (int i = 0; i < 8; i += 2) {
            s[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
            s[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
        }
#pragma clang loop unroll(full)
        for (int i = 0; i < 8; i += 4) {
            r[i] = _mm256_shuffle_ps(s[i], s[i + 2], 0x44);
            r[i + 1] = _mm256_shuffle_ps(s[i], s[i + 2], 0xee);
            r[i + 2] = _mm256_shuffle_ps(s[i + 1], s[i + 3], 0x44);
            r[i + 3] = _mm256_shuffle_ps(s[i + 1], s[i + 3], 0xee);
        }
#pragma clang loop unroll(full)
        for (int i = 0; i < 4; i++) {
            _mm256_storeu_ps(to + i * lanes + down, _mm256_permute2f128_ps(r[i], r[i + 4], 0x20));
            _mm256_storeu_ps(to + (i + 4) * lanes + down, _mm256_permute2f128_ps(r[i], r[i + 4], 0x31));
        }
    }
#else
    for (int r = 0; r < lanes; r++) {
        for (int c = 0; c < 8; c++) to[c * lanes + r] = from[NAME(least)(r, rows - 1) * stride + c];
    }
#endif
}
