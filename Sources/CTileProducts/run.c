#define _DEFAULT_SOURCE  // syscall
#include "layout.h"

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

int ctileproducts_processor_has_amx(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
    const unsigned tiles = 1u << 22 | 1u << 24 | 1u << 25;               // AMX-BF16, AMX-TILE, AMX-INT8
    const unsigned vectors = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31;  // AVX512F, DQ, BW, VL
    if ((d & tiles) != tiles || (b & vectors) != vectors) return 0;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & 1u << 5);  // AVX512_BF16
}

// The kernel gives tile data (state component 18) to a process that asks: ARCH_REQ_XCOMP_PERM. Without a kernel that knows it
// (5.16), where a sandbox forbids it, or where a thread has a signal stack too small for tiles, it fails.
static int has_permission(void) {
    if (syscall(SYS_arch_prctl, 0x1023, 18) != 0) return 0;
    unsigned long long permitted = 0;
    return syscall(SYS_arch_prctl, 0x1022, &permitted) == 0 && (permitted >> 17 & 3) == 3;
}
#else
int ctileproducts_processor_has_amx(void) { return 0; }
#endif

int ctileproducts_can(ctileproducts_way way) {
    switch (way) {
    case ctileproducts_plain: return 1;
#if defined(__x86_64__)
    case ctileproducts_avx2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case ctileproducts_avx512:
        return ctileproducts_can(ctileproducts_avx2) && __builtin_cpu_supports("avx512f") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vl");
#if defined(__linux__)
    case ctileproducts_amx:
        return ctileproducts_processor_has_amx() && ctileproducts_can(ctileproducts_avx512) && has_permission();
#endif
#endif
    default: return 0;
    }
}

int64_t ctileproducts_scratch_bytes(ctileproducts_way way, ctileproducts_mode mode, int64_t rows, int64_t inner) {
#if defined(__x86_64__)
    if (way == ctileproducts_amx) return amx_scratch_bytes(mode, rows, inner);
#endif
    return twin_scratch_bytes(mode, rows, inner);
}

void ctileproducts_run(
    ctileproducts_way way, const float *x, int64_t x_stride, int64_t rows, const ctileproducts_operand *w, void *scratch,
    float *y, int64_t y_stride) {
    if (w->inner == 0) {
        for (int64_t r = 0; r < rows; r++) memset(y + r * y_stride, 0, (size_t)w->columns * sizeof *y);
        return;
    }
#if defined(__x86_64__)
    if (way == ctileproducts_amx) {
        amx_run(x, x_stride, rows, w, scratch, y, y_stride);
        return;
    }
#endif
    twin_run(way, x, x_stride, rows, w, scratch, y, y_stride);
}
