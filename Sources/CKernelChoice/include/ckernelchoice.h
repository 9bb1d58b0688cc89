// The choice of OpenBLAS's kernels, for every program that links the products: the trainer, the benchmarks and the tests.
//
// OpenBLAS chooses kernels when it is loaded, and a release that does not know a newer processor falls back to those of
// 2004, ten times slower. Its choice can be set only by the variable OPENBLAS_CORETYPE in the environment that a process is
// started with. So where the fall-back is seen, a constructor starts the same program once more with the variable set, before
// anything of it has run. A choice of the user's is left alone.
#ifndef CKERNELCHOICE_H
#define CKERNELCHOICE_H

#include <stdbool.h>

/// The variable that OpenBLAS reads when it is loaded.
#define ckernelchoice_variable "OPENBLAS_CORETYPE"

/// What decides which kernels a processor can run: its instructions, as far as the system lets them be used.
typedef struct {
    bool avx;
    /// AVX2 and FMA.
    bool avx2;
    /// The five parts of AVX-512 that OpenBLAS's kernels for Skylake need.
    bool avx512;
} ckernelchoice_processor;

/// This processor.
ckernelchoice_processor ckernelchoice_this_processor(void);

/// The kernels that fit `processor` better than `chosen`, by OpenBLAS's name; NULL when the choice is good. Kernels of
/// processors without AVX, chosen on one that has it, are a fall-back.
const char *ckernelchoice_better(const char *chosen, ckernelchoice_processor processor);

#endif
