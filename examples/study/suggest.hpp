#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace app {

/// The name that a misspelt word was meant to be, if one is near enough: with a letter in three other, missing, too much, or
/// two exchanged. Empty when none is.
std::string nearest_name(std::string_view word, const std::vector<std::string>& names);
/// "; did you mean top_p?", or nothing.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& names);

} // namespace app
