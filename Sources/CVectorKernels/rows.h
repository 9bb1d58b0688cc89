// Loops over the elements of rows: softmax, the exponentials of a loss, exact sums.

static void NAME(softmax)(const cvectorkernels_scores *scores) {
    float *s = scores->base;
    const int64_t columns = scores->columns;
    // Between its passes a row is where its vectors do not cross cache lines, if it fits.
    enum { room = 1024 };
    float own[room] __attribute__((aligned(64)));
    for (int64_t r = 0; r < scores->rows; r++, s += columns) {
        int64_t visible = scores->visible + r * scores->growth;
        if (visible > columns) visible = columns;
        const int64_t whole = visible / 16 * 16, rest = visible - whole;
        float *const row = whole <= room ? own : s;
        floats top = NAME(all)(-__builtin_inff());
        floats last = top;
        if (scores->bias) {
            const float *bias = scores->bias - r;
            for (int64_t i = 0; i < whole; i += 16) {
                const floats x = NAME(load)(s + i) + NAME(load)(bias + i);
                NAME(store)(row + i, x);
                top = NAME(larger)(top, x);
            }
            if (rest) last = NAME(load_some)(s + whole, rest) + NAME(load_some)(bias + whole, rest);
        } else {
            for (int64_t i = 0; i < whole; i += 16) {
                const floats x = NAME(load)(s + i);
                NAME(store)(row + i, x);
                top = NAME(larger)(top, x);
            }
            if (rest) last = NAME(load_some)(s + whole, rest);
        }
        if (rest) {
            // Lanes beyond the row become e^-infinity = 0.
            const wholes lanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
            const wholes inside = lanes < (int32_t)rest;
            last = (floats)(((wholes)last & inside) | ((wholes)NAME(all)(-__builtin_inff()) & ~inside));
            top = NAME(larger)(top, last);
        }
        const floats most = NAME(all)(NAME(largest)(top));
        floats sums = {0};
        for (int64_t i = 0; i < whole; i += 16) {
            const floats e = NAME(exponential)(NAME(load)(row + i) - most);
            NAME(store)(row + i, e);
            sums += e;
        }
        if (rest) {
            last = NAME(exponential)(last - most);
            sums += last;
        }
        const float reciprocal = 1 / NAME(total)(sums);
        for (int64_t i = 0; i < whole; i += 16) NAME(store)(s + i, NAME(load)(row + i) * reciprocal);
        if (rest) NAME(store_parts)(s + whole, last * reciprocal, rest);
        for (int64_t i = visible; i < columns; i++) s[i] = 0;
    }
}

static void NAME(softmax_backward)(const float *p, float *dp, int64_t count) {
    floats sums = {0};
    int64_t i = 0;
    for (; i + 16 <= count; i += 16) sums = NAME(fused)(NAME(load)(p + i), NAME(load)(dp + i), sums);
    const int64_t whole = i, rest = count - whole;
    floats q = {0}, dq = {0};
    if (rest) {
        q = NAME(load_some)(p + whole, rest);
        dq = NAME(load_some)(dp + whole, rest);
        sums = NAME(fused)(q, dq, sums);
    }
    const float projection = NAME(total)(sums);
    for (i = 0; i < whole; i += 16) NAME(store)(dp + i, NAME(load)(p + i) * (NAME(load)(dp + i) - projection));
    if (rest) NAME(store_parts)(dp + whole, q * (dq - projection), rest);
}

static void NAME(exponentials)(float *logits, int64_t count, float *top, float *total, double *sum) {
    if (sum) {
        doubles low = {0}, high = {0};
        int64_t i = 0;
        for (; i + 16 <= count; i += 16) {
            low += __builtin_convertvector(*(const eight_floats_anywhere *)(logits + i), doubles);
            high += __builtin_convertvector(*(const eight_floats_anywhere *)(logits + i + 8), doubles);
        }
        low += high;
        double s = ((low[0] + low[4]) + (low[2] + low[6])) + ((low[1] + low[5]) + (low[3] + low[7]));
        for (; i < count; i++) s += logits[i];
        *sum = s;
    }
    *top = NAME(maximum)(logits, count);
    const floats most = NAME(all)(*top);
    floats sums = {0};
    int64_t i = 0;
    for (; i + 16 <= count; i += 16) {
        const floats e = NAME(exponential)(NAME(load)(logits + i) - most);
        NAME(store)(logits + i, e);
        sums += e;
    }
    if (i < count) {
        const wholes lanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
        const wholes inside = lanes < (int32_t)(count - i);
        const floats e = NAME(exponential)(NAME(load_some)(logits + i, count - i) - most);
        NAME(store_some)(logits + i, e, count - i);
        sums += (floats)((wholes)e & inside);
    }
    *total = NAME(total)(sums);
    const float reciprocal = 1 / *total;
    for (i = 0; i + 16 <= count; i += 16) NAME(store)(logits + i, NAME(load)(logits + i) * reciprocal);
    for (; i < count; i++) logits[i] *= reciprocal;
}

static int NAME(fixed_point)(const float *values, int64_t *sums, int64_t count, float limit) {
    typedef int64_t eight_wholes __attribute__((vector_size(64)));
    typedef int64_t eight_wholes_anywhere __attribute__((vector_size(64), aligned(8)));
    typedef int32_t eight_flags __attribute__((vector_size(32)));
    eight_flags bad = {0};
    int64_t i = 0;
    for (; i + 8 <= count; i += 8) {
        const eight_floats x = *(const eight_floats_anywhere *)(values + i);
        // A NaN fails these comparisons too.
        bad |= ~((x <= limit) & (x >= -limit));
        const doubles q = __builtin_convertvector(x, doubles) * 0x1p40;
        // In two parts, since adding and subtracting 1.5 * 2^52 rounds only numbers below 2^51: the high part is a whole number of
        // 2^32, and what is left is rounded as the whole would be.
        const doubles magic = {0x1.8p52, 0x1.8p52, 0x1.8p52, 0x1.8p52, 0x1.8p52, 0x1.8p52, 0x1.8p52, 0x1.8p52};
        const doubles high = q * 0x1p-32 + magic, low = (q - (high - magic) * 0x1p32) + magic;
        const eight_wholes h = (eight_wholes)high - (eight_wholes)magic, l = (eight_wholes)low - (eight_wholes)magic;
        eight_wholes_anywhere *s = (eight_wholes_anywhere *)(sums + i);
        *s = (eight_wholes)((wide_words)*s + ((wide_words)h << 32) + (wide_words)l);
    }
    int good = 1;
    for (int l = 0; l < 8; l++) good &= bad[l] == 0;
    for (; i < count; i++) {
        if (!(values[i] <= limit && values[i] >= -limit)) return 0;
        sums[i] = (int64_t)((uint64_t)sums[i] + (uint64_t)(int64_t)__builtin_rint((double)values[i] * 0x1p40));
    }
    return good;
}

/// The new values of sixteen elements; products and sums are rounded one by one, as in PyTorch.
INLINE void NAME(update)(const cvectorkernels_adamw *f, floats g, floats *w, floats *m, floats *v) {
    *m = f->b1 * *m + f->c1 * g;
    *v = f->b2 * *v + f->c2 * g * g;
    *w = *w * f->keep - f->step * (*m / (__builtin_elementwise_sqrt(*v) / f->root + f->epsilon));
}

static void NAME(adamw)(
    const cvectorkernels_adamw *factors, float *w, const float *g, float *m, float *v, int64_t count) {
    int64_t i = 0;
    for (; i + 16 <= count; i += 16) {
        floats weights = NAME(load)(w + i), mean = NAME(load)(m + i), square = NAME(load)(v + i);
        NAME(update)(factors, NAME(load)(g + i), &weights, &mean, &square);
        NAME(store)(w + i, weights);
        NAME(store)(m + i, mean);
        NAME(store)(v + i, square);
    }
    if (i == count) return;
    const int64_t rest = count - i;
    floats weights = NAME(load_some)(w + i, rest), mean = NAME(load_some)(m + i, rest),
           square = NAME(load_some)(v + i, rest);
    NAME(update)(factors, NAME(load_some)(g + i, rest), &weights, &mean, &square);
    NAME(store_some)(w + i, weights, rest);
    NAME(store_some)(m + i, mean, rest);
    NAME(store_some)(v + i, square, rest);
}
