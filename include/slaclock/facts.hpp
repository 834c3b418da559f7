// Facts: what rules match on, by name.
#ifndef SLACLOCK_FACTS_HPP
#define SLACLOCK_FACTS_HPP

#include <initializer_list>
#include <string_view>
#include <utility>

#include "handle.hpp"

namespace slaclock {

/// Facts by name: `customer`, `priority`, `category`, `channel` or an attribute of the CRM's own. `{}` stands for none.
class Facts : public Handle<slaclock_facts, slaclock_facts_free> {
public:
    using Handle::Handle;

    /// No facts.
    Facts() noexcept : Handle(nullptr) {}

    /// These: `{{"priority", "high"}, {"customer", "acme"}}`.
    Facts(std::initializer_list<std::pair<std::string_view, std::string_view>> facts) : Facts() {
        for (const auto& [name, value] : facts) set(name, value);
    }

    /// From a JSON object of texts.
    static Facts from_json(std::string_view json) {
        slaclock_facts* facts = nullptr;
        call(slaclock_facts_from_json, json.data(), json.size(), &facts);
        return Facts(facts);
    }

    /// Sets or replaces one.
    Facts& set(std::string_view name, std::string_view value) {
        if (!*this) {
            slaclock_facts* facts = nullptr;
            call(slaclock_facts_new, &facts);
            *this = Facts(facts);
        }
        // A value may be empty, which is not the same as none.
        const char* given = value.data() == nullptr ? "" : value.data();
        call(slaclock_facts_set, get(), name.data(), name.size(), given, value.size());
        return *this;
    }
};

}  // namespace slaclock

#endif  // SLACLOCK_FACTS_HPP
