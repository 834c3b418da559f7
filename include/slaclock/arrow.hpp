// Columns in and out: the Arrow C stream interface, owned.
#ifndef SLACLOCK_ARROW_HPP
#define SLACLOCK_ARROW_HPP

#include <cstdint>
#include <string>
#include <utility>

#include "../slaclock.h"

namespace slaclock {

/// A stream of Arrow record batches: released when it goes, unless somebody took it over. Moves, does not copy.
class ArrowStream {
public:
    /// An empty place for a stream.
    ArrowStream() noexcept : stream_{} {}
    /// Takes over a stream; the other place is left released.
    explicit ArrowStream(ArrowArrayStream* other) noexcept : stream_(*other) { other->release = nullptr; }
    ArrowStream(ArrowStream&& other) noexcept : ArrowStream(&other.stream_) {}
    ArrowStream& operator=(ArrowStream&& other) noexcept {
        if (this != &other) {
            reset();
            stream_ = other.stream_;
            other.stream_.release = nullptr;
        }
        return *this;
    }
    ArrowStream(const ArrowStream&) = delete;
    ArrowStream& operator=(const ArrowStream&) = delete;
    ~ArrowStream() { reset(); }

    /// The stream itself, for an importer such as `arrow::ImportRecordBatchReader`, which takes it over.
    ArrowArrayStream* get() noexcept { return &stream_; }
    /// Whether there is a stream that nobody took over.
    explicit operator bool() const noexcept { return stream_.release != nullptr; }

private:
    void reset() noexcept {
        if (stream_.release != nullptr) stream_.release(&stream_);
        stream_.release = nullptr;
    }
    ArrowArrayStream stream_;
};

/// What became of the rows of a stream.
struct Written {
    slaclock_written counts{};
    std::string refused;  ///< JSON: a list of `row` (from 0), `status`, `name`, `message` for the first 1,000
};

}  // namespace slaclock

#endif  // SLACLOCK_ARROW_HPP
