#include <tamis/study/meter/effective_rank.hpp>

#include "study/support.hpp"
#include "support/message.hpp"
#include "support/plain_svd.hpp"

#include <doctest/doctest.h>

using tamis::site;
using tamis::study::effective_rank_meter;

static_assert(tamis::study::meter<effective_rank_meter> && tamis::study::has_state<effective_rank_meter>);

namespace {

owned_sighting rank_of_shown(std::vector<float> values, std::size_t token = 0) {
    return {site::input, std::move(values), {}, false, token};
}

std::vector<owned_sighting> random_tokens(std::size_t features, std::size_t tokens, shape s,
                                          std::uint64_t seed) {
    engine random{seed};
    std::vector<owned_sighting> all;
    for (std::size_t t = 0; t < tokens; ++t) {
        all.push_back(rank_of_shown(generate<float>(s, features, random), t));
    }
    return all;
}

/// By the singular values of the matrix itself.
double plain_rank(std::span<const owned_sighting> tokens) {
    std::vector<plain_svd::column> columns;
    for (const owned_sighting& token : tokens) {
        columns.emplace_back(token.values.begin(), token.values.end());
    }
    const std::vector<double> values = plain_svd{std::move(columns)}.values;
    const double all = std::accumulate(values.begin(), values.end(), 0.0);
    double entropy = 0;
    for (const double value : values) {
        const double p = value / all;
        entropy -= p > 1e-9 ? p * std::log(p) : 0;
    }
    return std::exp(entropy);
}

} // namespace

TEST_CASE("effective rank: as many as there are equal directions") {
    effective_rank_meter m{site::input};
    CHECK(m.effective_rank() == 0);
    CHECK(m.singular_values().empty());
    m(rank_of_shown({0, 0, 0, 0}));
    CHECK(m.effective_rank() == 0);
    m(rank_of_shown({2, 0, 0, 0}));
    CHECK(m.effective_rank() == doctest::Approx(1).epsilon(1e-12));
    m(rank_of_shown({0, 0, -2, 0}));
    CHECK(m.effective_rank() == doctest::Approx(2).epsilon(1e-12));
    m(rank_of_shown({0, 0, 0, 2}));
    CHECK(m.effective_rank() == doctest::Approx(3).epsilon(1e-12));
    const auto values = m.singular_values();
    REQUIRE(values.size() == 4);
    CHECK(values[0] == doctest::Approx(2).epsilon(1e-12));
    CHECK(values[2] == doctest::Approx(2).epsilon(1e-12));
    CHECK(values[3] == 0);
    m(owned_sighting{site::up, {1, 2}, {}, false, 0});
    CHECK(m.tokens() == 4);
    CHECK(m.features() == 4);
}

TEST_CASE("effective rank: p is the share of the singular values, not of their squares") {
    effective_rank_meter m{site::input};
    m(rank_of_shown({3, 0}));
    m(rank_of_shown({0, 1}));
    CHECK(m.effective_rank() ==
          doctest::Approx(std::exp(-0.75 * std::log(0.75) - 0.25 * std::log(0.25))).epsilon(1e-12));
}

TEST_CASE("effective rank: against the singular values of tokens x features") {
    using size = std::pair<std::size_t, std::size_t>; // features, tokens
    for (const size& n : {size{5, 40}, size{12, 12}, size{30, 9}, size{2, 9}}) {
        for (const shape s : {shape::normal, shape::heavy_tailed, shape::relu}) {
            CAPTURE(n.first);
            CAPTURE(name_of(s));
            const auto all = random_tokens(n.first, n.second, s, 11);
            const effective_rank_meter m = fed(effective_rank_meter{site::input}, all);
            CHECK(m.effective_rank() == doctest::Approx(plain_rank(all)).epsilon(1e-9));
        }
    }
}

TEST_CASE("effective rank: every k-th token of a block") {
    const auto all = random_tokens(6, 20, shape::normal, 2);
    const effective_rank_meter m = fed(effective_rank_meter{site::input, 3}, all);
    std::vector<owned_sighting> third;
    for (std::size_t t = 0; t < all.size(); t += 3) {
        third.push_back(all[t]);
    }
    CHECK(m.tokens() == 7);
    CHECK(m.effective_rank() == fed(effective_rank_meter{site::input}, third).effective_rank());
}

TEST_CASE("effective rank: no order of tokens changes a bit") {
    const auto all = random_tokens(17, 30, shape::heavy_tailed, 3);
    const effective_rank_meter expected = fed(effective_rank_meter{site::input}, all);
    engine random{1};
    effective_rank_meter m{site::input};
    for (const std::size_t t : shuffled(all.size(), random)) {
        m(all[t]);
    }
    CHECK(to_words(m) == to_words(expected));
    CHECK(m.effective_rank() == expected.effective_rank());
    CHECK(merges_exactly(effective_rank_meter{site::input}, all));
}

TEST_CASE("effective rank: with a token of NaN, infinity or too large values there is no rank") {
    effective_rank_meter m{site::input};
    m(rank_of_shown({1, at_run_time(nan_of<float>)}));
    m(rank_of_shown({at_run_time(inf_of<float>), 1}));
    m(rank_of_shown({1, 0x1p31f}));
    CHECK(m.left_out() == 3);
    CHECK(m.tokens() == 0);
    CHECK(tamis::is_nan(m.effective_rank()));
    m(rank_of_shown({1, 0x1.fffffep30f}));
    CHECK(m.tokens() == 1);
    CHECK(tamis::is_nan(m.effective_rank()));
    CHECK(m.singular_values().size() == 2);
    CHECK(tamis::is_nan(m.singular_values()[0]));
    effective_rank_meter large{site::input};
    large(rank_of_shown({1, 0x1.fffffep30f}));
    CHECK(large.effective_rank() == doctest::Approx(1).epsilon(1e-6));
    large.merge(m);
    CHECK(tamis::is_nan(large.effective_rank()));
}

TEST_CASE("effective rank: squares whose sum may leave an exact_total have none") {
    effective_rank_meter a{site::input}, b{site::input};
    a(rank_of_shown({0x1p30f, 1}));
    CHECK(a.is_known());
    for (int i = 0; i < 7; ++i) {
        b(rank_of_shown({0x1p30f, -1}));
    }
    CHECK(b.is_known()); // 7 * 2^60
    CHECK(b.effective_rank() >= 1);
    a.merge(b);
    CHECK(!a.is_known());
    CHECK(tamis::is_nan(a.effective_rank()));
}

#if defined(__cpp_exceptions)
TEST_CASE("effective rank: every 0, other sizes and other meters are refused") {
    CHECK(message_of([] {
              effective_rank_meter{site::up, 0};
          }).find("at least 1 (each token), got 0") != std::string::npos);
    effective_rank_meter m{site::input};
    m(rank_of_shown({1, 2}));
    CHECK(message_of([&] {
              m(rank_of_shown({1, 2, 3}));
          }).find("2 features are needed, got 3") != std::string::npos);
    CHECK(message_of([&] { m.merge(effective_rank_meter{site::up}); }).find("another") != std::string::npos);
    CHECK(message_of([&] {
              m.merge(effective_rank_meter{site::input, 2});
          }).find("every 2") != std::string::npos);
    m.merge(effective_rank_meter{site::input});
    CHECK(m.tokens() == 1);
}
#endif
