#define _GNU_SOURCE
#include "callocations.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

// glibc's own functions, under their other names.
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static atomic_long count;
static atomic_long trap;

static void counted(void) {
    long number = atomic_fetch_add_explicit(&count, 1, memory_order_relaxed) + 1;
    if (number == atomic_load_explicit(&trap, memory_order_relaxed)) __builtin_trap();
}

long callocations_count(void) { return atomic_load_explicit(&count, memory_order_relaxed); }

void callocations_trap_at(long n) {
    atomic_store_explicit(&trap, n == 0 ? 0 : callocations_count() + n, memory_order_relaxed);
}

void *malloc(size_t size) {
    counted();
    return __libc_malloc(size);
}

void *calloc(size_t n, size_t size) {
    counted();
    return __libc_calloc(n, size);
}

void *realloc(void *old, size_t size) {
    counted();
    return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
    counted();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **memory, size_t alignment, size_t size) {
    if (alignment % sizeof(void *) != 0 || (alignment & (alignment - 1)) != 0 || alignment == 0) return EINVAL;
    void *made = memalign(alignment, size);
    if (made == NULL) return ENOMEM;
    *memory = made;
    return 0;
}
