// A small C interface to MPI for Swift.
//
// Why it exists: <mpi.h> defines MPI_COMM_WORLD, MPI_FLOAT, MPI_SUM, MPI_IN_PLACE and similar names as macros that cast
// addresses or integers, which Swift's importer drops; and the handle types differ between implementations (pointers in Open
// MPI, integers in MPICH). Here a handle is an opaque word, types and operations are small enumerations, and every call does
// one thing. Only cmpi.c includes <mpi.h>.
//
// Every function that returns int returns MPI_SUCCESS (0) or an MPI error code for cmpi_error_text; errors are returned
// and never fatal once cmpi_init has succeeded. Counts are int as in MPI 3: callers cut longer buffers.
#ifndef CMPI_H
#define CMPI_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uintptr_t handle;
} cmpi_comm;

typedef struct {
    uintptr_t handle;
} cmpi_window;

typedef struct {
    uintptr_t handle;
} cmpi_request;

typedef enum { cmpi_byte, cmpi_int64, cmpi_uint64, cmpi_float, cmpi_double } cmpi_type;

typedef enum { cmpi_sum, cmpi_minimum, cmpi_maximum } cmpi_operation;

// These numbers are our own; cmpi_init converts them from and to MPI's.
typedef enum { cmpi_thread_single, cmpi_thread_funneled, cmpi_thread_serialized, cmpi_thread_multiple } cmpi_thread_level;

// Sizes of the buffers that the text functions fill, including the terminating zero.
enum { cmpi_error_text_size = 512, cmpi_name_size = 512, cmpi_library_version_size = 8192 };

// Start and end of the library. cmpi_init asks for MPI_THREAD_MULTIPLE and makes the errors of all communicators return.
int cmpi_init(cmpi_thread_level *provided);
int cmpi_state(int *initialized, int *finalized);
int cmpi_finalize(void);
// cmpi_abort gives the launcher time to pass on earlier output.
void cmpi_abort(cmpi_comm comm, int exit_code);

// Texts, always terminated. cmpi_error_text cannot fail.
void cmpi_error_text(int error, char text[cmpi_error_text_size]);
// The kind of an error. When MPI does not run, every error is cmpi_misuse.
typedef enum {
    cmpi_misuse,  // a wrong argument or call
    cmpi_lacking, // memory, space, permission or an ability is not there; so it is at the next start
    cmpi_failed   // anything else: another rank, a host or the network, or a library that does not say
} cmpi_error_kind;
cmpi_error_kind cmpi_kind_of_error(int error);
// The family of the library for which this was compiled; members of a family share the types of mpi.h and understand each
// other's launchers. May be called at any time.
typedef enum {
    cmpi_open_mpi,
    cmpi_mpich, // MPICH and what is made of it: Intel MPI, Cray MPICH, MVAPICH
    cmpi_other
} cmpi_family;
cmpi_family cmpi_library_family(void);
int cmpi_processor_name(char text[cmpi_name_size]);
int cmpi_library_version(char text[cmpi_library_version_size]);

// Communicators. A process with a negative color gets no communicator; `made` is 0 then.
cmpi_comm cmpi_world(void);
int cmpi_rank(cmpi_comm comm, int *rank);
int cmpi_size(cmpi_comm comm, int *size);
int cmpi_split(cmpi_comm comm, int color, int key, cmpi_comm *part, int *made);
int cmpi_split_by_node(cmpi_comm comm, int key, cmpi_comm *part);
int cmpi_free(cmpi_comm *comm);

// Collectives. `count` is in elements of `type`, `bytes` in bytes; reductions are in place.
int cmpi_barrier(cmpi_comm comm);
int cmpi_allreduce(cmpi_comm comm, void *values, int count, cmpi_type type, cmpi_operation operation);
int cmpi_start_allreduce(
    cmpi_comm comm, void *values, int count, cmpi_type type, cmpi_operation operation, cmpi_request *request);
int cmpi_test(cmpi_request *request, int *complete);
// Messages of `bytes` bytes to and from a rank; the data must stay valid until cmpi_test says that the message is complete.
int cmpi_start_send(cmpi_comm comm, const void *data, int bytes, int rank, cmpi_request *request);
int cmpi_start_receive(cmpi_comm comm, void *data, int bytes, int rank, cmpi_request *request);
// Cancels a receive that has not begun.
int cmpi_cancel(cmpi_request *request);
int cmpi_broadcast(cmpi_comm comm, void *data, int bytes, int root);
int cmpi_allgather(cmpi_comm comm, const void *send, void *receive, int bytes);
// `sizes`, `offsets` (in bytes, one per rank) and `receive` are read on the root only.
int cmpi_gather(
    cmpi_comm comm, const void *send, int bytes, void *receive, const int *sizes, const int *offsets, int root);

// Memory shared by the ranks of one node. Rank 0 decides `bytes`; all ranks get the address and size.
int cmpi_shared_allocate(cmpi_comm node, size_t bytes, cmpi_window *window, void **base, size_t *size);
// Makes earlier stores of this rank visible to others, and those of others to this rank, when called before and after a
// barrier.
int cmpi_shared_sync(cmpi_window window);
int cmpi_shared_free(cmpi_window *window);
// The directory of the file system that holds such memory; empty if the library does not tell.
enum { cmpi_path_size = 4096 };
void cmpi_shared_directory(char text[cmpi_path_size]);

// A process between the launcher and this rank. Hydra, the mpirun of MPICH and Intel MPI, kills all ranks as soon as one is
// killed. cmpi_guard returns in a child of this process, which is the rank from then on; this process forwards signals and ends
// in the same way as the child. If the child was killed while cmpi_guard_watched was set, this process ends `patience` seconds
// later, or when no other rank of the node is alive, so that the others can save their work and end the job. Call it before any
// thread starts.
void cmpi_guard(int patience);
void cmpi_guard_watched(int is_watched);

// The affinity mask of the calling thread, to which a launcher binds a rank: bit i % 64 of word i / 64 is processor i. Linux
// only; Swift sees neither call, since glibc declares them only for _GNU_SOURCE. Returns 0, or -1 with errno.
enum { cmpi_affinity_words = 16 };
int cmpi_affinity(uint64_t words[cmpi_affinity_words]);
int cmpi_set_affinity(const uint64_t words[cmpi_affinity_words]);

#endif
