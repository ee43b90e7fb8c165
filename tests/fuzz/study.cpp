// What needs the study itself: the rows that a sweep goes on from, the tables that laws are fitted to, options.

#include "fuzz/target.hpp"
#include "program/support_study.hpp"

#include "measure/laws.hpp"
#include "measure/row_store.hpp"
#include "settings.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#if __has_include(<unistd.h>)
#include <unistd.h>
#endif

namespace {

/// In memory where that can be had: a file an input.
std::filesystem::path own_path() {
    std::filesystem::path folder{"/dev/shm"};
    if (!std::filesystem::is_directory(folder)) {
        folder = std::filesystem::temp_directory_path();
    }
#if __has_include(<unistd.h>)
    return folder / ("tamis_fuzz_rows." + std::to_string(getpid()));
#else
    return folder / "tamis_fuzz_rows";
#endif
}

std::string content_of(const std::filesystem::path& path) {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

} // namespace

void fuzz::resumed_rows(input in) {
    static const study_test::little_study little{app::activation::silu, 3};
    static const std::filesystem::path path = own_path();
    const std::string before = in.text();
    std::ofstream{path, std::ios::binary} << before;
    try {
        const app::row_store store{path, "text=0123", true};
        app::measurement m{little.s};
        const std::string label = app::row_store::label_of(little.at("input", "top_p", 0.5));
        const std::size_t rows = store.found();
        if (store.find(label, m)) {
            (void)m.masks.mask_sparsity();
            (void)app::why_none(m, little.s.layers());
        }
        store.add("a\tb\tc", m); // and can be read again
        const app::row_store again{path, "text=0123", true};
        need(again.has("a\tb\tc") && again.found() >= rows && again.damaged() == 0,
             "rows are lost, or added behind what is damaged");
    } catch (const app::error& e) {
        need(std::string{e.what()}.find(path.string()) == 0, "an error that does not name the file");
        need(content_of(path) == before, "a file that is refused was changed");
    }
    std::filesystem::remove(path);
}

void fuzz::law_rows(input in) {
    const app::source from{"FILE", std::as_bytes(in.rest())};
    try {
        for (const app::law_row& r : app::read_law_rows(from)) {
            need(r.tokens >= 1 && !(r.activation_ratio > 1), "a point that no law has");
        }
    } catch (const app::error& e) {
        need(std::string{e.what()}.find("FILE") == 0, "an error that does not name the file");
    }
    try {
        need(!app::read_checkpoint_rows(from).empty(), "no checkpoint");
    } catch (const app::error& e) {
        need(std::string{e.what()}.find("FILE") == 0, "an error that does not name the file");
    }
}

void fuzz::settings(input in) {
    const auto which = in.take<std::uint8_t>();
    const std::string text = in.text();
    try {
        app::remarks notes;
        switch (which % 5) {
            case 0: need(!app::parse_sites(text, &notes).empty() || text.empty(), "no site"); return;
            case 1: {
                const auto& rule = app::parse_rule("top_p");
                for (const auto& v : app::parse_values(text, rule, "--values", &notes)) {
                    need(v.number >= 0 && v.number <= 1, "a p outside its domain");
                }
                return;
            }
            case 2: need(app::parse_count(text, "--threads", 1000) <= 1000, "a count"); return;
            case 3: {
                const auto range = app::story_range::parse(text, 75, "FILE");
                need(range.first < range.last && range.last <= 75, "a range");
                return;
            }
            default: need(app::parse_positive(text, "--x") > 0, "a number above 0"); return;
        }
    } catch (const app::error&) { // a sentence
    }
}
