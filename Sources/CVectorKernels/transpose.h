// Sixteen rows become sixteen columns.

/// Overwrites `to: [columns, 16]` without gaps with the transpose of `[16, columns]` whose rows are `stride` apart; `columns` is 8 or
/// 16. Of only `rows` rows the last one is repeated.
INLINE void NAME(transpose)(const float *from, int64_t stride, int64_t rows, int64_t columns, float *to) {
#if HAS_AVX512 || HAS_AVX2
    // Blocks of eight by eight, each by three exchanges of halves.
    for (int down = 0; down < 16; down += 8) {
        for (int right = 0; right < columns; right += 8) {
            __m256 r[8], s[8];
#pragma clang loop unroll(full)
            for (int i = 0; i < 8; i++) r[i] = _mm256_loadu_ps(from + NAME(least)(down + i, rows - 1) * stride + right);
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
                _mm256_storeu_ps(to + (right + i) * 16 + down, _mm256_permute2f128_ps(r[i], r[i + 4], 0x20));
                _mm256_storeu_ps(to + (right + i + 4) * 16 + down, _mm256_permute2f128_ps(r[i], r[i + 4], 0x31));
            }
        }
    }
#else
    for (int r = 0; r < 16; r++) {
        for (int c = 0; c < columns; c++) to[c * 16 + r] = from[NAME(least)(r, rows - 1) * stride + c];
    }
#endif
}
