#pragma once

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <string>

namespace study_test {

using json = nlohmann::json;

/// What was printed or written, which has to be JSON.
inline json parsed(const std::string& text) {
    json j = json::parse(text, nullptr, false);
    REQUIRE(!j.is_discarded());
    return j;
}

/// The same without how it was made, which is another in each run; of several models, of each.
inline json figures_of(const std::string& text) {
    json j = parsed(text);
    if (j.is_object()) {
        j.erase("provenance");
    }
    for (std::size_t i = 0; j.is_array() && i < j.size(); ++i) {
        j[i].erase("provenance");
    }
    return j;
}

} // namespace study_test
