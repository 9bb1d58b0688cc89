// Counts the allocations of a process. A program that links this gets its memory from the C library as ever, through
// functions that count first; that is why it is a target of its own, for benchmarks and tests alone.
#ifndef CALLOCATIONS_H
#define CALLOCATIONS_H

/// Calls of malloc and its relatives so far, by all threads.
long callocations_count(void);

/// From now on the `n`-th allocation ends the process with SIGTRAP, so that a debugger shows who asks; 0 for none.
void callocations_trap_at(long n);

#endif
