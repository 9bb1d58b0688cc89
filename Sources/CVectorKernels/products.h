// Products of matrices that are small on one side: attention of one head, the sides of an adapter.

/// How many panels of sixteen columns `n` columns have; up to eight columns that are left over are half a panel.
INLINE int64_t NAME(whole_panels)(int64_t n) { return (n + 7) / 16; }

/// Copies some columns of `b`, at most `lanes` of them, into a panel `[k, lanes]`; the last one is repeated. `lanes` is 8 or 16.
INLINE void NAME(fill_panel)(
    const int lanes, int64_t width, int64_t k, const float *source, cvectorkernels_operand b, float *panel) {
    if (b.column == 1 && width == 16) {
        for (int64_t i = 0; i < k; i++) NAME(store)(panel + 16 * i, NAME(load)(source + i * b.row));
        return;
    }
    if (b.column == 1 && width == 8 && lanes == 8) {
        for (int64_t i = 0; i < k; i++) NAME(store_half)(panel + 8 * i, NAME(load_half)(source + i * b.row));
        return;
    }
    int64_t i = 0;
    if (b.row == 1) {
        for (; i + 8 <= k; i += 8) NAME(transpose)(source + i, b.column, width, lanes, panel + lanes * i);
    }
    for (; i < k; i++) {
        for (int64_t j = 0; j < lanes; j++) {
            panel[lanes * i + j] = source[i * b.row + NAME(least)(j, width - 1) * b.column];
        }
    }
}

/// Copies `b: [k, n]` into panels of sixteen columns, `[k, 16]` one after the other, and half a panel, `[k, 8]`.
static void NAME(pack)(int64_t n, int64_t k, cvectorkernels_operand b, float *panels) {
    const int64_t whole = NAME(whole_panels)(n);
    for (int64_t p = 0; p < whole; p++, panels += 16 * k) {
        NAME(fill_panel)(16, NAME(least)(n - 16 * p, 16), k, b.base + 16 * p * b.column, b, panels);
    }
    if (n > 16 * whole) NAME(fill_panel)(8, n - 16 * whole, k, b.base + 16 * whole * b.column, b, panels);
}

/// Writes the sums of one row and one panel.
INLINE void NAME(write)(floats sum, float alpha, int adding, float *c, int64_t width) {
    const floats scaled = sum * alpha;
    if (width >= 16) {
        NAME(store)(c, adding ? NAME(load)(c) + scaled : scaled);
    } else {
        NAME(store_some)(c, adding ? NAME(load_some)(c, width) + scaled : scaled, width);
    }
}

/// The same for half a panel.
INLINE void NAME(write_half)(eight_floats sum, float alpha, int adding, float *c, int64_t width) {
    const eight_floats scaled = sum * alpha;
    if (width >= 8) {
        NAME(store_half)(c, adding ? NAME(load_half)(c) + scaled : scaled);
    } else {
        const floats whole = __builtin_shufflevector(scaled, scaled, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7);
        NAME(store_some)(c, adding ? NAME(load_some)(c, width) + whole : whole, width);
    }
}

/// Some rows of `a` times up to two panels and, if `half`, the first eight columns of the next.
INLINE void NAME(tile)(
    const int rows, const int panels, const int half, int64_t k, const float *a, int64_t row, int64_t column, const float *b,
    int64_t b_row, int64_t b_panel, int64_t half_row, float alpha, int adding, float *c, int64_t c_stride, int64_t width) {
    floats sums[rows * panels + 1];
    eight_floats halves[half ? rows : 1];
#pragma clang loop unroll(full)
    for (int i = 0; i < rows * panels; i++) sums[i] = (floats){0};
#pragma clang loop unroll(full)
    for (int i = 0; i < (half ? rows : 0); i++) halves[i] = (eight_floats){0};
    const float *h = b + panels * b_panel;
    int64_t i = 0;
    if (panels == 0 && column == 1) {
        // A half panel uses every number once: four at a time, so that finding a row costs less than reading it.
        for (; i + 4 <= k; i += 4, a += 4, h += 4 * half_row) {
            eight_floats four[4];
#pragma clang loop unroll(full)
            for (int j = 0; j < 4; j++) four[j] = NAME(load_half)(h + j * half_row);
#pragma clang loop unroll(full)
            for (int r = 0; r < rows; r++) {
                const float *x = a + r * row;
#pragma clang loop unroll(full)
                for (int j = 0; j < 4; j++) {
                    const eight_floats all = {x[j], x[j], x[j], x[j], x[j], x[j], x[j], x[j]};
                    halves[r] = NAME(fused_half)(all, four[j], halves[r]);
                }
            }
        }
    }
    for (; i < k; i++, a += column, b += b_row, h += half_row) {
        floats b0, b1;
        eight_floats b2;
        if (panels > 0) b0 = NAME(load)(b);
        if (panels > 1) b1 = NAME(load)(b + b_panel);
        if (half) b2 = NAME(load_half)(h);
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            const float x = a[r * row];
            if (panels > 0) sums[r * panels] = NAME(fused)(NAME(all)(x), b0, sums[r * panels]);
            if (panels > 1) sums[r * panels + 1] = NAME(fused)(NAME(all)(x), b1, sums[r * panels + 1]);
            if (half) halves[r] = NAME(fused_half)((eight_floats){x, x, x, x, x, x, x, x}, b2, halves[r]);
        }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++, c += c_stride) {
        if (panels > 0) NAME(write)(sums[r * panels], alpha, adding, c, width);
        if (panels > 1) NAME(write)(sums[r * panels + 1], alpha, adding, c + 16, width - 16);
        if (half) NAME(write_half)(halves[r], alpha, adding, c + 16 * panels, width - 16 * panels);
    }
}

// Rows of a tile: its sums, the panels' vectors and one number of a fill the registers. Half a panel leaves room for more rows, and
// needs them: fewer sums would wait for each other. Up to `depth_in_place` rows a matrix is read where it is: that was faster than copying it, on
// a processor with 32 KiB of first-level cache.
#if HAS_AVX512
enum {
    JOIN(tile_rows, VERSION) = 12,
    JOIN(half_rows, VERSION) = 12,
    JOIN(tile_panels, VERSION) = 2,
    JOIN(depth_in_place, VERSION) = 128
};
#elif HAS_AVX2
enum {
    JOIN(tile_rows, VERSION) = 6,
    JOIN(half_rows, VERSION) = 12,
    JOIN(tile_panels, VERSION) = 1,
    JOIN(depth_in_place, VERSION) = 24
};
#else
enum {
    JOIN(tile_rows, VERSION) = 2,
    JOIN(half_rows, VERSION) = 4,
    JOIN(tile_panels, VERSION) = 1,
    JOIN(depth_in_place, VERSION) = 0
};
#endif

/// All rows of `a` times up to two panels and, if `half`, the first eight columns of the next.
INLINE void NAME(column_of_tiles)(
    const int panels, const int half, int64_t m, int64_t k, cvectorkernels_operand a, const float *b, int64_t b_row,
    int64_t b_panel, int64_t half_row, float alpha, int adding, float *c, int64_t c_stride, int64_t width) {
    const int most = panels == 0 ? JOIN(half_rows, VERSION) : JOIN(tile_rows, VERSION);
    int64_t r = 0;
#define TILE(count)                                                                                                       \
    case count:                                                                                                           \
        if (count <= most) {                                                                                              \
            NAME(tile)(                                                                                                   \
                count, panels, half, k, a.base + r * a.row, a.row, a.column, b, b_row, b_panel, half_row, alpha, adding,  \
                c + r * c_stride, c_stride, width);                                                                       \
        }                                                                                                                 \
        break
    // Rows in parts of nearly one size, since a tile of few rows waits for its own sums.
    const int64_t tiles = (m + most - 1) / most;
    for (int64_t t = 0; t < tiles; t++) {
        const int64_t count = (m - r + tiles - t - 1) / (tiles - t);
        switch (count) {
            TILE(1);
            TILE(2);
            TILE(3);
            TILE(4);
            TILE(5);
            TILE(6);
            TILE(7);
            TILE(8);
            TILE(9);
            TILE(10);
            TILE(11);
            TILE(12);
        default: __builtin_unreachable();
        }
        r += count;
    }
#undef TILE
}

/// `c = alpha * a b`, or `c += alpha * a b`: column j of `b` is at `base + j / 16 * panel + j % 16`, its rows `row` apart; in half a
/// panel `half_row` apart.
INLINE void NAME(multiply_panels)(
    int64_t m, int64_t n, int64_t k, cvectorkernels_operand a, const float *base, int64_t row, int64_t panel, int64_t half_row,
    float *c, int64_t c_stride, float alpha, int adding) {
#define COLUMNS(panels, half)                                                                                            \
    NAME(column_of_tiles)(                                                                                               \
        panels, half, m, k, a, base + first / 16 * panel, row, panel, half_row, alpha, adding, c + first, c_stride, n - first)
    const int64_t whole = NAME(whole_panels)(n);
    int64_t first = 0;
    if (JOIN(tile_panels, VERSION) == 2) {
        for (; first + 32 <= 16 * whole; first += 32) COLUMNS(2, 0);
        if (first < 16 * whole && n > 16 * whole) {
            COLUMNS(1, 1);
            return;
        }
    }
    for (; first < 16 * whole; first += 16) COLUMNS(1, 0);
    if (n > first) COLUMNS(0, 1);
#undef COLUMNS
}

static void NAME(packed_product)(
    int64_t m, int64_t n, int64_t k, cvectorkernels_operand a, const float *panels, float *c, int64_t c_stride, float alpha,
    int adding) {
    NAME(multiply_panels)(m, n, k, a, panels, 16, 16 * k, 8, c, c_stride, alpha, adding);
}

static void NAME(product)(
    int64_t m, int64_t n, int64_t k, cvectorkernels_operand a, cvectorkernels_operand b, float *c, int64_t c_stride,
    float alpha, int adding, float *panels) {
    // A few rows of a do not repay a copy of b, if its panels can be read where they are. Many do, since rows of b that are a power of
    // two apart evict each other from the cache; but not where b has few rows.
    if (b.column == 1 && n % 8 == 0 && (m <= 8 || b.row == n || k <= JOIN(depth_in_place, VERSION))) {
        NAME(multiply_panels)(m, n, k, a, b.base, b.row, 16, b.row, c, c_stride, alpha, adding);
        return;
    }
    NAME(pack)(n, k, b, panels);
    NAME(packed_product)(m, n, k, a, panels, c, c_stride, alpha, adding);
}

/// Adds some rows of `a^T b` for one or two vectors of columns.
INLINE void NAME(outer_tile)(
    const int rows, const int vectors, int64_t k, const float *a, int64_t a_stride, const float *b, int64_t b_stride,
    float *c, int64_t c_stride, int64_t width) {
    floats sums[rows * vectors];
    const int part = width < 16 * vectors;
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
        sums[r * vectors] = vectors == 1 && part ? NAME(load_some)(c + r * c_stride, width) : NAME(load)(c + r * c_stride);
        if (vectors == 2) {
            sums[r * 2 + 1] = part ? NAME(load_some)(c + r * c_stride + 16, width - 16) : NAME(load)(c + r * c_stride + 16);
        }
    }
    for (int64_t i = 0; i < k; i++, a += a_stride, b += b_stride) {
        const floats b0 = vectors == 1 && part ? NAME(load_some)(b, width) : NAME(load)(b);
        const floats b1 = vectors == 1 ? b0 : part ? NAME(load_some)(b + 16, width - 16) : NAME(load)(b + 16);
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            const floats x = NAME(all)(a[r]);
            sums[r * vectors] = NAME(fused)(x, b0, sums[r * vectors]);
            if (vectors == 2) sums[r * 2 + 1] = NAME(fused)(x, b1, sums[r * 2 + 1]);
        }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
        if (vectors == 1 && part) {
            NAME(store_some)(c + r * c_stride, sums[r * vectors], width);
        } else {
            NAME(store)(c + r * c_stride, sums[r * vectors]);
        }
        if (vectors == 2 && part) NAME(store_some)(c + r * c_stride + 16, sums[r * 2 + 1], width - 16);
        if (vectors == 2 && !part) NAME(store)(c + r * c_stride + 16, sums[r * 2 + 1]);
    }
}

static void NAME(outer_product)(
    int64_t rows, int64_t m, int64_t n, const float *a, int64_t a_stride, const float *b, int64_t b_stride, float *sums,
    int64_t sums_stride) {
    // Some rows of a and b at a time, so that they stay in the first-level cache while the sums pass by.
    enum { block = 32, most = 8, wide = 16 * JOIN(tile_panels, VERSION) };
    for (int64_t start = 0; start < rows; start += block, a += block * a_stride, b += block * b_stride) {
        const int64_t k = rows - start < block ? rows - start : block;
        for (int64_t column = 0; column < n; column += wide) {
            const int64_t width = n - column < wide ? n - column : wide;
            for (int64_t row = 0; row < m;) {
                float *c = sums + row * sums_stride + column;
#define TILE(count, vectors) \
    NAME(outer_tile)(count, vectors, k, a + row, a_stride, b + column, b_stride, c, sums_stride, width)
#define ROWS(count)                      \
    if (wide == 32 && width > 16) {      \
        TILE(count, 2);                  \
    } else {                             \
        TILE(count, 1);                  \
    }                                    \
    row += count;
                if (m - row >= most) {
                    ROWS(8)
                } else if (m - row >= 4) {
                    ROWS(4)
                } else if (m - row >= 2) {
                    ROWS(2)
                } else {
                    ROWS(1)
                }
#undef ROWS
#undef TILE
            }
        }
    }
}
