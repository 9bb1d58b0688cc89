// Dropout: which elements of a row are kept is a function of the key and the counter alone.
//
// A row is drawn in chunks of 256 elements. Element e of a chunk has the high byte of its sixteen bits in word `e / 64`, byte
// `e % 4`, of the Philox block with the first counter word `32 * chunk + e % 64 / 4`, and its low byte at the same place of the block
// 16 further. The low byte decides only when the high one equals that of the threshold, once in 256 elements, so it is drawn only
// then. `chunk` is `row * chunks of a row + chunk of the row`.

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

/// The chunks of some rows, a few at a time: undecided elements, one in each chunk on average, share draws.
typedef struct NAME(Chunks) {
    /// Row, and column of chunks, of the one at hand.
    int64_t row, column;
    /// Chunks of a row, elements of its last one, and the number of the next chunk in the tensor.
    int64_t columns, last, number;
    /// Chunks not yet drawn.
    int64_t left;
    /// How many are drawn, and a bit for each of their elements that is kept.
    int count;
    uint64_t bits[16][4];
} NAME(Chunks);

/// The chunks of `rows` rows, numbered from `first`.
INLINE NAME(Chunks) NAME(chunks)(int64_t rows, int64_t width, int64_t first) {
    const int64_t columns = (width + cvectorkernels_chunk - 1) / cvectorkernels_chunk;
    NAME(Chunks) chunks;
    chunks.row = chunks.column = 0;
    chunks.columns = columns;
    chunks.last = width - (columns - 1) * cvectorkernels_chunk;
    chunks.number = first * columns;
    chunks.left = rows * columns;
    return chunks;
}

/// Goes to the next chunk.
INLINE void NAME(next)(NAME(Chunks) *chunks) {
    if (++chunks->column == chunks->columns) {
        chunks->column = 0;
        chunks->row++;
    }
}

/// How many elements the chunk at hand has.
INLINE int64_t NAME(elements)(const NAME(Chunks) *chunks) {
    return chunks->column + 1 == chunks->columns ? chunks->last : cvectorkernels_chunk;
}

/// Decides by low bytes: `open` has a bit for each word of `same` that is not 0, and `same` one for each of its `count` elements whose
/// high byte leaves the decision to the low one. Overwrites `same`.
INLINE void NAME(decide)(
    const cvectorkernels_dropout *d, const NAME(Keys) *keys, uint64_t open, uint64_t same[64], int count,
    NAME(Chunks) *chunks) {
    const uint32_t number = (uint32_t)chunks->number;
    for (int done = 0; done < count; done += 16) {
        const int some = count - done < 16 ? count - done : 16;
        uint32_t block[16] = {0}, found[4][16];
        uint16_t place[16];
        // No branch depends on what was drawn: where elements are undecided cannot be predicted.
        for (int i = 0; i < some; i++) {
            const int word = __builtin_ctzll(open), e = __builtin_ctzll(same[word]);
            same[word] &= same[word] - 1;
            open &= ~((uint64_t)(same[word] == 0) << word);
            block[i] = 32 * (number + (uint32_t)word / 4) + 16 + (uint32_t)e / 4;
            place[i] = (uint16_t)(64 * word + e);
        }
        words first, drawn[4];
        __builtin_memcpy(&first, block, sizeof first);
        NAME(philox_blocks)(d, keys, first, drawn);
        __builtin_memcpy(found, drawn, sizeof found);
        for (int i = 0; i < some; i++) {
            const int word = place[i] / 64, e = place[i] % 64;
            const uint64_t falls = (found[word % 4][i] >> e % 4 * 8 & 0xff) < (d->threshold & 0xff);
            chunks->bits[word / 4][word % 4] &= ~(falls << e);
        }
    }
}

/// Draws the next chunks; 0 when there are none. Without a dropout all elements are kept.
INLINE int NAME(draw)(const cvectorkernels_dropout *d, NAME(Chunks) *chunks) {
    chunks->count = (int)NAME(least)(chunks->left, 16);
    chunks->left -= chunks->count;
    if (chunks->count == 0) return 0;
    if (d == NULL) {
        __builtin_memset(chunks->bits, 0xff, sizeof chunks->bits);
        return chunks->count;
    }
    const NAME(Keys) keys = NAME(keys)(d);
    const words lanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const uint8_t bound = (uint8_t)(d->threshold >> 8);
    uint64_t open = 0, same[64];
    int undecided = 0;
    int64_t column = chunks->column;
    for (int c = 0; c < chunks->count; c++) {
        words drawn[4];
        NAME(philox_blocks)(d, &keys, lanes + 32 * (uint32_t)(chunks->number + c), drawn);
        column = column + 1 == chunks->columns ? 0 : column + 1;
        const int64_t count = column == 0 ? chunks->last : cvectorkernels_chunk;
        for (int w = 0; w < 4; w++) {
            const int64_t left = count - 64 * w;
            uint64_t s;
            NAME(compare_bytes)(drawn[w], bound, &chunks->bits[c][w], &s);
            if (left < 64) s &= left > 0 ? (1ull << left) - 1 : 0;
            same[4 * c + w] = s;
            open |= (uint64_t)(s != 0) << (4 * c + w);
            undecided += __builtin_popcountll(s);
        }
    }
    if ((d->threshold & 0xff) != 0) NAME(decide)(d, &keys, open, same, undecided, chunks);
    chunks->number += chunks->count;
    return chunks->count;
}

/// `y = a + x * scale` where the mask has a bit, otherwise `y = a`, for `width` elements; 0 stands for `a` where that is NULL.
INLINE void NAME(mask_row)(const uint8_t *mask, floats scale, const float *x, const float *a, float *y, int64_t width) {
    int64_t i = 0;
    for (; i + 16 <= width; i += 16) {
        uint16_t bits;
        __builtin_memcpy(&bits, mask + i / 8, sizeof bits);
        floats value = NAME(kept)(NAME(load)(x + i) * scale, bits);
        if (a) value = NAME(load)(a + i) + value;
        NAME(store)(y + i, value);
    }
    if (i < width) {
        const uint32_t bits = mask[i / 8] | (width - i > 8 ? (uint32_t)mask[i / 8 + 1] << 8 : 0);
        floats value = NAME(kept)(NAME(load_some)(x + i, width - i) * scale, bits);
        if (a) value = NAME(load_some)(a + i, width - i) + value;
        NAME(store_some)(y + i, value, width - i);
    }
}

static void NAME(dropout)(
    const cvectorkernels_dropout *d, const float *x, int64_t x_stride, const float *a, int64_t a_stride, float *y,
    int64_t y_stride, uint8_t *mask, int64_t mask_stride, int64_t rows, int64_t width, int64_t first) {
    const floats scale = NAME(all)(d->scale);
    NAME(Chunks) chunks = NAME(chunks)(rows, width, first);
    while (NAME(draw)(d, &chunks)) {
        for (int c = 0; c < chunks.count; c++, NAME(next)(&chunks)) {
            const int64_t start = chunks.column * cvectorkernels_chunk, count = NAME(elements)(&chunks);
            const float *p = x + chunks.row * x_stride + start;
            float *q = y + chunks.row * y_stride + start;
            const uint8_t *bits = (const uint8_t *)chunks.bits[c];
            if (mask) {
                __builtin_memcpy(mask + chunks.row * mask_stride + start / 8, bits, (size_t)((count + 63) / 64 * 8));
            }
            if (a) {
                NAME(mask_row)(bits, scale, p, a + chunks.row * a_stride + start, q, count);
            } else {
                NAME(mask_row)(bits, scale, p, NULL, q, count);
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
    const floats scale = NAME(all)(d ? d->scale : 1);
    NAME(Chunks) chunks = NAME(chunks)(rows, width, first);
    while (NAME(draw)(d, &chunks)) {
        for (int c = 0; c < chunks.count; c++, NAME(next)(&chunks)) {
            const int64_t start = chunks.column * cvectorkernels_chunk, count = NAME(elements)(&chunks);
            float *p = x + chunks.row * x_stride + start;
            uint8_t *m = mask + chunks.row * mask_stride + start / 8;
            for (int64_t i = 0; i < count; i += 16, m += 2) {
                const int64_t left = count - i;
                const floats before = left >= 16 ? NAME(load)(p + i) : NAME(load_some)(p + i, left);
                // The product is rounded before the comparison, so that what becomes 0 has no bit.
                const floats value = NAME(kept)(before * scale, (uint32_t)(chunks.bits[c][i / 64] >> i % 64));
                const uint32_t positive = NAME(positive)(value);
                const floats after = NAME(kept)(value, positive);
                if (left >= 16) {
                    NAME(store)(p + i, after);
                } else {
                    NAME(store_some)(p + i, after, left);
                }
                m[0] = (uint8_t)positive;
                if (left > 8) m[1] = (uint8_t)(positive >> 8);
            }
        }
    }
}

static void NAME(masked)(
    const uint8_t *mask, int64_t mask_stride, float factor, const float *x, int64_t x_stride, const float *a, int64_t a_stride,
    float *y, int64_t y_stride, int64_t rows, int64_t width) {
    const floats scale = NAME(all)(factor);
    for (int64_t r = 0; r < rows; r++, mask += mask_stride, x += x_stride, y += y_stride) {
        if (a) {
            NAME(mask_row)(mask, scale, x, a + r * a_stride, y, width);
        } else {
            NAME(mask_row)(mask, scale, x, NULL, y, width);
        }
    }
}
