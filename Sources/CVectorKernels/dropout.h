// Dropout: which elements of a row are kept is a function of the key and the counter alone.
//
// A row is drawn in chunks of 256 elements. Element e of a chunk has the high byte of its sixteen bits in word `e / 64`, byte
// `e % 4`, of the Philox block with the first counter word `32 * chunk + e % 64 / 4`, and its low byte at the same place of the block
// 16 further. The low byte decides only when the high one equals that of the threshold, once in 256 elements, so it is drawn only
// then. `chunk` is `row * chunks of a row + chunk of the row`.

/// Word `word` of one block.
INLINE uint32_t NAME(philox_word)(const cvectorkernels_dropout *d, uint32_t counter, int word) {
    uint32_t c0 = counter, c1 = d->place, c2 = d->slot, c3 = d->step, k0 = d->key0, k1 = d->key1;
    for (int round = 0; round < 10; round++) {
        const uint64_t p0 = (uint64_t)c0 * 0xd2511f53u, p1 = (uint64_t)c2 * 0xcd9e8d57u;
        const uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0, n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        c0 = n0;
        c2 = n2;
        k0 += 0x9e3779b9u;
        k1 += 0xbb67ae85u;
    }
    return word == 0 ? c0 : word == 1 ? c1 : word == 2 ? c2 : c3;
}

/// The low and high halves of products of sixteen words and a factor.
INLINE void NAME(multiply_wide)(words a, uint32_t factor, words *low, words *high) {
    const wide_words half = {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff,
                             0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff};
    const wide_words even = ((wide_words)a & half) * (uint64_t)factor, odd = ((wide_words)a >> 32) * (uint64_t)factor;
    *low = (words)((even & half) | odd << 32);
    *high = (words)(even >> 32 | (odd & ~half));
}

/// Sixteen blocks with consecutive first counter words: word w of block l is element l of `out[w]`.
INLINE void NAME(philox_blocks)(const cvectorkernels_dropout *d, uint32_t first, words out[4]) {
    const words lanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    words c0 = lanes + first, c1 = lanes * 0 + d->place, c2 = lanes * 0 + d->slot, c3 = lanes * 0 + d->step;
    uint32_t k0 = d->key0, k1 = d->key1;
#pragma clang loop unroll(full)
    for (int round = 0; round < 10; round++) {
        words low0, high0, low1, high1;
        NAME(multiply_wide)(c0, 0xd2511f53u, &low0, &high0);
        NAME(multiply_wide)(c2, 0xcd9e8d57u, &low1, &high1);
        c0 = high1 ^ c1 ^ k0;
        c1 = low1;
        c2 = high0 ^ c3 ^ k1;
        c3 = low0;
        k0 += 0x9e3779b9u;
        k1 += 0xbb67ae85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

/// A bit for each of 64 bytes that is at least `bound`, and for each that equals it.
INLINE void NAME(compare_bytes)(words x, uint8_t bound, uint64_t *at_least, uint64_t *equal) {
#if HAS_AVX512
    const __m512i b = _mm512_set1_epi8((char)bound);
    *at_least = _mm512_cmpge_epu8_mask((__m512i)x, b);
    *equal = _mm512_cmpeq_epi8_mask((__m512i)x, b);
#elif HAS_AVX2
    const __m256i b = _mm256_set1_epi8((char)bound);
    uint64_t above[2], same[2];
    __m256i halves[2];
    __builtin_memcpy(halves, &x, sizeof x);
    for (int h = 0; h < 2; h++) {
        above[h] = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_max_epu8(halves[h], b), halves[h]));
        same[h] = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(halves[h], b));
    }
    *at_least = above[0] | above[1] << 32;
    *equal = same[0] | same[1] << 32;
#else
    uint8_t bytes[64];
    __builtin_memcpy(bytes, &x, sizeof x);
    *at_least = *equal = 0;
    for (int i = 0; i < 64; i++) {
        *at_least |= (uint64_t)(bytes[i] >= bound) << i;
        *equal |= (uint64_t)(bytes[i] == bound) << i;
    }
#endif
}

/// A bit for each element of a chunk that is kept; those of the first `count` elements are right.
INLINE void NAME(keep)(const cvectorkernels_dropout *d, uint32_t chunk, int64_t count, uint64_t bits[4]) {
    words drawn[4];
    NAME(philox_blocks)(d, 32 * chunk, drawn);
    const uint32_t low = d->threshold & 0xff;
    uint64_t same[4];
    int undecided = 0;
    for (int w = 0; w < 4; w++) {
        NAME(compare_bytes)(drawn[w], (uint8_t)(d->threshold >> 8), &bits[w], &same[w]);
        const int64_t left = count - 64 * w;
        if (left < 64) same[w] &= left > 0 ? (1ull << left) - 1 : 0;
        undecided += __builtin_popcountll(same[w]);
    }
    // One loop over all four words: how often a loop runs is hard to predict, and each wrong guess costs as much as a draw.
    for (undecided = low == 0 ? 0 : undecided; undecided > 0; undecided--) {
        const int w = same[0] ? 0 : same[1] ? 1 : same[2] ? 2 : 3;
        const int e = __builtin_ctzll(same[w]);
        same[w] &= same[w] - 1;
        const uint32_t word = NAME(philox_word)(d, 32 * chunk + 16 + (uint32_t)e / 4, w);
        if ((word >> e % 4 * 8 & 0xff) < low) bits[w] &= ~(1ull << e);
    }
}

static void NAME(dropout)(
    const cvectorkernels_dropout *d, const float *x, int64_t x_stride, const float *a, int64_t a_stride, float *y,
    int64_t y_stride, int64_t rows, int64_t width, int64_t first) {
    const int64_t chunks = (width + cvectorkernels_chunk - 1) / cvectorkernels_chunk;
    const floats scale = NAME(all)(d->scale);
    for (int64_t r = 0; r < rows; r++, x += x_stride, y += y_stride, a = a ? a + a_stride : a) {
        for (int64_t chunk = 0; chunk < chunks; chunk++) {
            uint64_t bits[4];
            const int64_t start = chunk * cvectorkernels_chunk;
            const int64_t count = width - start < cvectorkernels_chunk ? width - start : cvectorkernels_chunk;
            NAME(keep)(d, (uint32_t)((first + r) * chunks + chunk), count, bits);
            for (int64_t i = 0; i < count; i += 16) {
                const uint32_t some = (uint32_t)(bits[i / 64] >> i % 64);
                if (count - i >= 16) {
                    floats value = NAME(kept)(NAME(load)(x + start + i) * scale, some);
                    if (a) value = NAME(load)(a + start + i) + value;
                    NAME(store)(y + start + i, value);
                } else {
                    floats value = NAME(kept)(NAME(load_some)(x + start + i, count - i) * scale, some);
                    if (a) value = NAME(load_some)(a + start + i, count - i) + value;
                    NAME(store_some)(y + start + i, value, count - i);
                }
            }
        }
    }
}

/// A bit for each of sixteen elements that is above 0 or NaN.
INLINE uint32_t NAME(positive)(floats x) {
#if HAS_AVX512
    return _mm512_cmp_ps_mask((__m512)x, _mm512_setzero_ps(), _CMP_NLE_UQ);
#elif HAS_AVX2
    __m256 halves[2];
    __builtin_memcpy(halves, &x, sizeof x);
    const __m256 zero = _mm256_setzero_ps();
    return (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(halves[0], zero, _CMP_NLE_UQ)) |
           (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(halves[1], zero, _CMP_NLE_UQ)) << 8;
#else
    uint32_t bits = 0;
    for (int i = 0; i < 16; i++) bits |= (uint32_t)!(x[i] <= 0) << i;
    return bits;
#endif
}

static void NAME(relu)(
    const cvectorkernels_dropout *d, float *x, int64_t x_stride, uint8_t *mask, int64_t mask_stride, int64_t rows,
    int64_t width, int64_t first) {
    const int64_t chunks = (width + cvectorkernels_chunk - 1) / cvectorkernels_chunk;
    const floats scale = NAME(all)(d ? d->scale : 1);
    for (int64_t r = 0; r < rows; r++, x += x_stride, mask += mask_stride) {
        for (int64_t chunk = 0; chunk < chunks; chunk++) {
            uint64_t bits[4] = {~0ull, ~0ull, ~0ull, ~0ull};
            const int64_t start = chunk * cvectorkernels_chunk;
            const int64_t count = width - start < cvectorkernels_chunk ? width - start : cvectorkernels_chunk;
            if (d) NAME(keep)(d, (uint32_t)((first + r) * chunks + chunk), count, bits);
            for (int64_t i = 0; i < count; i += 16) {
                float *p = x + start + i;
                const int64_t left = count - i;
                const floats before = left >= 16 ? NAME(load)(p) : NAME(load_some)(p, left);
                // The product is rounded before the comparison, so that what becomes 0 has no bit.
                const floats value = NAME(kept)(before * scale, (uint32_t)(bits[i / 64] >> i % 64));
                const uint32_t positive = NAME(positive)(value);
                const floats after = NAME(kept)(value, positive);
                if (left >= 16) {
                    NAME(store)(p, after);
                } else {
                    NAME(store_some)(p, after, left);
                }
                uint8_t *m = mask + (start + i) / 8;
                m[0] = (uint8_t)positive;
                if (left > 8) m[1] = (uint8_t)(positive >> 8);
            }
        }
    }
}

static void NAME(relu_backward)(float *dy, const uint8_t *mask, int64_t width, float factor) {
    const floats scale = NAME(all)(factor);
    int64_t i = 0;
    for (; i + 16 <= width; i += 16) {
        const uint32_t bits = mask[i / 8] | (uint32_t)mask[i / 8 + 1] << 8;
        NAME(store)(dy + i, NAME(kept)(NAME(load)(dy + i) * scale, bits));
    }
    if (i < width) {
        const uint32_t bits = mask[i / 8] | (width - i > 8 ? (uint32_t)mask[i / 8 + 1] << 8 : 0);
        NAME(store_some)(dy + i, NAME(kept)(NAME(load_some)(dy + i, width - i) * scale, bits), width - i);
    }
}
