// What this build's Swift code needs of the processor, checked before any of it runs.
//
// Swift has no function that is safe to run on a processor that lacks the instructions it was compiled for; C is compiled
// for every x86-64.
#ifndef CPROCESSOR_H
#define CPROCESSOR_H

/// The first instruction set that this build needs and the processor lacks; NULL when there is none.
const char *cprocessor_lacks(void);

#endif
