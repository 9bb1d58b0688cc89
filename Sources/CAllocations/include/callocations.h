// Counts the allocations of a process. A program that links this target still gets its memory from the C library, but through
// functions that count first. So it is a separate target, used only by benchmarks and tests.
#ifndef CALLOCATIONS_H
#define CALLOCATIONS_H

/// Number of calls of malloc and related functions so far, by all threads.
long callocations_count(void);

/// From now on the `n`-th allocation ends the process with SIGTRAP, so that a debugger shows the caller; 0 for none.
void callocations_trap_at(long n);

#endif
