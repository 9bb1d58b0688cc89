// Serial products of 8-bit integers with exact 32-bit sums, for processors without instructions for that (VNNI).
//
// Why C: AVX2 multiplies sixteen 16-bit numbers and adds them in pairs in one instruction (VPMADDWD), which Swift cannot name.
#ifndef CINTEGERPRODUCTS_H
#define CINTEGERPRODUCTS_H

#include <stdint.h>

/// Columns of a panel of the second operand.
enum { cintegerproducts_columns = 16 };

/// The second operand `b[2 * pairs, columns]` of a product, from -127 to 127, and its factors.
typedef struct cintegerproducts_operand {
    /// Panels of sixteen columns; the last one is filled with zeros. For every pair of rows p and every column j, a panel
    /// contains `b[2 p][j]` and `b[2 p + 1][j]`.
    const int8_t *panels;
    int64_t pairs;
    int64_t columns;
    /// One factor for each column.
    const float *factors;
} cintegerproducts_operand;

/// The largest number of pairs whose sum always fits: 2 * 66,500 * 127 * 127 < 2^31.
enum { cintegerproducts_most_pairs = 66500 };

/// Whether this processor has AVX2: 1, or 0 if `cintegerproducts_run` is slow.
int cintegerproducts_has_avx2(void);

/// `y[i][j] = row_factors[i] * b->factors[j] * sum over k of x[i][k] * b[k][j]`: overwrites `y[rows, columns]`.
///
/// `x[rows, 2 * pairs]` without gaps, from -127 to 127; rows of `y` are `y_stride` floats apart. The sum is exact; it
/// is rounded to float, then multiplied by the rounded product of the two factors.
void cintegerproducts_run(
    const int16_t *x, int64_t rows, const float *row_factors, const cintegerproducts_operand *b, float *y,
    int64_t y_stride);

/// The same without AVX2, as `cintegerproducts_run` computes on other processors: the same bits, but several times slower.
void cintegerproducts_run_plain(
    const int16_t *x, int64_t rows, const float *row_factors, const cintegerproducts_operand *b, float *y,
    int64_t y_stride);

#endif
