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

} // namespace study_test
