#include "cvectorkernels.h"

#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// Each header is compiled once for each version. Vectors are passed only to functions that are inlined, so their place in a call
// does not matter.
#pragma clang diagnostic ignored "-Wpsabi"

#define VERSION plain
#define HAS_AVX512 0
#define HAS_AVX2 0
#if defined(__aarch64__)
#define HAS_FMA 1
#else
#define HAS_FMA 0
#endif
#include "version.h"
#undef VERSION
#undef HAS_AVX512
#undef HAS_AVX2
#undef HAS_FMA

#if defined(__x86_64__) && defined(UNOLORA_AVX2)
#define HAS_VECTORS 1
#define HAS_FMA 1
#define HAS_AVX2 1

#pragma clang attribute push(__attribute__((target("avx2,fma,bmi,bmi2,popcnt"))), apply_to = function)
#define VERSION avx2
#define HAS_AVX512 0
#include "version.h"
#undef VERSION
#undef HAS_AVX512
#pragma clang attribute pop

#pragma clang attribute push( \
    __attribute__((target("avx2,fma,bmi,bmi2,popcnt,avx512f,avx512bw,avx512dq,avx512vl,avx512cd"))), apply_to = function)
#define VERSION avx512
#define HAS_AVX512 1
#include "version.h"
#undef VERSION
#undef HAS_AVX512
#pragma clang attribute pop
#endif

const cvectorkernels_functions *cvectorkernels_version(int version) {
#ifdef HAS_VECTORS
    __builtin_cpu_init();
    const int has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    if (version == cvectorkernels_avx2) return has_avx2 ? &functions_avx2 : NULL;
    if (version == cvectorkernels_avx512) {
        return has_avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                       __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                       __builtin_cpu_supports("avx512cd")
                   ? &functions_avx512
                   : NULL;
    }
#endif
    return version == cvectorkernels_plain ? &functions_plain : NULL;
}

static const cvectorkernels_functions *here = &functions_plain;
static const char *wanted;

__attribute__((constructor)) static void choose(void) {
    wanted = getenv("UNOLORA_VECTORS");
    if (wanted != NULL && *wanted == 0) wanted = NULL;
    for (int v = cvectorkernels_versions - 1; v >= 0; v--) {
        const cvectorkernels_functions *found = cvectorkernels_version(v);
        if (found == NULL) continue;
        here = found;
        if (wanted != NULL && strcmp(wanted, found->name) == 0) return;
    }
}

void cvectorkernels_prefetch(const float *x, int64_t stride, int64_t rows, int64_t columns) {
    for (int64_t r = 0; r < rows; r++, x += stride) {
        for (int64_t c = 0; c < columns; c += 16) __builtin_prefetch(x + c, 0, 2);
    }
}

const cvectorkernels_functions *cvectorkernels_here(void) { return here; }

const char *cvectorkernels_missing(void) { return wanted != NULL && strcmp(wanted, here->name) != 0 ? wanted : NULL; }
