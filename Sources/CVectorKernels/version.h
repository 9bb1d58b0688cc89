// One version of all loops. The loops that it includes depend on the macros of `vectors.h`.

#include "vectors.h"

#include "philox.h"

#include "dropout.h"
#include "transpose.h"

#include "products.h"
#include "rows.h"

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)
static const cvectorkernels_functions NAME(functions) = {
    .name = TEXT(VERSION),
    .dropout = NAME(dropout),
    .relu = NAME(relu),
    .masked = NAME(masked),
    .product = NAME(product),
    .pack = NAME(pack),
    .packed_product = NAME(packed_product),
    .outer_product = NAME(outer_product),
    .softmax = NAME(softmax),
    .softmax_backward = NAME(softmax_backward),
    .exponentials = NAME(exponentials),
    .fixed_point = NAME(fixed_point),
    .adamw = NAME(adamw),
};

#undef TEXT_OF
#undef TEXT
#undef JOINED
#undef JOIN
#undef NAME
#undef INLINE
