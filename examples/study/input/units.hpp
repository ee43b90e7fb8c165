#pragma once

#include "input/windows.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

namespace app {

/// What could have been another: a story, or a block of one that is read in windows. Figures' intervals come from drawing
/// units again (tamis/study/bootstrap.hpp), and per_story.csv has a row for each.
struct text_unit {
    std::size_t story = 0, first_token = 0; ///< of the story
    std::size_t predictions = 0;
};

struct text_units {
    static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

    std::vector<text_unit> all;
    std::vector<std::size_t>
        of_window; ///< of each of the subject's stories or windows; none: it predicts nothing
    std::vector<std::size_t>
        in_window;       ///< how many units a window has, from of_window on: chunks have several
    bool blocks = false; ///< the units are blocks of stories, not stories
};

/// The units of a text: its stories, where there are `enough`; otherwise blocks of neighbouring windows of a story, with so many
/// predictions at least, that tokens which share a context stay together. Chunks, which are few and long, are cut into such blocks.
inline text_units units_of(const std::vector<story>& windows) {
    constexpr std::size_t enough = 20, block_predictions = 128;
    text_units units;
    std::size_t stories = 0, before = text_units::none;
    for (const story& w : windows) {
        stories += w.number != before ? 1 : 0;
        before = w.number;
    }
    units.blocks = stories < enough && windows.size() > stories;
    for (const story& w : windows) {
        if (w.predictions() == 0) {
            units.of_window.push_back(text_units::none);
            units.in_window.push_back(0);
            continue;
        }
        if (w.chunk) {
            const std::size_t parts = std::max<std::size_t>(1, w.predictions() / block_predictions);
            units.of_window.push_back(units.all.size());
            units.in_window.push_back(parts);
            for (std::size_t k = 0; k < parts; ++k) {
                const std::size_t begin = k * w.predictions() / parts,
                                  end = (k + 1) * w.predictions() / parts;
                units.all.push_back({w.number, w.begin_in_story + w.first_seen() + begin, end - begin});
            }
            units.blocks = true;
            continue;
        }
        const bool goes_on = !units.all.empty() && units.all.back().story == w.number &&
                             (!units.blocks || units.all.back().predictions < block_predictions);
        if (!goes_on) {
            units.all.push_back({w.number, w.begin_in_story + w.first_seen(), 0});
        }
        units.all.back().predictions += w.predictions();
        units.of_window.push_back(units.all.size() - 1);
        units.in_window.push_back(1);
    }
    return units;
}

} // namespace app
