// Which files are mapped where, for the handler of SIGBUS: a file that is cut short, or that its disk or server no longer
// gives, takes its pages away from whoever reads them, and the system tells that by this signal alone.
//
// A handler may not allocate, lock or use Swift's runtime, so table and handler are C.
#ifndef CMAPPINGS_H
#define CMAPPINGS_H

#include <stdbool.h>
#include <stddef.h>

/// Notes a mapped file, `path` as it is to be shown. Returns its place in the table; -1 where the table is full, so that a
/// fault there stays an ordinary one.
int cmappings_note(const void *start, size_t size, const char *path);

/// Takes a mapping out of the table again, before it is unmapped; -1 is ignored.
void cmappings_forget(int place);

/// Installs the handler, or gives it other words where it is installed: a fault in a noted mapping ends the process with
/// `prefix`, the path and a sentence on standard error, and `code`; any other goes to the handler that was there before.
void cmappings_install(const char *prefix, int code);

/// Whether another thread looks for `cmappings_lost` and ends the process itself, in better words. The thread that met the
/// fault then waits, at most a minute.
void cmappings_watched(bool watched);

/// The path of the file whose mapping was lost; NULL while none was.
const char *cmappings_lost(void);

#endif
