#include "suggest.hpp"

#include <algorithm>
#include <cstddef>

namespace app {
namespace {

/// Letters to insert, remove, replace or exchange with the next one (Damerau and Levenshtein, each place once).
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) {
        for (std::size_t j = 0; j <= b.size(); ++j) {
            if (i == 0 || j == 0) {
                d[i][j] = i + j;
                continue;
            }
            const bool same = a[i - 1] == b[j - 1] || (a[i - 1] == '-' && b[j - 1] == '_');
            d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (same ? 0u : 1u)});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
            }
        }
    }
    return d[a.size()][b.size()];
}

} // namespace

std::string nearest_name(std::string_view word, const std::vector<std::string>& names) {
    std::string nearest;
    std::size_t least = std::max<std::size_t>(1, word.size() / 3) + 1;
    for (const std::string& name : names) {
        const bool beginning = word.size() >= 3 && name.starts_with(word); // an abbreviation
        const std::size_t d = beginning ? 1 : distance(word, name);
        if (d < least) {
            least = d;
            nearest = name;
        }
    }
    return word.empty() ? std::string{} : nearest;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& names) {
    const std::string nearest = nearest_name(word, names);
    return nearest.empty() ? std::string{} : "; did you mean " + nearest + "?";
}

} // namespace app
