#define _GNU_SOURCE
#include <errno.h>
#include "cmpi.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

// Shared memory of the guard and its rank: whether other ranks watch over the rank. NULL without a guard.
static atomic_int *watched;

static volatile pid_t rank_process;

static const int forwarded[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT};

static void forward(int number) {
    if (rank_process > 0) kill(rank_process, number);
}

// The child processes of `process`: returns their number, with at most `room` of them in `children`; -1 if that is unknown.
static int children_of(pid_t process, pid_t children[], int room) {
    char path[64], text[8192];
    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", process, process);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return -1;
    ssize_t length = read(file, text, sizeof(text) - 1);
    close(file);
    if (length < 0) return -1;
    text[length] = 0;
    int count = 0;
    char *place = text, *end;
    for (; count < room; place = end) {
        long child = strtol(place, &end, 10);
        if (end == place) break;
        children[count++] = (pid_t)child;
    }
    return count;
}

// Whether another rank of this node may be alive: the launcher has started other guards, and one of them has a process.
static int another_lives(void) {
    static pid_t guards[1024], ranks[1];
    int count = children_of(getppid(), guards, 1024);
    // A script may be between the launcher and this process.
    if (count < 2) return 1;
    for (int i = 0; i < count; i++) {
        if (guards[i] != getpid() && children_of(guards[i], ranks, 1) != 0) return 1;
    }
    return 0;
}

void cmpi_guard(int patience) {
    atomic_int *shared =
        mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) return;
    sigset_t signals, before;
    sigemptyset(&signals);
    for (size_t i = 0; i < sizeof(forwarded) / sizeof(forwarded[0]); i++) sigaddset(&signals, forwarded[i]);
    // Signals that arrive before the handlers are installed stay pending until then.
    sigprocmask(SIG_BLOCK, &signals, &before);
    // If the signal were ignored, the system would discard the child's status.
    signal(SIGCHLD, SIG_DFL);
    pid_t guard = getpid(), process = fork();
    if (process <= 0) {
        if (process == 0) {
            watched = shared;
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (getppid() != guard) _exit(128 + SIGKILL);
        } else {
            munmap(shared, sizeof(*shared));
        }
        sigprocmask(SIG_SETMASK, &before, NULL);
        return;
    }
    rank_process = process;
    prctl(PR_SET_NAME, "unolora-guard");
    for (size_t i = 0; i < sizeof(forwarded) / sizeof(forwarded[0]); i++) {
        struct sigaction action = {.sa_handler = forward};
        // nohup starts a process with SIGHUP ignored; it must stay ignored.
        struct sigaction old;
        if (forwarded[i] == SIGHUP && !sigaction(SIGHUP, NULL, &old) && old.sa_handler == SIG_IGN) continue;
        sigaction(forwarded[i], &action, NULL);
    }
    sigprocmask(SIG_UNBLOCK, &signals, NULL);
    int status = 0;
    while (waitpid(process, &status, 0) < 0) {
        if (errno != EINTR) _exit(128 + SIGKILL);
    }
    rank_process = 0;
    if (WIFEXITED(status)) _exit(WEXITSTATUS(status));
    // The launcher ends all ranks as soon as it learns about this. It ends this process when the others have ended the job.
    for (int i = 0; i < patience * 10 && atomic_load(shared) && another_lives(); i++) usleep(100000);
    _exit(128 + WTERMSIG(status));
}

void cmpi_guard_watched(int is_watched) {
    if (watched) atomic_store(watched, is_watched);
}
