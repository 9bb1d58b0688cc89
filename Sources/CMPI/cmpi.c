#define _GNU_SOURCE
#include "cmpi.h"

#if defined(__has_include) && !__has_include(<mpi.h>)
#error "there is no mpi.h: install libopenmpi-dev, or name the pkg-config file of another MPI in UNOLORA_MPI_LIBRARY"
#endif
#include <mpi.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

_Static_assert(sizeof(MPI_Comm) <= sizeof(uintptr_t), "a handle must fit a word");
_Static_assert(sizeof(MPI_Win) <= sizeof(uintptr_t), "a handle must fit a word");
_Static_assert(sizeof(MPI_Request) <= sizeof(uintptr_t), "a handle must fit a word");
_Static_assert(sizeof(cpu_set_t) == cmpi_affinity_words * 8, "the mask is another size");
_Static_assert(MPI_MAX_ERROR_STRING <= cmpi_error_text_size, "the text buffer is too small");
_Static_assert(MPI_MAX_PROCESSOR_NAME <= cmpi_name_size, "the text buffer is too small");
_Static_assert(MPI_MAX_LIBRARY_VERSION_STRING <= cmpi_library_version_size, "the text buffer is too small");

static MPI_Comm comm_of(cmpi_comm comm) { return (MPI_Comm)comm.handle; }
static MPI_Win window_of(cmpi_window window) { return (MPI_Win)window.handle; }

static MPI_Datatype type_of(cmpi_type type) {
    switch (type) {
    case cmpi_byte: return MPI_BYTE;
    case cmpi_int64: return MPI_INT64_T;
    case cmpi_uint64: return MPI_UINT64_T;
    case cmpi_float: return MPI_FLOAT;
    case cmpi_double: return MPI_DOUBLE;
    }
    return MPI_DATATYPE_NULL;
}

static MPI_Op operation_of(cmpi_operation operation) {
    switch (operation) {
    case cmpi_sum: return MPI_SUM;
    case cmpi_minimum: return MPI_MIN;
    case cmpi_maximum: return MPI_MAX;
    }
    return MPI_OP_NULL;
}

int cmpi_init(cmpi_thread_level *provided) {
    int level = MPI_THREAD_SINGLE;
    int error = MPI_Init_thread(NULL, NULL, MPI_THREAD_MULTIPLE, &level);
    if (error) return error;
    if (level >= MPI_THREAD_MULTIPLE) *provided = cmpi_thread_multiple;
    else if (level >= MPI_THREAD_SERIALIZED) *provided = cmpi_thread_serialized;
    else if (level >= MPI_THREAD_FUNNELED) *provided = cmpi_thread_funneled;
    else *provided = cmpi_thread_single;
    // Communicators made from the world inherit its handler.
    error = MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    if (error) return error;
    return MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN);
}

int cmpi_state(int *initialized, int *finalized) {
    int error = MPI_Initialized(initialized);
    return error ? error : MPI_Finalized(finalized);
}

int cmpi_finalize(void) { return MPI_Finalize(); }

void cmpi_abort(cmpi_comm comm, int exit_code) {
    // Hydra ends the job when it hears of the abort. Output of a rank that it has not passed on by then is lost; usually it
    // passes output on within milliseconds.
    if (cmpi_library_family() == cmpi_mpich) usleep(300000);
    MPI_Abort(comm_of(comm), exit_code);
}

void cmpi_error_text(int error, char text[cmpi_error_text_size]) {
    int length = 0, initialized = 0, finalized = 0;
    memset(text, 0, cmpi_error_text_size);
    // MPI 3 allows MPI_Error_string only between start and end.
    int running = !cmpi_state(&initialized, &finalized) && initialized && !finalized;
    if (!running || MPI_Error_string(error, text, &length))
        snprintf(text, cmpi_error_text_size, "MPI error %d", error);
}

cmpi_error_kind cmpi_kind_of_error(int error) {
    int class = MPI_ERR_UNKNOWN, initialized = 0, finalized = 0;
    int running = !cmpi_state(&initialized, &finalized) && initialized && !finalized;
    if (!running || MPI_Error_class(error, &class)) return cmpi_misuse;
    switch (class) {
    case MPI_ERR_BUFFER:
    case MPI_ERR_COUNT:
    case MPI_ERR_TYPE:
    case MPI_ERR_TAG:
    case MPI_ERR_COMM:
    case MPI_ERR_RANK:
    case MPI_ERR_REQUEST:
    case MPI_ERR_ROOT:
    case MPI_ERR_GROUP:
    case MPI_ERR_OP:
    case MPI_ERR_TOPOLOGY:
    case MPI_ERR_DIMS:
    case MPI_ERR_ARG:
    case MPI_ERR_TRUNCATE:
    case MPI_ERR_KEYVAL:
    case MPI_ERR_INFO:
    case MPI_ERR_INFO_KEY:
    case MPI_ERR_INFO_NOKEY:
    case MPI_ERR_INFO_VALUE:
    case MPI_ERR_NOT_SAME:
    case MPI_ERR_BASE:
    case MPI_ERR_WIN:
    case MPI_ERR_SIZE:
    case MPI_ERR_DISP:
    case MPI_ERR_LOCKTYPE:
    case MPI_ERR_ASSERT:
    case MPI_ERR_RMA_CONFLICT:
    case MPI_ERR_RMA_SYNC:
    case MPI_ERR_RMA_RANGE:
    case MPI_ERR_RMA_FLAVOR: return cmpi_misuse;
    case MPI_ERR_NO_MEM:
    case MPI_ERR_NO_SPACE:
    case MPI_ERR_QUOTA:
    case MPI_ERR_ACCESS:
    case MPI_ERR_READ_ONLY:
    case MPI_ERR_UNSUPPORTED_OPERATION:
    case MPI_ERR_UNSUPPORTED_DATAREP:
    case MPI_ERR_RMA_ATTACH:
    case MPI_ERR_RMA_SHARED: return cmpi_lacking;
    // Open MPI and MPICH report MPI_ERR_INTERN, MPI_ERR_OTHER or MPI_ERR_UNKNOWN for a peer that is gone, for a network that is
    // down and for much else; the error classes for failed processes (ULFM) are newer than MPI 3.
    default: return cmpi_failed;
    }
}

int cmpi_processor_name(char text[cmpi_name_size]) {
    int length = 0;
    memset(text, 0, cmpi_name_size);
    return MPI_Get_processor_name(text, &length);
}

int cmpi_library_version(char text[cmpi_library_version_size]) {
    int length = 0;
    memset(text, 0, cmpi_library_version_size);
    return MPI_Get_library_version(text, &length);
}

cmpi_family cmpi_library_family(void) {
#if defined(OPEN_MPI)
    return cmpi_open_mpi;
#elif defined(MPICH_VERSION) || defined(I_MPI_VERSION)
    return cmpi_mpich;
#else
    return cmpi_other;
#endif
}

cmpi_comm cmpi_world(void) { return (cmpi_comm){(uintptr_t)MPI_COMM_WORLD}; }

int cmpi_rank(cmpi_comm comm, int *rank) { return MPI_Comm_rank(comm_of(comm), rank); }

int cmpi_size(cmpi_comm comm, int *size) { return MPI_Comm_size(comm_of(comm), size); }

int cmpi_split(cmpi_comm comm, int color, int key, cmpi_comm *part, int *made) {
    MPI_Comm made_comm = MPI_COMM_NULL;
    int error = MPI_Comm_split(comm_of(comm), color < 0 ? MPI_UNDEFINED : color, key, &made_comm);
    part->handle = (uintptr_t)made_comm;
    *made = made_comm != MPI_COMM_NULL;
    return error;
}

int cmpi_split_by_node(cmpi_comm comm, int key, cmpi_comm *part) {
    MPI_Comm node = MPI_COMM_NULL;
    int error = MPI_Comm_split_type(comm_of(comm), MPI_COMM_TYPE_SHARED, key, MPI_INFO_NULL, &node);
    part->handle = (uintptr_t)node;
    return error;
}

int cmpi_free(cmpi_comm *comm) {
    MPI_Comm freed = comm_of(*comm);
    int error = MPI_Comm_free(&freed);
    comm->handle = (uintptr_t)freed;
    return error;
}

int cmpi_barrier(cmpi_comm comm) { return MPI_Barrier(comm_of(comm)); }

int cmpi_allreduce(cmpi_comm comm, void *values, int count, cmpi_type type, cmpi_operation operation) {
    return MPI_Allreduce(MPI_IN_PLACE, values, count, type_of(type), operation_of(operation), comm_of(comm));
}

int cmpi_start_allreduce(
    cmpi_comm comm, void *values, int count, cmpi_type type, cmpi_operation operation, cmpi_request *request) {
    MPI_Request started = MPI_REQUEST_NULL;
    int error = MPI_Iallreduce(
        MPI_IN_PLACE, values, count, type_of(type), operation_of(operation), comm_of(comm), &started);
    request->handle = (uintptr_t)started;
    return error;
}

int cmpi_test(cmpi_request *request, int *complete) {
    MPI_Request tested = (MPI_Request)request->handle;
    int error = MPI_Test(&tested, complete, MPI_STATUS_IGNORE);
    request->handle = (uintptr_t)tested;
    return error;
}

int cmpi_start_send(cmpi_comm comm, const void *data, int bytes, int rank, cmpi_request *request) {
    MPI_Request started = MPI_REQUEST_NULL;
    int error = MPI_Isend(data, bytes, MPI_BYTE, rank, 0, comm_of(comm), &started);
    request->handle = (uintptr_t)started;
    return error;
}

int cmpi_start_receive(cmpi_comm comm, void *data, int bytes, int rank, cmpi_request *request) {
    MPI_Request started = MPI_REQUEST_NULL;
    int error = MPI_Irecv(data, bytes, MPI_BYTE, rank, 0, comm_of(comm), &started);
    request->handle = (uintptr_t)started;
    return error;
}

int cmpi_cancel(cmpi_request *request) {
    MPI_Request cancelled = (MPI_Request)request->handle;
    int error = MPI_Cancel(&cancelled);
    if (!error) error = MPI_Wait(&cancelled, MPI_STATUS_IGNORE);
    request->handle = (uintptr_t)cancelled;
    return error;
}

int cmpi_broadcast(cmpi_comm comm, void *data, int bytes, int root) {
    return MPI_Bcast(data, bytes, MPI_BYTE, root, comm_of(comm));
}

int cmpi_allgather(cmpi_comm comm, const void *send, void *receive, int bytes) {
    return MPI_Allgather(send, bytes, MPI_BYTE, receive, bytes, MPI_BYTE, comm_of(comm));
}

int cmpi_gather(
    cmpi_comm comm, const void *send, int bytes, void *receive, const int *sizes, const int *offsets, int root) {
    return MPI_Gatherv(send, bytes, MPI_BYTE, receive, sizes, offsets, MPI_BYTE, root, comm_of(comm));
}

int cmpi_shared_allocate(cmpi_comm node, size_t bytes, cmpi_window *window, void **base, size_t *size) {
    MPI_Win made = MPI_WIN_NULL;
    void *own = NULL;
    int rank = 0;
    int error = MPI_Comm_rank(comm_of(node), &rank);
    if (error) return error;
    error = MPI_Win_allocate_shared(
        rank == 0 ? (MPI_Aint)bytes : 0, 1, MPI_INFO_NULL, comm_of(node), &own, &made);
    if (error) return error;
    window->handle = (uintptr_t)made;
    // A window does not inherit the communicator's handler.
    error = MPI_Win_set_errhandler(made, MPI_ERRORS_RETURN);
    if (error) return error;
    MPI_Aint owner_size = 0;
    int unit = 0;
    error = MPI_Win_shared_query(made, 0, &owner_size, &unit, base);
    if (error) return error;
    *size = (size_t)owner_size;
    // A passive epoch for the life of the window, since MPI_Win_sync is only allowed inside one.
    return MPI_Win_lock_all(MPI_MODE_NOCHECK, made);
}

int cmpi_shared_sync(cmpi_window window) { return MPI_Win_sync(window_of(window)); }

int cmpi_shared_free(cmpi_window *window) {
    MPI_Win freed = window_of(*window);
    int error = MPI_Win_unlock_all(freed);
    if (error) return error;
    error = MPI_Win_free(&freed);
    window->handle = (uintptr_t)freed;
    return error;
}

void cmpi_shared_directory(char text[cmpi_path_size]) {
    memset(text, 0, cmpi_path_size);
    // Open MPI publishes its settings, whatever their source, as control variables of MPI's tools interface. MPICH has such
    // variables too, but none for this.
    int level = 0, index = 0, count = 0;
    if (MPI_T_init_thread(MPI_THREAD_SINGLE, &level)) return;
    MPI_T_cvar_handle handle;
    if (!MPI_T_cvar_get_index("osc_sm_backing_directory", &index) &&
        !MPI_T_cvar_handle_alloc(index, NULL, &handle, &count)) {
        if (count > 0 && count <= cmpi_path_size && MPI_T_cvar_read(handle, text)) text[0] = 0;
        text[cmpi_path_size - 1] = 0;
        MPI_T_cvar_handle_free(&handle);
    }
    MPI_T_finalize();
}

int cmpi_affinity(uint64_t words[cmpi_affinity_words]) {
    cpu_set_t set;
    int error = sched_getaffinity(0, sizeof(set), &set);
    if (!error) memcpy(words, &set, sizeof(set));
    return error;
}

int cmpi_set_affinity(const uint64_t words[cmpi_affinity_words]) {
    cpu_set_t set;
    memcpy(&set, words, sizeof(set));
    return sched_setaffinity(0, sizeof(set), &set);
}
