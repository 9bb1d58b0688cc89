// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011), sixteen blocks at a time.

// Words of a block in the low halves of 64 bits: as many blocks as a register has room for.
#if HAS_AVX2 && !HAS_AVX512
typedef uint64_t NAME(Lanes) __attribute__((vector_size(32)));
#else
typedef wide_words NAME(Lanes);
#endif

/// The products of low halves and a factor.
INLINE NAME(Lanes) NAME(multiply)(NAME(Lanes) a, uint32_t factor) {
#if HAS_AVX512
    return (NAME(Lanes))_mm512_mul_epu32((__m512i)a, _mm512_set1_epi64(factor));
#elif HAS_AVX2
    return (NAME(Lanes))_mm256_mul_epu32((__m256i)a, _mm256_set1_epi64x(factor));
#else
    return (a & 0xffffffffu) * (uint64_t)factor;
#endif
}

/// The keys of Philox4x32-10's rounds.
typedef struct NAME(Keys) {
    NAME(Lanes) of[10][2];
} NAME(Keys);

INLINE NAME(Keys) NAME(keys)(const cvectorkernels_dropout *d) {
    NAME(Keys) keys;
    for (uint32_t round = 0; round < 10; round++) {
        keys.of[round][0] = (NAME(Lanes)){0} + (d->key0 + round * 0x9e3779b9u);
        keys.of[round][1] = (NAME(Lanes)){0} + (d->key1 + round * 0xbb67ae85u);
    }
    return keys;
}

/// Sixteen blocks of Philox4x32-10 with the given first words of their counters: word w of block l is element l of `out[w]`.
///
/// What comes to stand in the high halves of lanes is never read.
INLINE void NAME(philox_blocks)(const cvectorkernels_dropout *d, const NAME(Keys) *keys, words first, words out[4]) {
    enum { parts = sizeof(words) / sizeof(NAME(Lanes)) };
    const NAME(Lanes) low = (NAME(Lanes)){0} + 0xffffffffu;
    NAME(Lanes) counters[parts], results[4][parts];
    __builtin_memcpy(counters, &first, sizeof first);
    for (int part = 0; part < parts; part++) {
        // Blocks with even and with odd places, side by side: one waits while the other computes.
        NAME(Lanes) c0[2] = {counters[part], counters[part] >> 32}, c1[2], c2[2], c3[2];
        for (int h = 0; h < 2; h++) {
            c1[h] = (NAME(Lanes)){0} + d->place;
            c2[h] = (NAME(Lanes)){0} + d->slot;
            c3[h] = (NAME(Lanes)){0} + d->step;
        }
#pragma clang loop unroll(full)
        for (int round = 0; round < 10; round++) {
#pragma clang loop unroll(full)
            for (int h = 0; h < 2; h++) {
                const NAME(Lanes) p0 = NAME(multiply)(c0[h], 0xd2511f53u), p1 = NAME(multiply)(c2[h], 0xcd9e8d57u);
                c0[h] = p1 >> 32 ^ c1[h] ^ keys->of[round][0];
                c1[h] = p1;
                c2[h] = p0 >> 32 ^ c3[h] ^ keys->of[round][1];
                c3[h] = p0;
            }
        }
        results[0][part] = (c0[0] & low) | c0[1] << 32;
        results[1][part] = (c1[0] & low) | c1[1] << 32;
        results[2][part] = (c2[0] & low) | c2[1] << 32;
        results[3][part] = (c3[0] & low) | c3[1] << 32;
    }
    __builtin_memcpy(out, results, sizeof results);
}
