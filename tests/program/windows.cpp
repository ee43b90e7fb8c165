#include "input/text.hpp"

#include "support_study.hpp"
#include "support_weights.hpp"

#include "measure/cett.hpp"
#include "measure/observe.hpp"
#include "measure/precision.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace study_test;
using app::story;
using app::token;
using app::windowing;

namespace {

/// Tokens that are their own places.
std::vector<token> counted(std::size_t size) {
    std::vector<token> tokens(size);
    std::iota(tokens.begin(), tokens.end(), 0);
    return tokens;
}
std::vector<story> windows_over(std::size_t size, std::size_t seq_len, windowing how) {
    std::vector<story> windows;
    app::text_use use;
    app::add_windows(counted(size), seq_len, how, windows, use);
    return windows;
}

/// The loss of one long text as it is measured everywhere: windows that begin every `stride` tokens, each reading seq_len
/// tokens at most, of which those count that no window before it had.
struct plain_loss {
    double nats = 0;
    std::size_t predictions = 0;
};
plain_loss plain_windows(const little_study& little, const std::vector<token>& tokens, std::size_t seq_len,
                         std::size_t stride) {
    app::runner model{little.s.model, little.s.sigma};
    app::study::no_hook nothing;
    plain_loss sum;
    std::size_t end_before = 1; // the first token is given
    for (std::size_t begin = 0;; begin += stride) {
        const std::size_t end = std::min(begin + seq_len, tokens.size());
        const app::matrix& logits = model.logits(std::span{tokens}.subspan(begin, end - begin - 1), nothing);
        for (std::size_t target = std::max(end_before, begin + 1); target < end; ++target) {
            const auto row = static_cast<Eigen::Index>(target - 1 - begin);
            double all = 0;
            for (Eigen::Index v = 0; v < logits.cols(); ++v) {
                all += std::exp(static_cast<double>(logits(row, v)));
            }
            sum.nats += std::log(all) - static_cast<double>(logits(row, tokens[target]));
            ++sum.predictions;
        }
        end_before = end;
        if (end == tokens.size()) {
            return sum;
        }
    }
}

std::vector<token> long_story(std::size_t size) {
    std::vector<token> tokens{1};
    std::mt19937 random{11};
    while (tokens.size() < size) {
        tokens.push_back(static_cast<token>(259 + random() % pieces().size()));
    }
    return tokens;
}

/// Which tokens an observer was shown, at one site of one layer.
struct shown_values {
    std::vector<float> first;
    void operator()(std::size_t layer, const tamis::sighting& s) {
        if (layer == 0 && s.where == tamis::site::input) {
            first.push_back(s.values[0]);
        }
    }
    void merge(const shown_values& other) {
        first.insert(first.end(), other.first.begin(), other.first.end());
    }
    template <class Archive>
    void state(Archive& a) {
        a(first);
    }
};

} // namespace

TEST_CASE("every token but a story's first is predicted once, whatever its length and the stride") {
    for (const std::size_t seq_len : {2u, 3u, 5u, 8u}) {
        for (std::size_t size = 1; size < 40; ++size) {
            std::vector<windowing> all{{windowing::disjoint, 0}};
            for (std::size_t stride = 1; stride < seq_len; ++stride) {
                all.push_back({windowing::sliding, stride});
            }
            for (const windowing how : all) {
                CAPTURE(seq_len);
                CAPTURE(size);
                CAPTURE(how.stride);
                std::vector<std::size_t> times(size);
                const auto windows = windows_over(size, seq_len, how);
                for (std::size_t w = 0; w < windows.size(); ++w) {
                    const story& window = windows[w];
                    REQUIRE(window.size() <= seq_len);
                    REQUIRE(window.first_scored >= 1);
                    CHECK(window.begin_in_story ==
                          w * (how.how == windowing::disjoint ? seq_len - 1 : how.stride));
                    CHECK(window.predictions() ==
                          (window.size() - std::min(window.size(), window.first_scored)));
                    CHECK(window.predictions() <=
                          (w == 0 || how.how == windowing::disjoint ? seq_len - 1 : how.stride));
                    for (std::size_t t = window.first_scored; t < window.size(); ++t) {
                        ++times[static_cast<std::size_t>(window[t])];
                        CHECK(window[t - 1] == window[t] - 1);
                    }
                }
                CHECK(times[0] == 0);
                CHECK(std::all_of(times.begin() + 1, times.end(), [](std::size_t n) { return n == 1; }));
                CHECK((size == 1 || windows.back().predictions() > 0)); // none that counts nothing
            }
        }
    }
}

TEST_CASE("without windows a story is cut, and it is known how much of it") {
    std::vector<story> blocks;
    app::text_use use;
    for (const std::size_t size : {3u, 12u, 5u}) {
        app::add_windows(counted(size), 5, {}, blocks, use);
    }
    CHECK(blocks.size() == 3);
    CHECK(blocks[1] == counted(5));
    CHECK(blocks[2].number == 2);
    CHECK(use.stories == 3);
    CHECK(use.cut == 1);
    CHECK(use.tokens == 20);
    CHECK(use.used == 13);
}

TEST_CASE("a stride is less than the model's context") {
    CHECK(windowing::parse("disjoint").how == windowing::disjoint);
    CHECK(windowing::parse("128").stride == 128);
    for (const char* text :
         {"", "0", "-1", "+3", "1.5", "nan", "1e2", "4 ", "99999999999999999999", "Disjoint", "all"}) {
        CHECK(has(error_of([&] { windowing::parse(text); }),
                  std::string{"--windows \""} + text + "\": chunks or disjoint is needed"));
    }
    CHECK(windowing{windowing::disjoint, 0}.stride_for(64) == 63);
    CHECK(windowing{windowing::sliding, 63}.stride_for(64) == 63);
    CHECK(has(error_of([] {
                  windowing{windowing::sliding, 64}.stride_for(64);
              }),
              "--windows 64: a stride from 1 to 63 is needed"));
    CHECK(has(error_of([] { windowing{windowing::disjoint, 0}.stride_for(1); }), "--windows disjoint"));
}

TEST_CASE("losses over windows are those of a plain loop") {
    little_study little;
    const auto tokens = long_story(300);
    for (const std::size_t stride : {1u, 16u, 40u, 63u, 0u}) { // 0: disjoint
        CAPTURE(stride);
        const windowing how{stride == 0 ? windowing::disjoint : windowing::sliding, stride};
        little.s.stories.clear();
        app::text_use use;
        app::add_windows(tokens, 64, how, little.s.stories, use);
        CHECK(use.used == 300);
        const plain_loss expected = plain_windows(little, tokens, 64, stride == 0 ? 63 : stride);
        CHECK(expected.predictions == 299);
        CHECK(little.s.predictions() == 299);
        const auto row = little.run(little.dense(), 2);
        CHECK(row.text.predictions() == 299);
        CHECK(row.text.nll() == doctest::Approx(expected.nats / 299).epsilon(1e-5));
    }
}

TEST_CASE("masks and observers count a token once, where its prediction counts") {
    little_study little;
    const auto tokens = long_story(150);
    little.s.stories.clear();
    app::text_use use;
    app::add_windows(tokens, 64, {windowing::sliding, 20}, little.s.stories, use);
    const auto seen =
        app::observe(little.s, little.s.stories, little.dense(), shown_values{}, 1, ignore_progress);
    std::vector<float> expected;
    for (const story& window : little.s.stories) {
        app::condition c = little.dense();
        shown_values all;
        app::runner model{little.s.model, little.s.sigma};
        c.apply({}, all, [&](app::study::hook_ref hook) {
            model.logits(std::span<const token>{window}.first(window.size() - 1), hook);
        });
        expected.insert(expected.end(),
                        all.first.begin() + static_cast<std::ptrdiff_t>(window.first_scored - 1),
                        all.first.end());
    }
    CHECK(expected.size() == 149);
    CHECK(seen.first == expected);

    // Of a mask's entries, too: the share that top-k drops is the same, and so are the tokens it counted.
    const auto row = little.run(little.at("gate", "threshold", 0.05));
    const auto words = words_of(row);
    CHECK(std::find(words.begin(), words.end(), 149 * 40) != words.end());
}

TEST_CASE("what rounding loses is counted once, where its prediction counts") {
    little_study little;
    bytes file = make_checkpoint();
    fill_weights(file, "w_up", 1, 40000.0f); // cut by e4m3, infinite in f16
    little.s.model = app::load_checkpoint(file.as("m"));
    little.s.stories.clear();
    app::text_use use;
    app::add_windows(long_story(150), 64, {windowing::sliding, 20}, little.s.stories, use);
    const auto rounded_to = [&](const app::study::any_rounding& r) {
        return little.run(app::rounded_condition(little.dense(), r, {tamis::site::up}), 2);
    };
    const auto row = rounded_to(app::study::to_e4m3{});
    CHECK(row.masks.rounding.values == 149 * 40 * 2);
    CHECK(row.masks.rounding.saturated > 0);
    CHECK(row.masks.rounding.saturated <= 149 * 40);
    CHECK(row.text.lost() == 0);
    const auto lost = rounded_to(app::study::to_f16{});
    CHECK(lost.masks.rounding.values == 149 * 40 * 2);
    CHECK(lost.text.lost() > 0);
    CHECK(lost.text.predictions() == 149);
    CHECK(tamis::is_nan(lost.text.nll()));
}
