// A C interface to libsentencepiece.
//
// The library has only a C++ interface (std::string_view, std::vector, virtual classes). Importing it directly would
// switch every Swift target above this one to C++ interoperability, and a C++ exception that reaches a Swift frame ends
// the process without a message. This shim keeps C++ in one translation unit: opaque handles, plain buffers, a status
// and a message for every call, and no exception leaves it.

#ifndef CSENTENCEPIECE_H
#define CSENTENCEPIECE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A loaded model. Encoding and decoding do not change it, so any number of threads may share one.
typedef struct csp_model csp_model;

typedef enum csp_status {
    csp_ok = 0,
    /// The library refused its input; the message says why.
    csp_refused = 1,
    /// Memory ran out or the library threw.
    csp_internal = 2,
} csp_status;

/// Room for the message of any call, including the terminating zero; longer messages are cut.
enum { csp_message_capacity = 512 };

/// Loads a serialised model from memory (the bytes are copied).
csp_status csp_model_create(const void *bytes, size_t length, csp_model **model, char *message);

/// Frees a model; NULL is allowed.
void csp_model_destroy(csp_model *model);

int32_t csp_piece_count(const csp_model *model);
/// The ids of the special pieces; -1 if the model has none.
int32_t csp_pad_id(const csp_model *model);
int32_t csp_eos_id(const csp_model *model);
int32_t csp_unk_id(const csp_model *model);

/// Encodes UTF-8 text (zero bytes and malformed sequences are allowed) and writes at most `capacity` ids.
/// `count` is the number of ids of the whole text: when it exceeds `capacity`, call again with more room.
csp_status csp_encode(
    const csp_model *model, const char *text, size_t length, int32_t *ids, size_t capacity, size_t *count,
    char *message);

/// A piece of a text: its id, and the byte of the text where it ends.
typedef struct csp_span {
    int32_t id;
    uint32_t end;
} csp_span;

/// Encodes like `csp_encode`, but more slowly, and writes for at most `capacity` pieces where they end in the text.
csp_status csp_spans(
    const csp_model *model, const char *text, size_t length, csp_span *spans, size_t capacity, size_t *count,
    char *message);

/// Writes at most `capacity` bytes of the name of a piece, as the model has it (no terminating zero). The id must be in 0 ..<
/// csp_piece_count. `length` is the length of the whole name.
csp_status csp_piece_name(
    const csp_model *model, int32_t id, char *name, size_t capacity, size_t *length, char *message);

/// The id of the piece with that name; the id of unknown text when there is none.
int32_t csp_piece_id(const csp_model *model, const char *name, size_t length);

/// Decodes ids, each in 0 ..< csp_piece_count, and writes at most `capacity` bytes of UTF-8 (no terminating zero).
/// `length` is the length of the whole text.
csp_status csp_decode(
    const csp_model *model, const int32_t *ids, size_t count, char *text, size_t capacity, size_t *length,
    char *message);

/// Trains a unigram model with pad 0, eos 1, unk 2 and no bos on `count` sentences, silently and on one thread.
/// `model` receives the serialised model; free it with csp_free.
csp_status csp_train(
    const char *const *sentences, const size_t *lengths, size_t count, int32_t pieces, void **model, size_t *length,
    char *message);

/// Frees what csp_train returned.
void csp_free(void *bytes);

#ifdef __cplusplus
}
#endif

#endif
