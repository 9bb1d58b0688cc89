#include "cprocessor.h"

#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

// ExitCode.unsupportedProcessor
enum { unsupported = 69 };

const char *cprocessor_lacks(void) {
#if defined(UNOLORA_AVX2) && defined(__x86_64__)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2")) return "AVX2";
    if (!__builtin_cpu_supports("fma")) return "FMA";
    if (!__builtin_cpu_supports("bmi2")) return "BMI2";
#endif
    return NULL;
}

// This runs before main: a missing instruction would end the process without a message.
__attribute__((constructor)) static void check(void) {
    const char *lacking = cprocessor_lacks();
    if (lacking == NULL) return;
    char line[256];
    int length = snprintf(
        line, sizeof line,
        "this processor has no %s, for which this program was built; build it on this kind of machine with "
        "swift build -c release --disable-default-traits\n",
        lacking);
    if (length > 0) (void)!write(STDERR_FILENO, line, (size_t)length);
    _exit(unsupported);
}
