// Words from a damaged file or a stranger: every meter refuses them, or is a meter that can be used. This test finds most
// when it runs under -fsanitize=address,undefined.

#include "ffn/support_reference.hpp"
#include "study/support.hpp"
#include "support/message.hpp"

#include <tamis/format/f32.hpp>
#include <tamis/rule/top_k.hpp>
#include <tamis/study/meter/accounting.hpp>
#include <tamis/study/meter/cett.hpp>
#include <tamis/study/meter/drift.hpp>
#include <tamis/study/meter/effective_rank.hpp>
#include <tamis/study/meter/experts.hpp>
#include <tamis/study/meter/frequency.hpp>
#include <tamis/study/meter/outliers.hpp>
#include <tamis/study/meter/sparsity.hpp>
#include <tamis/study/meter/stability.hpp>
#include <tamis/study/meter/top_contexts.hpp>
#include <tamis/study/predictor/score.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <utility>

#if defined(__cpp_exceptions)

using tamis::site;
using tamis::study::from_words;
using tamis::study::to_words;
using words_list = std::vector<std::uint64_t>;

namespace {

/// from_words of these words: "" when they are taken.
template <class M>
std::string refusal(const M& fresh, const words_list& words) {
    M m{fresh};
    return message_of([&] { from_words(m, words); });
}

/// Changes each word of a meter's to what damages do, and cuts the words at each length. `use` reads all of a meter's
/// figures and lets it see more; a refusal there is one of a wrong size, as a sighting's would be.
template <class M, class Use>
void damage_every_word(const M& fresh, const M& fed, Use use) {
    const words_list words = to_words(fed);
    REQUIRE(refusal(fresh, words) == "");
    M whole{fresh};
    from_words(whole, words);
    use(whole);
    std::size_t refused = 0;
    const auto attempt = [&](const words_list& damaged) {
        M m{fed};
        const std::string why = message_of([&] { from_words(m, damaged); });
        if (!why.empty()) {
            CHECK(why.find("tamis::study::from_words: ") == 0);
            CHECK(to_words(m) == words); // as it was
            ++refused;
            return;
        }
        CHECK(to_words(m) == damaged);
        M into{fresh};
        message_of([&] { into.merge(m); });
        message_of([&] { m.merge(fed); });
        message_of([&] { use(m); });
    };
    for (std::size_t i = 0; i < words.size(); ++i) {
        for (const std::uint64_t w :
             {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{200}, words[i] + 1, words[i] - 1,
              std::uint64_t{1} << 31, std::uint64_t{1} << 32, std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
            words_list damaged = words;
            damaged[i] = w;
            attempt(damaged);
        }
    }
    for (std::size_t n = 0; n < words.size(); ++n) {
        CHECK(refusal(fresh, {words.begin(), words.begin() + static_cast<std::ptrdiff_t>(n)}) != "");
    }
    words_list longer = words;
    longer.push_back(0);
    CHECK(refusal(fresh, longer) != "");
    CHECK(refused > words.size()); // most of it is noticed
}

template <class M, class Report>
void damage_meter(const M& fresh, std::span<const owned_sighting> sightings, Report report) {
    damage_every_word(fresh, fed(fresh, sightings), [&](M& m) {
        report(std::as_const(m));
        for (const owned_sighting& s : sightings) {
            m(s);
        }
        report(std::as_const(m));
    });
}

constexpr std::size_t neurons = 6;
std::vector<owned_sighting> several(site where, std::uint64_t seed = 3) {
    return random_sightings(where, neurons, 5, seed);
}

} // namespace

TEST_CASE("damaged words: sparsity") {
    damage_meter(tamis::study::sparsity_meter{}, several(site::gate), [](const auto& m) {
        double sum = m.sparsity(site::gate) + m.least(site::gate) + m.greatest(site::gate);
        for (const auto& c : m.by_position(site::gate)) {
            sum += c.sparsity();
        }
        CHECK(sum >= 0);
    });
}

TEST_CASE("damaged words: frequency") {
    const auto report = [](const auto& m) {
        std::size_t never = m.never_active();
        for (std::size_t i = 0; i < m.active().size(); ++i) {
            never += m.frequency(i) > 0 ? 0u : 1u;
        }
        CHECK(m.sorted().size() == m.active().size());
        CHECK(never <= 2 * m.active().size());
    };
    damage_meter(tamis::study::frequency_meter{site::gate}, several(site::gate), report);
}

TEST_CASE("damaged words: stability") {
    damage_meter(tamis::study::stability_meter{site::up}, several(site::up), [](const auto& m) {
        CHECK(m.mean_jaccard() >= 0);
        CHECK(m.union_share(2) >= 0);
    });
}

TEST_CASE("damaged words: outliers") {
    damage_meter(tamis::study::outliers_meter{}, several(site::input), [](const auto& m) {
        const auto& share = m.at(site::input).share_of_largest;
        CHECK((tamis::is_nan(share.mean() - share.greatest()) ||
               share.mean() <= share.greatest() + 1)); // NaN, if one had none
    });
}

TEST_CASE("damaged words: accounting") {
    const auto sizes = tamis::study::ffn_sizes::of<tamis::f32>(4, neurons);
    damage_meter(tamis::study::accounting_meter{sizes}, several(site::intermediate),
                 [](const auto& m) { CHECK(m.bytes_not_read() + m.multiply_adds_not_done() >= 0); });
}

TEST_CASE("damaged words: CETT") {
    engine random{8};
    const auto down = store_down<tamis::f32, tamis::neuron_major>(random_dense(4, neurons, random));
    damage_meter(tamis::study::cett_meter{down.view()}, several(site::intermediate), [](const auto& m) {
        CHECK((tamis::is_nan(m.mean() + m.greatest()) || m.mean() + m.greatest() >= 0));
    });
}

TEST_CASE("damaged words: effective rank") {
    const auto report = [](const auto& m) {
        CHECK((tamis::is_nan(m.effective_rank()) || m.effective_rank() >= 0));
        CHECK(m.singular_values().size() == m.features());
    };
    damage_meter(tamis::study::effective_rank_meter{site::up}, several(site::up), report);
    // The sizes one by one: a number of features that there are no products for, and one that overflows n (n + 1) / 2.
    auto fed_meter = fed(tamis::study::effective_rank_meter{site::up}, several(site::up));
    auto words = to_words(fed_meter);
    REQUIRE(words[2] == neurons);
    for (const std::uint64_t n : {std::uint64_t{200}, std::uint64_t{5}, std::uint64_t{7}, std::uint64_t{0},
                                  (std::uint64_t{1} << 63) + 5, std::uint64_t{0} - neurons - 1}) {
        words[2] = n;
        CHECK(refusal(fed_meter, words).find("a product for each pair of features") != std::string::npos);
    }
}

TEST_CASE("damaged words: top contexts") {
    const auto report = [](const auto& m) {
        for (std::size_t i = 0; i < neurons; ++i) {
            CHECK((tamis::is_nan(m.frequency(i) + m.contribution(i)) ||
                   m.frequency(i) + m.contribution(i) >= 0));
            CHECK(m.top(i).size() <= 3);
        }
    };
    tamis::study::top_contexts fresh{neurons, 3, site::gate};
    damage_meter(fresh, several(site::gate), report);
    // Contexts in a wrong order: sorting one in would leave the neuron's room.
    auto words = to_words(fed(fresh, several(site::gate)));
    std::swap_ranges(words.begin() + 5, words.begin() + 8, words.begin() + 11);
    CHECK(refusal(fresh, words).find("contexts that are not in their order") != std::string::npos);
}

TEST_CASE("damaged words: drift") {
    tamis::study::plan plan{2};
    plan.set_all(site::gate, tamis::top_k{2});
    const std::vector<float> values{257, 256, 258, 1, 3, 1e-30f};
    const auto see = [&](auto& m) { m(1, site::gate, tamis::block{values.data(), 1, values.size()}); };
    tamis::study::precision_drift<tamis::study::to_bf16> fresh{plan};
    auto seen = fresh;
    see(seen);
    damage_every_word(fresh, seen, [&](auto& m) {
        CHECK(m.at(site::gate).mean_jaccard() + m.at(site::gate).sparsity_before() >= 0);
        see(m);
    });
}

TEST_CASE("damaged words: experts, layers and several meters at once") {
    using tamis::study::frequency_meter;
    using pair = tamis::study::meters<frequency_meter, tamis::study::stability_meter>;
    const tamis::study::per_expert<pair> fresh{2, 3,
                                               pair{frequency_meter{site::gate},
                                                    tamis::study::stability_meter{site::gate}}};
    auto seen = fresh;
    const auto sightings = several(site::gate);
    const auto see = [&](auto& m) {
        for (const owned_sighting& s : sightings) {
            m(0, 1, masked(site::input, "10"));
            m(0, 1, s);
            m(1, 2, s);
        }
    };
    see(seen);
    damage_every_word(fresh, seen, [&](auto& m) {
        CHECK(m.share_routed(0, 1) + m.share_routed(1, 2) >= 0);
        const auto layer = m.merged(1); // may refuse experts with masks of several sizes
        CHECK(layer.template get<0>().tokens() + m.routed(0) + 1 != 0);
        see(m);
    });
    // No counts at all, where there are six experts.
    auto words = to_words(seen);
    words.resize(words.size() - 6);
    words.back() = 0;
    CHECK(refusal(fresh, words).find("one count of routed tokens for each expert") != std::string::npos);
}

TEST_CASE("damaged words: predictions") {
    tamis::study::prediction_score seen;
    const std::vector<float> values{1, -2, 3, 0.5f};
    seen.add(mask_of("1100"), mask_of("1010"), values);
    damage_every_word(tamis::study::prediction_score{}, seen, [&](auto& m) {
        CHECK(m.recall() + m.precision() + m.predicted_share() + m.active_share() >= 0);
        m.add(mask_of("0100"), mask_of("1010"), values);
    });
}

TEST_CASE("words of meters that lost terms, or whose sums may have left their range, are not damaged") {
    engine random{9};
    const auto down = store_down<tamis::f32, tamis::neuron_major>(random_dense(4, neurons, random));
    for (const float value : {nan_of<float>, negative_inf_of<float>, 1e30f, 2e9f}) {
        CAPTURE(value);
        auto all = several(site::intermediate);
        for (std::size_t t = 0; t < all.size(); ++t) { // once in a token of small ones, and in all but one
            all[t].values.assign(neurons, 1e-30f);
            if (t != 1) {
                all[t].values[t] = t % 2 == 0 ? value : -value;
            }
        }
        CHECK(merges_exactly(tamis::study::outliers_meter{}, all));
        CHECK(merges_exactly(tamis::study::cett_meter{down.view()}, all));
        CHECK(merges_exactly(tamis::study::effective_rank_meter{site::intermediate}, all));
        const tamis::study::top_contexts contexts{neurons, 3, site::intermediate};
        CHECK(refusal(contexts, to_words(fed(contexts, all))) == "");
        tamis::study::prediction_score predictions;
        for (const owned_sighting& s : all) {
            predictions.add(s.mask, mask_of("101010"), s.values);
        }
        CHECK(refusal(tamis::study::prediction_score{}, to_words(predictions)) == "");
    }
}

TEST_CASE("damaged words: a size takes no more memory than there are words") {
    struct wide {
        std::array<double, 1000> row{};
        std::uint64_t one = 0;
        void state(tamis::study::state_writer& to) { to(one); }
        void state(tamis::study::state_reader& from) { from(one, row); }
    };
    struct list {
        std::vector<wide> all;
        void state(tamis::study::state_writer& to) { to(all); }
        void state(tamis::study::state_reader& from) { from(all); }
    };
    words_list words(1 << 20, 0); // a million of them would be eight gigabytes
    words[0] = words.size() - 1;
    list target;
    CHECK(message_of([&] { from_words(target, words); }).find("too few") != std::string::npos);
}

TEST_CASE("damaged words: a number that its member can not hold") {
    struct small {
        std::int8_t number = -3;
        bool flag = true;
        float real = -1;
        void state(tamis::study::state_writer& to) { to(number, flag, real); }
        void state(tamis::study::state_reader& from) { from(number, flag, real); }
    };
    small target;
    const words_list good = to_words(target);
    REQUIRE(refusal(target, good) == "");
    for (const auto& [place, word] :
         std::vector<std::pair<std::size_t, std::uint64_t>>{{0, 128},
                                                            {0, 256},
                                                            {0, std::uint64_t{0} - 129},
                                                            {1, 2},
                                                            {1, ~std::uint64_t{0}},
                                                            {2, std::uint64_t{1} << 32}}) {
        const std::size_t at = place; // clang 14 does not capture structured bindings
        CAPTURE(at);
        auto words = good;
        words[at] = word;
        CHECK(refusal(target, words).find("can not be " + std::to_string(word)) != std::string::npos);
    }
}

#endif
