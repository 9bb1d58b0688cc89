// Gives oneDNN 2 and oneDNN 3 one set of names for descriptions of memory and products.
#ifndef CDNNL_DESCRIPTIONS_H
#define CDNNL_DESCRIPTIONS_H

#include <oneapi/dnnl/dnnl.h>

// In version 3 descriptions of memory are opaque objects with an owner; these functions work with both versions.
#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t description_t;
typedef const_dnnl_memory_desc_t description_view_t;

static int describe_rows(description_t *out, dnnl_dims_t dims, dnnl_data_type_t type, dnnl_format_tag_t tag) {
    return dnnl_memory_desc_create_with_tag(out, 2, dims, type, tag);
}

static int describe_strides(description_t *out, dnnl_dims_t dims, dnnl_data_type_t type, dnnl_dims_t strides) {
    return dnnl_memory_desc_create_with_strides(out, 2, dims, type, strides);
}

static int copy_description(description_t *out, description_view_t from) { return dnnl_memory_desc_clone(out, from); }

static void release(description_t *description) {
    if (*description != NULL) dnnl_memory_desc_destroy(*description);
}

static description_view_t view(const description_t *description) { return *description; }

static int describe_product(
    dnnl_engine_t engine, const description_t *x, const description_t *b, const description_t *y,
    dnnl_primitive_attr_t attributes, dnnl_primitive_desc_t *out) {
    return dnnl_matmul_primitive_desc_create(out, engine, *x, *b, NULL, *y, attributes);
}
#else
typedef dnnl_memory_desc_t description_t;
typedef const dnnl_memory_desc_t *description_view_t;

static int describe_rows(description_t *out, dnnl_dims_t dims, dnnl_data_type_t type, dnnl_format_tag_t tag) {
    return dnnl_memory_desc_init_by_tag(out, 2, dims, type, tag);
}

static int describe_strides(description_t *out, dnnl_dims_t dims, dnnl_data_type_t type, dnnl_dims_t strides) {
    return dnnl_memory_desc_init_by_strides(out, 2, dims, type, strides);
}

static int copy_description(description_t *out, description_view_t from) {
    *out = *from;
    return dnnl_success;
}

static void release(description_t *description) { (void)description; }

static description_view_t view(const description_t *description) { return description; }

static int describe_product(
    dnnl_engine_t engine, const description_t *x, const description_t *b, const description_t *y,
    dnnl_primitive_attr_t attributes, dnnl_primitive_desc_t *out) {
    dnnl_matmul_desc_t product;
    dnnl_status_t status = dnnl_matmul_desc_init(&product, x, b, NULL, y);
    if (status != dnnl_success) return status;
    return dnnl_primitive_desc_create(out, &product, attributes, engine, NULL);
}
#endif

#endif
