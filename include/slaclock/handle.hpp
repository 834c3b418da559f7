// Owning handles, texts that the library made, and which library this is.
#ifndef SLACLOCK_HANDLE_HPP
#define SLACLOCK_HANDLE_HPP

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "error.hpp"

namespace slaclock {

/// Owns a handle of slaclock.h: frees it when it goes. Moves, does not copy.
template <class T, auto free>
class Handle {
public:
    /// Takes over a handle that a function of slaclock.h gave, or NULL.
    explicit Handle(T* owned) noexcept : owned_(owned) {}

    /// The handle for functions of slaclock.h; NULL once it was moved from or released.
    T* get() const noexcept { return owned_.get(); }
    /// Gives up the handle: the caller frees it.
    [[nodiscard]] T* release() noexcept { return owned_.release(); }
    /// Whether there is a handle.
    explicit operator bool() const noexcept { return owned_ != nullptr; }

private:
    struct Free {
        void operator()(T* owned) const noexcept { static_cast<void>(free(owned)); }
    };
    std::unique_ptr<T, Free> owned_;
};

/// The content of a text that a function of slaclock.h gave, which is freed. Empty for NULL.
inline std::string take(slaclock_text* owned) {
    if (owned == nullptr) return {};
    const Handle<slaclock_text, slaclock_text_free> text(owned);
    return {slaclock_text_data(text.get()), slaclock_text_len(text.get())};
}

/// Calls a function of slaclock.h that gives a text through its last argument before the error.
template <class... Parameters, class... Arguments>
std::string text_of(slaclock_status (*function)(Parameters...), Arguments... arguments) {
    slaclock_text* text = nullptr;
    call(function, arguments..., &text);
    return take(text);
}

/// Why something is as it is: sentences for people, and the same as JSON.
struct Explanation {
    std::string text;
    std::string json;
};

/// Calls a function of slaclock.h that gives an explanation through its last two arguments before the error.
template <class... Parameters, class... Arguments>
Explanation explanation_of(slaclock_status (*function)(Parameters...), Arguments... arguments) {
    slaclock_text *text = nullptr, *json = nullptr;
    call(function, arguments..., &text, &json);
    const Handle<slaclock_text, slaclock_text_free> later(json);  // in case the first copy finds no memory
    std::string first = take(text);
    return {std::move(first), {slaclock_text_data(json), slaclock_text_len(json)}};
}

/// The library's version, like `0.1.0`; that of the headers is `SLACLOCK_VERSION`.
inline const char* version() noexcept { return slaclock_version(); }

/// The number of the library's interface; that of the headers is `SLACLOCK_ABI_VERSION`.
inline std::int32_t abi_version() noexcept { return slaclock_abi_version(); }

/// The version of the bundled time zone data, like `2026e`.
inline std::string tzdb_version() { return text_of(slaclock_tzdb_version); }

/// Sets the callback for log messages of the whole process; nullptr for none. It must not throw.
inline void set_log(slaclock_log_fn callback, void* user = nullptr) { call(slaclock_set_log, callback, user); }

}  // namespace slaclock

#endif  // SLACLOCK_HANDLE_HPP
