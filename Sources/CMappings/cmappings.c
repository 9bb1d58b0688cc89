#define _GNU_SOURCE
#include "cmappings.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PLACES 4096
#define LENGTH 1024

static const char sentence[] =
    " was cut short, or cannot be read any more, while it was in use; restore it and start again\n";

// An entry is in use while `path` is not NULL; it holds a mapping while `start` is not 0.
static struct {
    _Atomic(char *) path;
    _Atomic(uintptr_t) start;
    _Atomic(uintptr_t) end;
} table[PLACES];

// Number of entries that were ever used.
static _Atomic(int) used;

static struct sigaction before;
static char prefix[LENGTH];
static _Atomic(int) exitCode;
static _Atomic(bool) isInstalled;
static _Atomic(bool) isWatched;

// 0: no file was lost; 1: `lost` is being written; 2: `lost` is complete.
static _Atomic(int) lostState;
static char lost[LENGTH];

static void copy(char *to, const char *from) {
    size_t count = 0;
    while (count + 1 < LENGTH && from[count]) {
        to[count] = from[count];
        count++;
    }
    to[count] = 0;
}

int cmappings_note(const void *start, size_t size, const char *path) {
    char *own = strdup(path);
    if (!own) return -1;
    for (int place = 0; place < PLACES; place++) {
        char *none = NULL;
        if (atomic_load(&table[place].path) || !atomic_compare_exchange_strong(&table[place].path, &none, own)) continue;
        int count = atomic_load(&used);
        while (count < place + 1 && !atomic_compare_exchange_weak(&used, &count, place + 1)) {}
        // Kernels may read the rest of the last page, so it counts as part of the mapping.
        uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
        atomic_store(&table[place].end, ((uintptr_t)start + size + page - 1) / page * page);
        atomic_store(&table[place].start, (uintptr_t)start);
        return place;
    }
    free(own);
    return -1;
}

void cmappings_forget(int place) {
    if (place < 0) return;
    atomic_store(&table[place].start, 0);
    atomic_store(&table[place].end, 0);
    free(atomic_exchange(&table[place].path, NULL));
}

const char *cmappings_lost(void) { return atomic_load(&lostState) == 2 ? lost : NULL; }

void cmappings_watched(bool watched) { atomic_store(&isWatched, watched); }

static const char *pathAt(uintptr_t address) {
    int count = atomic_load(&used);
    for (int place = 0; place < count; place++) {
        uintptr_t start = atomic_load(&table[place].start);
        if (start && address >= start && address < atomic_load(&table[place].end)) return atomic_load(&table[place].path);
    }
    return NULL;
}

static _Noreturn void end(const char *path) {
    // The line is written at once, so that the lines of several processes do not mix.
    char line[2 * LENGTH + sizeof sentence];
    size_t count = 0;
    for (const char *part = prefix; *part; part++) line[count++] = *part;
    for (size_t index = 0; index + 1 < LENGTH && path[index]; index++) line[count++] = path[index];
    for (const char *part = sentence; *part; part++) line[count++] = *part;
    ssize_t ignored = write(STDERR_FILENO, line, count);
    (void)ignored;
    _exit(atomic_load(&exitCode));
}

static void handle(int number, siginfo_t *info, void *context) {
    (void)context;
    // Positive codes come from the kernel; defective memory has codes of its own.
    bool isFault = info->si_code == BUS_ADRERR || info->si_code == BUS_OBJERR;
    const char *path = isFault ? pathAt((uintptr_t)info->si_addr) : NULL;
    if (!path) {
        sigaction(number, &before, NULL);
        // The faulting access repeats when this returns; a signal that somebody sent must be sent again.
        if (info->si_code <= 0) raise(number);
        return;
    }
    int none = 0;
    if (atomic_compare_exchange_strong(&lostState, &none, 1)) {
        copy(lost, path);
        atomic_store(&lostState, 2);
    }
    struct timespec pause = {0, 50000000};
    for (int count = 0; count < 1200 && atomic_load(&isWatched); count++) nanosleep(&pause, NULL);
    end(path);
}

void cmappings_install(const char *words, int code) {
    copy(prefix, words);
    atomic_store(&exitCode, code);
    if (atomic_exchange(&isInstalled, true)) return;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = handle;
    // SA_NODEFER is not set: a fault inside the handler is a defect and ends the process.
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, &before);
}
