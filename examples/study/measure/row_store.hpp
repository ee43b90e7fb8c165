#pragma once

#include "error.hpp"
#include "input/hash.hpp"
#include "lists.hpp"
#include "measure/against_dense.hpp"
#include "measure/measure.hpp"
#include "output/files.hpp"

#include <tamis/study/state.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace app {

/// The rows of a sweep in a file, each on the disk before anyone is told that it is complete, so that a run which was stopped
/// can go on. Nothing that is kept is dropped unasked: rows of another model or text are refused, and so is a file with rows
/// when the run is not to resume; a line that was cut off or damaged is measured again. Without a path nothing is kept.
class row_store {
  public:
    row_store() = default;
    /// `fingerprint` is of all that a row depends on but its condition, as name=value name=value, so that an error can say
    /// what differs. `resume` false: the file must not have rows.
    row_store(std::filesystem::path path, const std::string& fingerprint, bool resume)
        : path_{std::move(path)}, head_{std::string{format} + ' ' + fingerprint} {
        const bool as_it_should_be = read(fingerprint);
        if (!resume && !rows_.empty()) {
            throw error(
                path_.string(), ": ", rows_.size(),
                " rows of a run that was stopped: --resume goes on with them; without it delete the file "
                "or choose another --out");
        }
        found_ = rows_.size();
        if (!as_it_should_be) { // there is none yet, or what was cut off has to go
            std::string whole = head_ + '\n';
            for (const auto& [label, words] : rows_) {
                whole += line_of(label, words);
            }
            write_file(path_, whole);
        }
    }

    bool has(const std::string& label) const { return rows_.contains(label); }
    /// Fills a measurement of this label from the file; false when there is none.
    bool find(const std::string& label, measurement& m) const {
        const auto found = rows_.find(label);
        if (found == rows_.end()) {
            return false;
        }
        asked_.insert(label);
        try {
            study::from_words(m, found->second);
        } catch (const std::invalid_argument&) {
            return false; // a damaged line: measured again
        }
        return true;
    }
    /// Behind this the row is on the disk. When it can not be, the file is as before.
    void add(const std::string& label, const measurement& m) const {
        if (path_.empty()) {
            return;
        }
        std::error_code code;
        const auto before = std::filesystem::file_size(path_, code);
        try {
            open_file out{path_, "ab", path_};
            out.write(line_of(label, study::to_words(m)));
            out.close();
        } catch (const error&) {
            if (!code) {
                std::filesystem::resize_file(path_, before, code);
            }
            throw;
        }
        ++added_;
        if (on_added) {
            on_added();
        }
    }
    /// All is measured: nothing has to be resumed.
    void remove() const {
        std::error_code ignored;
        std::filesystem::remove(path_, ignored);
    }
    /// The same, unless there are rows that find() was not asked for: the file stays, and how many they are is returned.
    std::size_t finish() const {
        const std::size_t others = found_ - asked_.size();
        if (others == 0) {
            remove();
        }
        return others;
    }

    const std::filesystem::path& path() const { return path_; }
    /// Rows that were there; lines that were cut off or damaged; rows that there are now.
    std::size_t found() const { return found_; }
    std::size_t damaged() const { return damaged_; }
    std::size_t kept() const { return found_ + added_; }
    /// Called behind each row that was added.
    std::function<void()> on_added;

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
    /// The rows of the file; whether it is one that lines can be added to. Refuses the file of another run.
    bool read(const std::string& fingerprint) {
        std::string content;
        if (std::error_code code; std::filesystem::exists(path_, code)) {
            std::ifstream in{path_, std::ios::binary};
            content.assign(std::istreambuf_iterator<char>{in}, {});
            if (!in) {
                throw error(path_.string(), ": cannot be read");
            }
        }
        const std::size_t end = content.find('\n');
        if (end == std::string::npos) {
            return false; // not even its first line was written
        }
        if (const std::string head = content.substr(0, end); head != head_) {
            const bool known = head.starts_with(std::string{format} + ' ');
            throw error(path_.string(),
                        known ? ": its rows were measured with another "
                              : ": not rows that this version reads",
                        known ? differences(head.substr(std::strlen(format) + 1), fingerprint) : "",
                        "; choose another --out, or delete the file");
        }
        for (const std::string& row : split_list(std::string_view{content}.substr(end + 1), '\n')) {
            damaged_ += row.empty() || read_row(row) ? 0u : 1u;
        }
        return damaged_ == 0 && content.ends_with('\n');
    }
    /// False for a damaged line, whose row is to be measured again.
    bool read_row(const std::string& row) {
        const auto fields = split_list(row, '\t');
        if (fields.size() != 4 || !fields[3].ends_with(" .")) {
            return false;
        }
        std::istringstream numbers{fields[3].substr(0, fields[3].size() - 1)};
        std::vector<std::uint64_t> words;
        for (std::uint64_t w; numbers >> std::hex >> w;) {
            words.push_back(w);
        }
        if (words.empty()) {
            return false;
        }
        const std::uint64_t written = words.back();
        words.pop_back();
        const std::string label = fields[0] + '\t' + fields[1] + '\t' + fields[2];
        if (checksum(label, words) != written) {
            return false;
        }
        rows_[label] = std::move(words);
        return true;
    }
    /// "text, tasks": the names in two fingerprints whose values are not the same.
    static std::string differences(const std::string& there, const std::string& here) {
        const auto ours = split_list(here, ' ');
        const auto theirs = split_list(there, ' ');
        std::string names;
        for (const std::string& one : ours) {
            if (std::find(theirs.begin(), theirs.end(), one) == theirs.end()) {
                names.append(names.empty() ? "" : ", ").append(one.substr(0, one.find('=')));
            }
        }
        return names;
    }

    static constexpr const char* format = "tamis-study rows 5";

    std::filesystem::path path_;
    std::string head_;
    std::map<std::string, std::vector<std::uint64_t>> rows_;
    std::size_t found_ = 0, damaged_ = 0;
    // of this run, which reads and adds to a file that is the same all the while
    mutable std::set<std::string> asked_;
    mutable std::size_t added_ = 0;
};

/// The dense model's predictions on a subject's text, computed when they are first wanted.
class dense_once {
  public:
    dense_once(const subject& s, std::size_t threads) : s_{&s}, threads_{threads} {}
    const dense_predictions* get(const progress_report& report) {
        if (!found_) {
            found_ = dense_predictions_of(*s_, threads_, report);
        }
        return found_.get();
    }

  private:
    const subject* s_;
    std::size_t threads_;
    std::shared_ptr<const dense_predictions> found_;
};

/// measure(), without the rows that the store has; the others are added to it one by one. `compared`: with the dense model, whose
/// predictions are computed if a row is missing. `text` goes before the rows' labels in the store, where it has rows of several.
inline std::vector<measurement> measure_missing(const subject& s, const std::vector<condition>& conditions,
                                                const row_store& store, std::size_t threads,
                                                const progress_report& report, bool with_tasks = true,
                                                dense_once* compared = nullptr,
                                                const std::string& text = {}) {
    std::vector<measurement> rows(conditions.size(), measurement{s});
    std::vector<condition> missing;
    std::vector<std::size_t> place;
    for (std::size_t i = 0; i < conditions.size(); ++i) {
        if (!store.find(text + row_store::label_of(conditions[i]), rows[i])) {
            missing.push_back(conditions[i]);
            place.push_back(i);
        }
    }
    if (missing.empty()) {
        return rows;
    }
    const auto measured = measure(
        s, missing, threads, report,
        [&](std::size_t row, const measurement& m) {
            store.add(text + row_store::label_of(missing[row]), m);
        },
        with_tasks, compared != nullptr ? compared->get(report) : nullptr);
    for (std::size_t i = 0; i < missing.size(); ++i) {
        rows[place[i]] = measured[i];
    }
    return rows;
}

} // namespace app
