#include "cdnnl.h"

#include "descriptions.h"

#include <stdlib.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

// OpenMP's own header needs a compiler that supports OpenMP; this is its declaration.
extern void omp_set_num_threads(int threads);

struct cdnnl_engine {
    dnnl_engine_t engine;
};

struct cdnnl_product {
    dnnl_primitive_t primitive;
    dnnl_stream_t stream;
    dnnl_memory_t x, packed, y, scratch;
};

#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        int status_ = (call);                                                                                \
        if (status_ != dnnl_success) {                                                                                 \
            result = status_;                                                                                          \
            goto done;                                                                                                 \
        }                                                                                                              \
    } while (0)

int cdnnl_engine_create(cdnnl_engine **engine) {
    *engine = calloc(1, sizeof **engine);
    if (*engine == NULL) return dnnl_out_of_memory;
    int result = dnnl_engine_create(&(*engine)->engine, dnnl_cpu, 0);
    if (result != dnnl_success) {
        free(*engine);
        *engine = NULL;
    }
    return result;
}

void cdnnl_engine_destroy(cdnnl_engine *engine) {
    if (engine == NULL) return;
    dnnl_engine_destroy(engine->engine);
    free(engine);
}

// Number of rows of the product with which the packed layout is queried. The library gave the same layout for every m that was
// tried; a fixed number makes that certain.
enum { layout_rows = 64 };

static dnnl_data_type_t operand(int type) {
    return type == cdnnl_int8 ? dnnl_s8 : type == cdnnl_bfloat16 ? dnnl_bf16 : dnnl_f32;
}

// Creates the description of a product, with the layout `packed` if it is given, otherwise with the library's preferred layout.
static int describe(
    cdnnl_engine *engine, int type, int64_t m, int64_t k, int64_t n, const description_t *packed,
    dnnl_primitive_desc_t *out) {
    int result = dnnl_success;
    dnnl_primitive_attr_t attributes = NULL;
    description_t x = {0}, b = {0}, y = {0};
    dnnl_dims_t x_dims = {m, k}, b_dims = {k, n}, y_dims = {m, n};
    TRY(describe_rows(&x, x_dims, operand(type), dnnl_ab));
    TRY(describe_rows(&b, b_dims, operand(type), dnnl_format_tag_any));
    TRY(describe_rows(&y, y_dims, type == cdnnl_int8 ? dnnl_s32 : dnnl_f32, dnnl_ab));
    TRY(dnnl_primitive_attr_create(&attributes));
    TRY(dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user));
    TRY(describe_product(engine->engine, &x, packed != NULL ? packed : &b, &y, attributes, out));
done:
    if (attributes != NULL) dnnl_primitive_attr_destroy(attributes);
    release(&x);
    release(&b);
    release(&y);
    return result;
}

// The layout of a packed operand; the caller releases it.
static int packed_layout(cdnnl_engine *engine, int type, int64_t k, int64_t n, description_t *layout) {
    omp_set_num_threads(1);
    int result = dnnl_success;
    dnnl_primitive_desc_t description = NULL;
    TRY(describe(engine, type, layout_rows, k, n, NULL, &description));
    TRY(copy_description(layout, dnnl_primitive_desc_query_md(description, dnnl_query_weights_md, 0)));
done:
    if (description != NULL) dnnl_primitive_desc_destroy(description);
    return result;
}

// The library's values for instruction sets are bit sets, and a newer set contains the bits of the older ones. So a set that
// has no name here yet is judged by its bits.
static int holds(int isa, dnnl_cpu_isa_t part) { return (isa & (int)part) == (int)part; }

int cdnnl_isa_has_avx512(int isa) { return holds(isa, dnnl_cpu_isa_avx512_core); }

int cdnnl_isa_has_vnni(int isa) {
    return holds(isa, dnnl_cpu_isa_avx512_core_vnni) || holds(isa, dnnl_cpu_isa_avx2_vnni);
}

int cdnnl_isa_has_bfloat16(int isa) { return holds(isa, dnnl_cpu_isa_avx512_core_bf16); }

#if defined(__x86_64__)
// AVX-VNNI, for which the compiler's own processor test has no name: leaf 7, subleaf 1, EAX bit 4.
static int has_avx_vnni(void) {
    unsigned a, b, c, d;
    if (!__builtin_cpu_supports("avx2") || __get_cpuid_max(0, NULL) < 7) return 0;
    __cpuid_count(7, 0, a, b, c, d);
    if (a < 1) return 0;
    __cpuid_count(7, 1, a, b, c, d);
    return (a >> 4) & 1;
}
#endif

int cdnnl_processor_has_avx512(void) {
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#else
    return 0;
#endif
}

int cdnnl_processor_has_vnni(void) {
#if defined(__x86_64__)
    return (cdnnl_processor_has_avx512() && __builtin_cpu_supports("avx512vnni")) || has_avx_vnni();
#else
    return 0;
#endif
}

int cdnnl_processor_has_bfloat16(void) {
#if defined(__x86_64__)
    return cdnnl_processor_has_avx512() && __builtin_cpu_supports("avx512bf16");
#else
    return 0;
#endif
}

int cdnnl_effective_isa(void) { return (int)dnnl_get_effective_cpu_isa(); }

// Both the processor and the library must have it: on other architectures the library's values have no meaning here, and the
// library can be told to use less than the processor has (ONEDNN_MAX_CPU_ISA).
int cdnnl_has_avx512(void) { return cdnnl_processor_has_avx512() && cdnnl_isa_has_avx512(cdnnl_effective_isa()); }

int cdnnl_has_vnni(void) { return cdnnl_processor_has_vnni() && cdnnl_isa_has_vnni(cdnnl_effective_isa()); }

int cdnnl_has_bfloat16(void) {
    return cdnnl_processor_has_bfloat16() && cdnnl_isa_has_bfloat16(cdnnl_effective_isa());
}

int cdnnl_packed_size(cdnnl_engine *engine, int type, int64_t k, int64_t n, size_t *bytes) {
    description_t layout = {0};
    int result = packed_layout(engine, type, k, n, &layout);
    if (result == dnnl_success) *bytes = dnnl_memory_desc_get_size(view(&layout));
    release(&layout);
    return result;
}

int cdnnl_pack(
    cdnnl_engine *engine, int type, int64_t k, int64_t n, const void *b, int64_t row_stride, int64_t column_stride,
    void *packed) {
    int result = dnnl_success;
    dnnl_primitive_desc_t description = NULL;
    dnnl_primitive_t primitive = NULL;
    dnnl_stream_t stream = NULL;
    dnnl_memory_t from = NULL, to = NULL;
    description_t plain = {0}, layout = {0};
    dnnl_dims_t dims = {k, n}, strides = {row_stride, column_stride};
    TRY(packed_layout(engine, type, k, n, &layout));
    TRY(describe_strides(&plain, dims, type == cdnnl_int8 ? dnnl_s8 : dnnl_f32, strides));
    TRY(dnnl_reorder_primitive_desc_create(
        &description, view(&plain), engine->engine, view(&layout), engine->engine, NULL));
    TRY(dnnl_primitive_create(&primitive, description));
    TRY(dnnl_stream_create(&stream, engine->engine, dnnl_stream_default_flags));
    TRY(dnnl_memory_create(&from, view(&plain), engine->engine, (void *)b));
    TRY(dnnl_memory_create(&to, view(&layout), engine->engine, packed));
    dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
    TRY(dnnl_primitive_execute(primitive, stream, 2, arguments));
    TRY(dnnl_stream_wait(stream));
done:
    if (from != NULL) dnnl_memory_destroy(from);
    if (to != NULL) dnnl_memory_destroy(to);
    if (stream != NULL) dnnl_stream_destroy(stream);
    if (primitive != NULL) dnnl_primitive_destroy(primitive);
    if (description != NULL) dnnl_primitive_desc_destroy(description);
    release(&plain);
    release(&layout);
    return result;
}

int cdnnl_product_create(
    cdnnl_engine *engine, int type, int64_t m, int64_t k, int64_t n, cdnnl_product **product) {
    int result = dnnl_success;
    dnnl_primitive_desc_t description = NULL;
    description_t layout = {0};
    *product = calloc(1, sizeof **product);
    if (*product == NULL) return dnnl_out_of_memory;
    cdnnl_product *own = *product;
    TRY(packed_layout(engine, type, k, n, &layout));
    TRY(describe(engine, type, m, k, n, &layout, &description));
    TRY(dnnl_primitive_create(&own->primitive, description));
    TRY(dnnl_stream_create(&own->stream, engine->engine, dnnl_stream_default_flags));
    description_view_t x = dnnl_primitive_desc_query_md(description, dnnl_query_src_md, 0);
    description_view_t y = dnnl_primitive_desc_query_md(description, dnnl_query_dst_md, 0);
    description_view_t scratch = dnnl_primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0);
    TRY(dnnl_memory_create(&own->x, x, engine->engine, DNNL_MEMORY_NONE));
    TRY(dnnl_memory_create(&own->packed, view(&layout), engine->engine, DNNL_MEMORY_NONE));
    TRY(dnnl_memory_create(&own->y, y, engine->engine, DNNL_MEMORY_NONE));
    TRY(dnnl_memory_create(&own->scratch, scratch, engine->engine, DNNL_MEMORY_ALLOCATE));
done:
    if (description != NULL) dnnl_primitive_desc_destroy(description);
    release(&layout);
    if (result != dnnl_success) {
        cdnnl_product_destroy(own);
        *product = NULL;
    }
    return result;
}

void cdnnl_product_destroy(cdnnl_product *product) {
    if (product == NULL) return;
    dnnl_memory_t memories[] = {product->x, product->packed, product->y, product->scratch};
    for (int i = 0; i < 4; i++) {
        if (memories[i] != NULL) dnnl_memory_destroy(memories[i]);
    }
    if (product->stream != NULL) dnnl_stream_destroy(product->stream);
    if (product->primitive != NULL) dnnl_primitive_destroy(product->primitive);
    free(product);
}

int cdnnl_product_run(cdnnl_product *product, const void *x, const void *packed, void *y) {
    // The count belongs to the calling thread, and a later call may come from another thread.
    omp_set_num_threads(1);
    int result = dnnl_success;
    TRY(dnnl_memory_set_data_handle(product->x, (void *)x));
    TRY(dnnl_memory_set_data_handle(product->packed, (void *)packed));
    TRY(dnnl_memory_set_data_handle(product->y, y));
    dnnl_exec_arg_t arguments[] = {
        {DNNL_ARG_SRC, product->x},
        {DNNL_ARG_WEIGHTS, product->packed},
        {DNNL_ARG_DST, product->y},
        {DNNL_ARG_SCRATCHPAD, product->scratch},
    };
    TRY(dnnl_primitive_execute(product->primitive, product->stream, 4, arguments));
    TRY(dnnl_stream_wait(product->stream));
done:
    return result;
}

int cdnnl_version(void) {
    const dnnl_version_t *version = dnnl_version();
    return version->major * 10000 + version->minor * 100 + version->patch;
}

const char *cdnnl_isa_name(int isa) {
    switch (isa) {
    case dnnl_cpu_isa_sse41: return "sse41";
    case dnnl_cpu_isa_avx: return "avx";
    case dnnl_cpu_isa_avx2: return "avx2";
    case dnnl_cpu_isa_avx2_vnni: return "avx2_vnni";
    case dnnl_cpu_isa_avx512_core: return "avx512_core";
    case dnnl_cpu_isa_avx512_core_vnni: return "avx512_core_vnni";
    case dnnl_cpu_isa_avx512_core_bf16: return "avx512_core_bf16";
    case dnnl_cpu_isa_avx512_core_amx: return "avx512_core_amx";
#if DNNL_VERSION_MAJOR >= 3
    case dnnl_cpu_isa_avx2_vnni_2: return "avx2_vnni_2";
    case dnnl_cpu_isa_avx512_core_fp16: return "avx512_core_fp16";
    case dnnl_cpu_isa_avx512_core_amx_fp16: return "avx512_core_amx_fp16";
#endif
    default: return NULL;
    }
}
