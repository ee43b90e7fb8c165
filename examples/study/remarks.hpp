#pragma once

#include "error.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace app {

/// What whoever reads the figures has to know about what they were made from: a sentence each, the same one once. The
/// inputs, the options and the measurements add theirs; they are printed on stderr as "tamis-study: note: ..." and stand in
/// report.md and report.json under notes. What would make the figures wrong is an error instead.
class remarks {
  public:
    template <class... Parts>
    void add(const Parts&... parts) {
        std::string sentence = line(parts...);
        std::replace(sentence.begin(), sentence.end(), '\n', ' '); // of a file's name: a note is a line
        if (std::find(all_.begin(), all_.end(), sentence) == all_.end()) {
            all_.push_back(std::move(sentence));
        }
    }
    void merge(const remarks& others) {
        for (const std::string& sentence : others.all_) {
            add(sentence);
        }
    }
    const std::vector<std::string>& all() const { return all_; }

  private:
    std::vector<std::string> all_;
};

} // namespace app
