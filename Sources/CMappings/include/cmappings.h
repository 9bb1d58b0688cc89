// A table of mapped files, for the handler of SIGBUS. When a file is truncated, or its disk or server no longer delivers it,
// its readers lose the pages, and the system reports that only by this signal.
//
// A handler may not allocate, lock or use Swift's runtime, so the table and the handler are written in C.
#ifndef CMAPPINGS_H
#define CMAPPINGS_H

#include <stdbool.h>
#include <stddef.h>

/// Adds a mapped file; `path` is shown in messages. Returns its index in the table, or -1 when the table is full; a fault in
/// that file is then handled like any other.
int cmappings_note(const void *start, size_t size, const char *path);

/// Removes a mapping from the table before it is unmapped; -1 is ignored.
void cmappings_forget(int place);

/// Installs the handler, or gives an installed handler another prefix. A fault in a mapping of the table ends the process with
/// `code` and prints `prefix`, the path and a sentence on standard error; any other fault goes to the handler installed before.
void cmappings_install(const char *prefix, int code);

/// Whether another thread checks `cmappings_lost` and ends the process itself, with a better message. The thread with the fault
/// then waits for at most a minute.
void cmappings_watched(bool watched);

/// The path of the file whose mapping was lost; NULL when none was.
const char *cmappings_lost(void);

#endif
