#pragma once

#include "commands/results.hpp"
#include "error.hpp"
#include "measure/row_store.hpp"
#include "output/stop_notice.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace app {

/// The rows of a run in its folder: a run that was stopped goes on with --resume, whichever command it is. Rows depend on nothing but
/// model, text, tasks and their condition, so that `critical` takes those of a sweep.
class kept_rows {
  public:
    static constexpr const char* option = "--resume";
    static constexpr const char* option_help = "go on with the rows that a stopped run left in --out";

    /// `resume` without a folder is an error.
    kept_rows(const common_options& o, bool resume) : o_{&o}, resume_{resume} {
        if (resume && !o.out) {
            throw error("--resume needs --out, the folder of the run that was stopped");
        }
    }
    /// Opens the rows of a subject. `also`: " name=value" of what else they depend on. With --resume it says how many of `wanted` are
    /// there (of none wanted: how many there are).
    void open(const subject& s, const std::string& also, const std::vector<condition>& wanted);
    const row_store& rows() const { return store_; }

    /// Calls work(); when it ends early, by an error or by a signal, the last line says that rows are kept.
    template <class Work>
    auto keeping(Work&& work) {
        stop_notice notice;
        store_.on_added = [&] { notice.set("tamis-study: stopped; " + way_on()); };
        if (store_.kept() != 0) {
            store_.on_added();
        }
        try {
            auto result = work();
            store_.on_added = {};
            return result;
        } catch (const error& e) {
            if (store_.kept() == 0) {
                throw;
            }
            throw error(e.what(), "; ", way_on());
        }
    }
    /// All is measured and written.
    void finish();

  private:
    /// A line for people, out of the way of what programs read.
    void say(const std::string& text) const;
    void say_resumed(const std::vector<condition>& wanted) const;
    std::string way_on() const;

    const common_options* o_;
    bool resume_;
    row_store store_;
};

} // namespace app
