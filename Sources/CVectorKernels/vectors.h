// What the loops are written with, for the version that is being compiled: sixteen floats at a time.
//
// VERSION names the version; HAS_AVX512, HAS_AVX2 and HAS_FMA say what it may use.

#define JOINED(a, b) a##_##b
#define JOIN(a, b) JOINED(a, b)
#define NAME(name) JOIN(name, VERSION)
#define INLINE static inline __attribute__((always_inline, unused))

#pragma clang fp contract(off)

typedef float floats __attribute__((vector_size(64)));
typedef float floats_anywhere __attribute__((vector_size(64), aligned(4)));
typedef float eight_floats __attribute__((vector_size(32)));
typedef float eight_floats_anywhere __attribute__((vector_size(32), aligned(4)));
typedef float four_floats __attribute__((vector_size(16)));
typedef double doubles __attribute__((vector_size(64)));
typedef int32_t wholes __attribute__((vector_size(64)));
typedef uint32_t words __attribute__((vector_size(64)));
typedef uint64_t wide_words __attribute__((vector_size(64)));

INLINE int64_t NAME(least)(int64_t a, int64_t b) { return a < b ? a : b; }

INLINE floats NAME(all)(float x) {
    return (floats){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x};
}

INLINE floats NAME(load)(const float *p) { return *(const floats_anywhere *)p; }

INLINE void NAME(store)(float *p, floats x) { *(floats_anywhere *)p = x; }

INLINE eight_floats NAME(load_half)(const float *p) { return *(const eight_floats_anywhere *)p; }

INLINE void NAME(store_half)(float *p, eight_floats x) { *(eight_floats_anywhere *)p = x; }

#if HAS_AVX2 && !HAS_AVX512
/// Eight lanes of a mask: those before `count`.
INLINE __m256i NAME(before)(int64_t count) {
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), lanes);
}
#endif

/// The first `count` of sixteen elements; the others are 0 and are not read.
INLINE floats NAME(load_some)(const float *p, int64_t count) {
#if HAS_AVX512
    return (floats)_mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), p);
#elif HAS_AVX2
    const __m256 halves[2] = {
        _mm256_maskload_ps(p, NAME(before)(count)), _mm256_maskload_ps(p + 8, NAME(before)(count - 8))};
    floats x;
    __builtin_memcpy(&x, halves, sizeof x);
    return x;
#else
    floats x = {0};
    for (int64_t i = 0; i < count; i++) x[i] = p[i];
    return x;
#endif
}

/// Overwrites the first `count` of sixteen elements.
INLINE void NAME(store_some)(float *p, floats x, int64_t count) {
#if HAS_AVX512
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << count) - 1), (__m512)x);
#elif HAS_AVX2
    __m256 halves[2];
    __builtin_memcpy(halves, &x, sizeof x);
    _mm256_maskstore_ps(p, NAME(before)(count), halves[0]);
    _mm256_maskstore_ps(p + 8, NAME(before)(count - 8), halves[1]);
#else
    for (int64_t i = 0; i < count; i++) p[i] = x[i];
#endif
}

/// The same by whole stores: a processor lets a load near a masked store wait until that one is in the cache.
INLINE void NAME(store_parts)(float *p, floats x, int64_t count) {
    float all[16] __attribute__((aligned(64)));
    __builtin_memcpy(all, &x, sizeof all);
    int64_t i = 0;
    if (count & 8) {
        __builtin_memcpy(p, all, 32);
        i = 8;
    }
    if (count & 4) {
        __builtin_memcpy(p + i, all + i, 16);
        i += 4;
    }
    for (; i < count; i++) p[i] = all[i];
}

/// `x` where the bit of the element is set, otherwise 0.
INLINE floats NAME(kept)(floats x, uint32_t bits) {
#if HAS_AVX512
    return (floats)_mm512_maskz_mov_ps((__mmask16)bits, (__m512)x);
#else
    const wholes bit = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768};
    const int32_t b = (int32_t)(bits & 0xffff);
    const wholes all = {b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b};
    return (floats)((wholes)x & ((all & bit) == bit));
#endif
}

/// `a * b + c`, rounded once where the version can.
INLINE floats NAME(fused)(floats a, floats b, floats c) {
#if HAS_FMA
    return __builtin_elementwise_fma(a, b, c);
#else
    return a * b + c;
#endif
}

/// The same for eight elements.
INLINE eight_floats NAME(fused_half)(eight_floats a, eight_floats b, eight_floats c) {
#if HAS_FMA
    return __builtin_elementwise_fma(a, b, c);
#else
    return a * b + c;
#endif
}

/// The sum of sixteen elements: the second half is added to the first, again and again.
INLINE float NAME(total)(floats x) {
    const eight_floats e = __builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7) +
                           __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15);
    const four_floats f = __builtin_shufflevector(e, e, 0, 1, 2, 3) + __builtin_shufflevector(e, e, 4, 5, 6, 7);
    return (f[0] + f[2]) + (f[1] + f[3]);
}

/// The larger of each pair; `a` where an element of `b` is NaN.
INLINE floats NAME(larger)(floats a, floats b) {
    const wholes above = b > a;
    return (floats)(((wholes)b & above) | ((wholes)a & ~above));
}

/// The largest of sixteen elements.
INLINE float NAME(largest)(floats x) {
    x = NAME(larger)(x, __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15));
    x = NAME(larger)(x, __builtin_shufflevector(x, x, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7));
    x = NAME(larger)(x, __builtin_shufflevector(x, x, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3));
    return x[1] > x[0] ? x[1] : x[0];
}

/// The largest of `count` elements; -infinity for none. It may or may not notice a NaN.
INLINE float NAME(maximum)(const float *x, int64_t count) {
    floats top = NAME(all)(-__builtin_inff());
    int64_t i = 0;
    for (; i + 16 <= count; i += 16) top = NAME(larger)(top, NAME(load)(x + i));
    float t = NAME(largest)(top);
    for (; i < count; i++) t = x[i] > t ? x[i] : t;
    return t;
}

/// `e^x` to about 1e-7 relative; 0 below -87.3, at most e^88.3, NaN for NaN. Range reduction by powers of two and the polynomial
/// of Cephes' `expf` (Moshier).
INLINE floats NAME(exponential)(floats x) {
    const floats low = NAME(all)(-87.3f), high = NAME(all)(88.3f), magic = NAME(all)(12582912);
    const wholes below = x < low, above = x > high;
    floats c = (floats)(((wholes)low & below) | ((wholes)x & ~below));
    c = (floats)(((wholes)high & above) | ((wholes)c & ~above));
    // Adding and subtracting 1.5 * 2^23 rounds to a whole number, which is in the low bits of the sum.
    const floats biased = NAME(fused)(c, NAME(all)(1.44269504f), magic), n = biased - magic;
    floats r = NAME(fused)(n, NAME(all)(-0.693359375f), c);
    r = NAME(fused)(n, NAME(all)(2.1219444e-4f), r);
    floats p = NAME(fused)(r, NAME(all)(1.98756915e-4f), NAME(all)(1.39819995e-3f));
    p = NAME(fused)(p, r, NAME(all)(8.3334519e-3f));
    p = NAME(fused)(p, r, NAME(all)(4.1665796e-2f));
    p = NAME(fused)(p, r, NAME(all)(1.66666655e-1f));
    p = NAME(fused)(p, r, NAME(all)(5.0000001e-1f));
    const floats fraction = NAME(fused)(p, r * r, r) + 1;
    const words exponent = ((words)biased - 0x4b400000u + 127u) << 23;
    const wholes value = (wholes)(fraction * (floats)exponent) & ~below, other = x != x;
    return (floats)((value & ~other) | ((wholes)x & other));
}
