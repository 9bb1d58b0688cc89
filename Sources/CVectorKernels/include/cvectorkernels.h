// The loops over elements of a training step, in versions for AVX2 and AVX-512 that are chosen when the program runs, and a
// version for any other processor.
//
// Every loop fixes the order of its sums and where it rounds, and vectors only decide how many elements are computed at once. So
// the versions for AVX2, AVX-512 and arm64 give the same bits. The one for x86 without AVX2 has no fused multiply-add: it rounds
// twice where the others round once.
//
// Why C: one build serves all processors, but Swift compiles all of its code for the same one.
#ifndef CVECTORKERNELS_H
#define CVECTORKERNELS_H

#include <stdint.h>

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-completeness"

/// Elements of a row whose dropout is drawn together.
enum { cvectorkernels_chunk = 256 };

/// Which elements a dropout drops in one tensor of an example.
typedef struct cvectorkernels_dropout {
    /// Key of the generator.
    uint32_t key0, key1;
    /// The last three words of the counter.
    uint32_t place, slot, step;
    /// An element is dropped when its sixteen bits are below this.
    uint32_t threshold;
    /// The factor of the elements that are kept.
    float scale;
} cvectorkernels_dropout;

/// One operand of a product: element (i, j) is `base[i * row + j * column]`.
typedef struct cvectorkernels_operand {
    const float *base;
    int64_t row, column;
} cvectorkernels_operand;

/// Rows of attention scores that become probabilities.
typedef struct cvectorkernels_scores {
    /// `[rows, columns]` without gaps.
    float *base;
    int64_t rows, columns;
    /// Added to the first row; NULL for nothing. Each further row's begins one element earlier.
    const float *bias;
    /// How many columns the first row sees, and how many more each further row sees; never more than `columns`.
    int64_t visible, growth;
} cvectorkernels_scores;

/// The factors of one update of AdamW.
typedef struct cvectorkernels_adamw {
    float b1, b2, c1, c2, keep, step, root, epsilon;
} cvectorkernels_adamw;

/// The loops of one version.
typedef struct cvectorkernels_functions {
    const char *_Nonnull name;

    /// `y = a + drop(x)`, or `drop(x)` where `a` is NULL: overwrites `y: [rows, width]`. Rows are numbered from `first`; strides
    /// are in floats. `y` may be `x` or `a`. The mask, if it is not NULL, gets bit `c % 8` of byte `c / 8` for each element of a row
    /// that is kept; it is written in groups of eight bytes.
    void (*_Nonnull dropout)(
        const cvectorkernels_dropout *dropout, const float *x, int64_t x_stride, const float *a, int64_t a_stride, float *y,
        int64_t y_stride, uint8_t *mask, int64_t mask_stride, int64_t rows, int64_t width, int64_t first);

    /// `x = drop(max(x, 0))` in place; the mask gets bit `c % 8` of byte `c / 8` for each element of a row
    /// that is above 0 or NaN. A NULL dropout drops nothing.
    void (*_Nonnull relu)(
        const cvectorkernels_dropout *dropout, float *x, int64_t x_stride, uint8_t *mask, int64_t mask_stride, int64_t rows,
        int64_t width, int64_t first);

    /// `y = a + x * scale` where the mask has a bit, otherwise `y = a`; 0 stands for `a` where that is NULL. Overwrites
    /// `y: [rows, width]`, which may be `x` or `a`.
    void (*_Nonnull masked)(
        const uint8_t *mask, int64_t mask_stride, float scale, const float *x, int64_t x_stride, const float *a, int64_t a_stride,
        float *y, int64_t y_stride, int64_t rows, int64_t width);

    /// `c = alpha * a b`, or `c += alpha * a b` when `adding`: `a: [m, k]`, `b: [k, n]`, `c: [m, n]` with rows `c_stride` apart.
    /// Every element is one sum in the order of k. `panels` lends `(n + 15) / 16 * 16 * k` floats.
    void (*_Nonnull product)(
        int64_t m, int64_t n, int64_t k, cvectorkernels_operand a, cvectorkernels_operand b, float *c, int64_t c_stride,
        float alpha, int adding, float *panels);

    /// Writes `b: [k, n]` into `panels`, as `packed_product` reads it: `(n + 15) / 16 * 16 * k` floats.
    void (*_Nonnull pack)(int64_t n, int64_t k, cvectorkernels_operand b, float *panels);

    /// `product` with an operand that `pack` wrote: the same bits.
    void (*_Nonnull packed_product)(
        int64_t m, int64_t n, int64_t k, cvectorkernels_operand a, const float *panels, float *c, int64_t c_stride, float alpha,
        int adding);

    /// `sums += a^T b`: `a: [rows, m]`, `b: [rows, n]`, `sums: [m, n]` with rows `sums_stride` apart. Every element is added up
    /// in the order of the rows.
    void (*_Nonnull outer_product)(
        int64_t rows, int64_t m, int64_t n, const float *a, int64_t a_stride, const float *b, int64_t b_stride, float *sums,
        int64_t sums_stride);

    /// Softmax of each row, in place; columns that a row does not see become 0.
    void (*_Nonnull softmax)(const cvectorkernels_scores *scores);

    /// Backward of one row: `dp = p * (dp - sum(dp * p))`. Overwrites `dp`.
    void (*_Nonnull softmax_backward)(const float *p, float *dp, int64_t count);

    /// Softmax of one row of logits, in place; returns the largest logit in `top`, the sum of the exponentials less it in `total`,
    /// and, when `sum` is not NULL, the sum of the logits.
    void (*_Nonnull exponentials)(float *logits, int64_t count, float *top, float *total, double *sum);

    /// `sums += rint(values * 2^40)`; returns 1 if every magnitude is at most `limit`, otherwise 0 and `sums` are of no use.
    int (*_Nonnull fixed_point)(const float *values, int64_t *sums, int64_t count, float limit);

    /// `m = b1 m + c1 g`, `v = b2 v + c2 g g`, `w = w keep - step (m / (sqrt(v) / root + epsilon))`: overwrites `w`, `m` and `v`.
    void (*_Nonnull adamw)(const cvectorkernels_adamw *factors, float *w, const float *g, float *m, float *v, int64_t count);
} cvectorkernels_functions;

/// The versions, the fastest first.
enum { cvectorkernels_avx512, cvectorkernels_avx2, cvectorkernels_plain, cvectorkernels_versions };

/// A version's loops; NULL where this processor or build does not have it.
const cvectorkernels_functions *_Nullable cvectorkernels_version(int version);

/// The fastest version here, or the one that the environment variable UNOLORA_VECTORS names: avx512, avx2 or plain. It is chosen
/// when the program starts.
const cvectorkernels_functions *_Nonnull cvectorkernels_here(void);

/// Asks for `rows` rows of `columns` floats, `stride` apart, to be brought into the second-level cache.
void cvectorkernels_prefetch(const float *_Nonnull x, int64_t stride, int64_t rows, int64_t columns);

/// The value of UNOLORA_VECTORS if it names no version that this processor and build have, else NULL.
const char *_Nullable cvectorkernels_missing(void);

#pragma clang diagnostic pop

#endif
