#include "ckernelchoice.h"

#include <stddef.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

// A function of OpenBLAS that only some releases declare in cblas.h.
extern char *openblas_get_corename(void);

ckernelchoice_processor ckernelchoice_this_processor(void) {
    ckernelchoice_processor processor = {false, false, false};
#if defined(__x86_64__)
    __builtin_cpu_init();
    processor.avx = __builtin_cpu_supports("avx");
    processor.avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    processor.avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                       __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                       __builtin_cpu_supports("avx512cd");
#endif
    return processor;
}

const char *ckernelchoice_better(const char *chosen, ckernelchoice_processor processor) {
    static const char *const fallbacks[] = {
        "prescott", "core2", "generic", "northwood", "katmai", "nehalem", "penryn", "dunnington"};
    for (size_t i = 0; i < sizeof fallbacks / sizeof *fallbacks; i++) {
        if (strcasecmp(chosen, fallbacks[i]) != 0) continue;
        if (processor.avx512) return "SkylakeX";
        if (processor.avx2) return "Haswell";
        return processor.avx ? "Sandybridge" : NULL;
    }
    return NULL;
}

// Runs after OpenBLAS's own constructor, because the program depends on that library, and before main: no file is open yet, no
// thread of the program runs, MPI has not started. glibc passes main's arguments to constructors.
__attribute__((constructor)) static void choose(int count, char **arguments) {
    const char *own = getenv(ckernelchoice_variable);
    if (count < 1 || (own != NULL && *own != '\0')) return;
    const char *better = ckernelchoice_better(openblas_get_corename(), ckernelchoice_this_processor());
    if (better == NULL || setenv(ckernelchoice_variable, better, 1) != 0) return;
    execv("/proc/self/exe", arguments);
    // The program could not be started again: it continues with OpenBLAS's choice, and the variable is removed.
    unsetenv(ckernelchoice_variable);
}
