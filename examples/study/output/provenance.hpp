#pragma once

#include <string>
#include <utility>
#include <vector>

namespace app {

/// How results came into being, as names and values in their order: the command line, the version, hashes of what was read,
/// what was left to defaults, the date, the machine. Every file has it: JSON as an object, others as comments; CSV, which has
/// none, in provenance.json beside it.
class provenance {
  public:
    void add(std::string name, std::string value) {
        if (!value.empty()) {
            facts_.emplace_back(std::move(name), std::move(value));
        }
    }
    bool empty() const { return facts_.empty(); }
    const std::vector<std::pair<std::string, std::string>>& facts() const { return facts_; }
    std::string value(const std::string& name) const {
        for (const auto& [known, v] : facts_) {
            if (known == name) {
                return v;
            }
        }
        return {};
    }
    /// A line a fact, behind `begin`.
    std::string comment(const std::string& begin) const {
        std::string text;
        for (const auto& [name, v] : facts_) {
            std::string fact = begin + name + ": " + v;
            for (char& c : fact) {
                c = c == '\n' || c == '\r' ? ' ' : c;
            }
            text += fact + "\n";
        }
        return text;
    }

  private:
    std::vector<std::pair<std::string, std::string>> facts_;
};

} // namespace app
