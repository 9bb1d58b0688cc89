#include "csentencepiece.h"

#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

struct csp_model {
    sentencepiece::SentencePieceProcessor processor;
};

namespace {

csp_status fail(csp_status status, const char *text, char *message) {
    std::snprintf(message, csp_message_capacity, "%s", text);
    return status;
}

csp_status check(const sentencepiece::util::Status &status, char *message) {
    return status.ok() ? csp_ok : fail(csp_refused, status.error_message(), message);
}

// Runs `body` and turns any exception into a status.
template <typename Body>
csp_status guarded(char *message, Body body) {
    try {
        return body();
    } catch (const std::exception &error) {
        return fail(csp_internal, error.what(), message);
    } catch (...) {
        return fail(csp_internal, "unknown C++ exception", message);
    }
}

class Sentences final : public sentencepiece::SentenceIterator {
 public:
    Sentences(const char *const *texts, const size_t *lengths, size_t count)
        : texts_(texts), lengths_(lengths), count_(count) {
        load();
    }
    bool done() const override { return index_ >= count_; }
    void Next() override {
        ++index_;
        load();
    }
    const std::string &value() const override { return value_; }
    sentencepiece::util::Status status() const override { return {}; }

 private:
    void load() {
        if (index_ < count_) value_.assign(texts_[index_], lengths_[index_]);
    }

    const char *const *texts_;
    const size_t *lengths_;
    size_t count_;
    size_t index_ = 0;
    std::string value_;
};

}  // namespace

csp_status csp_model_create(const void *bytes, size_t length, csp_model **model, char *message) {
    return guarded(message, [&] {
        auto made = std::make_unique<csp_model>();
        const std::string_view serialised(static_cast<const char *>(bytes), length);
        const csp_status status = check(made->processor.LoadFromSerializedProto(serialised), message);
        if (status == csp_ok) *model = made.release();
        return status;
    });
}

void csp_model_destroy(csp_model *model) { delete model; }

int32_t csp_piece_count(const csp_model *model) { return model->processor.GetPieceSize(); }
int32_t csp_pad_id(const csp_model *model) { return model->processor.pad_id(); }
int32_t csp_eos_id(const csp_model *model) { return model->processor.eos_id(); }
int32_t csp_unk_id(const csp_model *model) { return model->processor.unk_id(); }

csp_status csp_encode(
    const csp_model *model, const char *text, size_t length, int32_t *ids, size_t capacity, size_t *count,
    char *message) {
    return guarded(message, [&] {
        std::vector<int> encoded;
        const csp_status status = check(model->processor.Encode(std::string_view(text, length), &encoded), message);
        if (status != csp_ok) return status;
        std::copy_n(encoded.begin(), std::min(capacity, encoded.size()), ids);
        *count = encoded.size();
        return csp_ok;
    });
}

csp_status csp_spans(
    const csp_model *model, const char *text, size_t length, csp_span *spans, size_t capacity, size_t *count,
    char *message) {
    return guarded(message, [&] {
        const auto encoded = model->processor.EncodeAsImmutableProto(std::string_view(text, length));
        *count = encoded.pieces_size();
        for (size_t index = 0; index < std::min(capacity, *count); ++index) {
            const auto piece = encoded.pieces(static_cast<int>(index));
            spans[index] = {static_cast<int32_t>(piece.id()), piece.end()};
        }
        return csp_ok;
    });
}

csp_status csp_piece_name(
    const csp_model *model, int32_t id, char *name, size_t capacity, size_t *length, char *message) {
    return guarded(message, [&] {
        const std::string &piece = model->processor.IdToPiece(id);
        std::memcpy(name, piece.data(), std::min(capacity, piece.size()));
        *length = piece.size();
        return csp_ok;
    });
}

int32_t csp_piece_id(const csp_model *model, const char *name, size_t length) {
    return model->processor.PieceToId(std::string_view(name, length));
}

csp_status csp_decode(
    const csp_model *model, const int32_t *ids, size_t count, char *text, size_t capacity, size_t *length,
    char *message) {
    return guarded(message, [&] {
        std::string decoded;
        const csp_status status = check(model->processor.Decode(std::vector<int>(ids, ids + count), &decoded), message);
        if (status != csp_ok) return status;
        std::memcpy(text, decoded.data(), std::min(capacity, decoded.size()));
        *length = decoded.size();
        return csp_ok;
    });
}

csp_status csp_train(
    const char *const *sentences, const size_t *lengths, size_t count, int32_t pieces, void **model, size_t *length,
    char *message) {
    return guarded(message, [&] {
        // One thread, and no sampling or shuffling of sentences: so the same sentences give the same bytes.
        const std::unordered_map<std::string, std::string> options = {
            {"model_type", "unigram"},
            {"vocab_size", std::to_string(pieces)},
            {"pad_id", "0"},
            {"eos_id", "1"},
            {"unk_id", "2"},
            {"bos_id", "-1"},
            {"character_coverage", "1.0"},
            {"num_threads", "1"},
            {"input_sentence_size", "0"},
            {"shuffle_input_sentence", "false"},
            {"minloglevel", "3"},
        };
        Sentences iterator(sentences, lengths, count);
        std::string serialised;
        const csp_status status =
            check(sentencepiece::SentencePieceTrainer::Train(options, &iterator, &serialised), message);
        if (status != csp_ok) return status;
        void *bytes = std::malloc(serialised.size());
        if (bytes == nullptr) return fail(csp_internal, "out of memory", message);
        std::memcpy(bytes, serialised.data(), serialised.size());
        *model = bytes;
        *length = serialised.size();
        return csp_ok;
    });
}

void csp_free(void *bytes) { std::free(bytes); }
