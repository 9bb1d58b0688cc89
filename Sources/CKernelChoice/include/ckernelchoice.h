// Chooses OpenBLAS's kernels, for every program that links the products: the trainer, the benchmarks and the tests.
//
// OpenBLAS chooses kernels when it is loaded, and a release that does not know a newer processor falls back to kernels of 2004,
// which are ten times slower. Only the variable OPENBLAS_CORETYPE in the environment with which a process is started can change
// the choice. So if OpenBLAS has fallen back, a constructor starts the same program again with the variable set, before any
// code of the program has run. If the user has set the variable, his choice is kept.
#ifndef CKERNELCHOICE_H
#define CKERNELCHOICE_H

#include <stdbool.h>

/// The variable that OpenBLAS reads when it is loaded.
#define ckernelchoice_variable "OPENBLAS_CORETYPE"

/// The properties that decide which kernels a processor can run: its instructions, if the system allows their use.
typedef struct {
    bool avx;
    /// AVX2 and FMA.
    bool avx2;
    /// The five parts of AVX-512 that OpenBLAS's kernels for Skylake need.
    bool avx512;
} ckernelchoice_processor;

/// This processor.
ckernelchoice_processor ckernelchoice_this_processor(void);

/// The kernels, by OpenBLAS's name, that fit `processor` better than `chosen`; NULL when the choice is good. Kernels for
/// processors without AVX on a processor with AVX count as a fall-back.
const char *ckernelchoice_better(const char *chosen, ckernelchoice_processor processor);

#endif
