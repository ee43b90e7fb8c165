#pragma once

#include "error.hpp"
#include "input/hash.hpp"
#include "lists.hpp"
#include "measure/measure.hpp"

#include <tamis/study/state.hpp>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace app {

/// The rows of a sweep in a file, each written as soon as it is complete, so that a run which was stopped can go on. A row
/// belongs to a fingerprint of all that it depends on; those of another model, text or version are left out, and so is a
/// last line that was cut off. Without a path nothing is kept.
class row_store {
  public:
    row_store() = default;
    /// `resume` false: begins afresh.
    row_store(std::filesystem::path path, std::string fingerprint, bool resume)
        : path_{std::move(path)}, head_{"tamis-study rows 2 " + std::move(fingerprint)} {
        if (resume) {
            read();
        }
        std::ofstream out{path_, std::ios::binary}; // also leaves out what was cut off
        out << head_ << '\n';
        for (const auto& [label, words] : rows_) {
            out << line_of(label, words);
        }
        if (!out.flush()) {
            throw error(path_.string(), ": cannot be written");
        }
    }

    /// Fills a measurement of this label from the file; false when there is none.
    bool find(const std::string& label, measurement& m) const {
        const auto found = rows_.find(label);
        if (found == rows_.end()) {
            return false;
        }
        try {
            study::from_words(m, found->second);
        } catch (const std::invalid_argument&) {
            return false; // a damaged line: measured again
        }
        return true;
    }
    void add(const std::string& label, const measurement& m) const {
        if (path_.empty()) {
            return;
        }
        std::ofstream out{path_, std::ios::binary | std::ios::app};
        if (!(out << line_of(label, study::to_words(m))).flush()) {
            throw error(path_.string(), ": cannot be written");
        }
    }
    /// All is measured: nothing has to be resumed.
    void remove() const {
        std::error_code ignored;
        std::filesystem::remove(path_, ignored);
    }

    static std::string label_of(const condition& c) { return c.site + '\t' + c.rule + '\t' + c.value; }

  private:
    static std::string line_of(const std::string& label, const std::vector<std::uint64_t>& words) {
        std::ostringstream text;
        text << label << '\t' << std::hex;
        for (const std::uint64_t w : words) {
            text << w << ' ';
        }
        text << checksum(label, words) << " .\n"; // a line without its end was cut off
        return text.str();
    }
    /// Of the label, too: a row must not pass for another's.
    static std::uint64_t checksum(const std::string& label, const std::vector<std::uint64_t>& words) {
        fingerprint all;
        all.add(label);
        for (const std::uint64_t w : words) {
            all.add(w);
        }
        return all.value();
    }
    void read() {
        std::ifstream in{path_, std::ios::binary};
        std::string row;
        if (!std::getline(in, row) || row != head_) {
            return;
        }
        while (std::getline(in, row)) {
            const auto fields = split_list(row, '\t');
            if (fields.size() != 4 || !fields[3].ends_with(" .")) {
                continue;
            }
            std::istringstream numbers{fields[3].substr(0, fields[3].size() - 1)};
            std::vector<std::uint64_t> words;
            for (std::uint64_t w; numbers >> std::hex >> w;) {
                words.push_back(w);
            }
            if (words.empty()) {
                continue;
            }
            const std::uint64_t written = words.back();
            words.pop_back();
            const std::string label = fields[0] + '\t' + fields[1] + '\t' + fields[2];
            if (checksum(label, words) == written) { // or a damaged line, to be measured again
                rows_[label] = words;
            }
        }
    }

    std::filesystem::path path_;
    std::string head_;
    std::map<std::string, std::vector<std::uint64_t>> rows_;
};

/// measure(), without the rows that the store has; the others are added to it one by one.
inline std::vector<measurement> measure_missing(const subject& s, const std::vector<condition>& conditions,
                                                const row_store& store, std::size_t threads,
                                                const progress_report& report, bool with_tasks = true) {
    std::vector<measurement> rows(conditions.size(), measurement{s});
    std::vector<condition> missing;
    std::vector<std::size_t> place;
    for (std::size_t i = 0; i < conditions.size(); ++i) {
        if (!store.find(row_store::label_of(conditions[i]), rows[i])) {
            missing.push_back(conditions[i]);
            place.push_back(i);
        }
    }
    const auto measured = measure(
        s, missing, threads, report,
        [&](std::size_t row, const measurement& m) { store.add(row_store::label_of(missing[row]), m); },
        with_tasks);
    for (std::size_t i = 0; i < missing.size(); ++i) {
        rows[place[i]] = measured[i];
    }
    return rows;
}

} // namespace app
