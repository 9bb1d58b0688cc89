// A small part of oneDNN's C API: serial products whose second operand was packed once.
//
// Why a shim: oneDNN describes a product by several structures of fixed-size arrays, which Swift imports as tuples, and it
// keeps its thread count in OpenMP, which has no module map. Every call returns 0 or oneDNN's own status; this shim has no
// global state.
#ifndef CDNNL_H
#define CDNNL_H

#include <stddef.h>
#include <stdint.h>

/// The processor as oneDNN sees it.
typedef struct cdnnl_engine cdnnl_engine;

/// A product `y[m, n] = x[m, k] b[k, n]` that is ready to run, with the state that one thread needs for it.
typedef struct cdnnl_product cdnnl_product;

/// The number types of x, b and y.
enum {
    /// All three are float.
    cdnnl_float32 = 0,
    /// x and b are int8_t, y is int32_t: the sums are exact if the processor has VNNI. Otherwise the library adds pairs of
    /// products in 16 bits with saturation.
    cdnnl_int8 = 1,
    /// x and b are bfloat16 (b is packed from float), y is float; the processor needs AVX512_BF16.
    cdnnl_bfloat16 = 2,
};

int cdnnl_engine_create(cdnnl_engine **engine);
void cdnnl_engine_destroy(cdnnl_engine *engine);

/// Bytes of a packed `b[k, n]`; the layout depends on type, k, n and the processor, but not on m.
int cdnnl_packed_size(cdnnl_engine *engine, int type, int64_t k, int64_t n, size_t *bytes);

/// Packs `b`, whose element (i, j) is `b[i * row_stride + j * column_stride]`, into `packed`.
int cdnnl_pack(
    cdnnl_engine *engine, int type, int64_t k, int64_t n, const void *b, int64_t row_stride, int64_t column_stride,
    void *packed);

/// Prepares a product of `m` rows; x and y are contiguous. Only one thread at a time may use it.
int cdnnl_product_create(
    cdnnl_engine *engine, int type, int64_t m, int64_t k, int64_t n, cdnnl_product **product);
void cdnnl_product_destroy(cdnnl_product *product);

/// Runs the product on the calling thread alone. Overwrites y; allocates nothing.
int cdnnl_product_run(cdnnl_product *product, const void *x, const void *packed, void *y);

/// Version as major * 10000 + minor * 100 + patch.
int cdnnl_version(void);

/// The instruction set that oneDNN uses here, as oneDNN's own bit set.
int cdnnl_effective_isa(void);

/// Name of such a set, such as "avx512_core", a static string; NULL for a set that has no name here.
const char *cdnnl_isa_name(int isa);

/// Whether a set contains AVX-512, instructions that add products of 8 bits in 32 bits (VNNI), or such that add products of
/// bfloat16 (AVX512_BF16): 1 or 0. The answer depends only on the value, not on the processor.
int cdnnl_isa_has_avx512(int isa);
int cdnnl_isa_has_vnni(int isa);
int cdnnl_isa_has_bfloat16(int isa);

/// Whether the processor, and the system on it, support them: 1 or 0.
int cdnnl_processor_has_avx512(void);
int cdnnl_processor_has_vnni(void);
int cdnnl_processor_has_bfloat16(void);

/// Whether oneDNN can use them here, that is whether both the processor and oneDNN's set have them: 1 or 0.
int cdnnl_has_avx512(void);
int cdnnl_has_vnni(void);
int cdnnl_has_bfloat16(void);

#endif
