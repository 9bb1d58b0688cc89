// Checks that the processor has what this build's Swift code needs, before any of that code runs.
//
// No Swift function is safe to run on a processor that lacks the instructions for which it was compiled; the C code is compiled
// for every x86-64 processor.
#ifndef CPROCESSOR_H
#define CPROCESSOR_H

/// The first instruction set that this build needs and the processor lacks; NULL when there is none.
const char *cprocessor_lacks(void);

#endif
