#include <tamis/rule/top_k.hpp>
#include <tamis/study/meter/top_contexts.hpp>

#include "support/bits.hpp"
#include "support/generate.hpp"
#include "support/message.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

using namespace tamis;
using namespace tamis::study;

namespace {

/// Shows a meter one token of a site without a policy.
void show_token(top_contexts& m, std::span<const float> values, site where = site::intermediate) {
    m(sighting{where, values, {}, false, 0});
}

/// Sequences of tokens x neurons.
struct text {
    std::size_t neurons;
    std::vector<std::vector<float>> sequences;

    text(shape s, std::size_t neurons_, std::size_t count, std::size_t length) : neurons{neurons_} {
        engine random{31};
        for (std::size_t i = 0; i < count; ++i) {
            sequences.push_back(generate<float>(s, (length + i % 3) * neurons, random));
        }
    }
    void show(top_contexts& m, std::size_t sequence) const {
        m.begin(1000 + sequence);
        for (std::size_t i = 0; i < sequences[sequence].size(); i += neurons) {
            show_token(m, std::span{sequences[sequence]}.subspan(i, neurons));
        }
    }
    /// All contexts of a neuron, sorted.
    std::vector<context> contexts(std::size_t neuron) const {
        std::vector<context> all;
        for (std::size_t s = 0; s < sequences.size(); ++s) {
            for (std::size_t t = 0; t * neurons < sequences[s].size(); ++t) {
                const float value = sequences[s][t * neurons + neuron];
                if (magnitude_bits(value) != 0) {
                    all.push_back({value, static_cast<std::uint32_t>(t), 1000 + s});
                }
            }
        }
        std::stable_sort(all.begin(), all.end(), [](const context& a, const context& b) {
            return magnitude_bits(a.value) > magnitude_bits(b.value);
        }); // made in the order of sequences and positions, which ties keep
        return all;
    }
};

void check_same(const top_contexts& a, const top_contexts& b) {
    CHECK(a.tokens() == b.tokens());
    bool same = true;
    for (std::size_t i = 0; i < a.neurons(); ++i) {
        same = same && std::ranges::equal(a.top(i), b.top(i)) && a.frequency(i) == b.frequency(i) &&
               magnitude_bits(a.contribution(i)) == magnitude_bits(b.contribution(i)); // NaN, too
    }
    CHECK(same);
}

} // namespace

TEST_CASE("top_contexts: the largest magnitudes of a neuron, with their tokens") {
    static_assert(sequential_meter<top_contexts>);
    top_contexts m{2, 2};
    m.begin(7);
    show_token(m, std::array{1.0f, 0.0f});
    show_token(m, std::array{-3.0f, 0.0f});
    m.begin(5);
    show_token(m, std::array{2.0f, 0.5f});
    REQUIRE(m.top(0).size() == 2);
    CHECK(m.top(0)[0] == context{-3, 1, 7});
    CHECK(m.top(0)[1] == context{2, 0, 5});
    REQUIRE(m.top(1).size() == 1);
    CHECK(m.top(1)[0] == context{0.5f, 0, 5});
    CHECK(m.tokens() == 3);
}

TEST_CASE("top_contexts: ties by sequence, then position") {
    top_contexts m{1, 3};
    for (const std::uint64_t sequence : {9u, 2u}) {
        m.begin(sequence);
        show_token(m, std::array{-4.0f});
        show_token(m, std::array{4.0f});
    }
    CHECK(m.top(0)[0] == context{-4, 0, 2});
    CHECK(m.top(0)[1] == context{4, 1, 2});
    CHECK(m.top(0)[2] == context{-4, 0, 9});
}

TEST_CASE("top_contexts: as sorting all contexts says, for every shape of values") {
    for (const shape s : shapes) {
        const text t{s, 13, 6, 5};
        for (const std::size_t count : {1u, 4u, 100u}) {
            top_contexts m{13, count};
            for (std::size_t i = 0; i < 6; ++i) {
                t.show(m, i);
            }
            CAPTURE(name_of(s));
            CAPTURE(count);
            for (std::size_t neuron = 0; neuron < 13; ++neuron) {
                auto expected = t.contexts(neuron);
                expected.resize(std::min(expected.size(), count));
                CHECK(std::ranges::equal(m.top(neuron), expected));
            }
        }
    }
}

TEST_CASE("top_contexts: merged in any order it is one meter of everything; words carry it") {
    for (const shape s : {shape::levels, shape::specials}) {
        const text t{s, 9, 8, 4};
        const std::vector<float> norms(9, 0.75f);
        const top_contexts fresh{9, 3, site::intermediate, norms};
        top_contexts all{fresh};
        std::vector<top_contexts> parts(8, fresh);
        for (std::size_t i = 0; i < 8; ++i) {
            t.show(all, i);
            t.show(parts[i], i);
        }
        engine random{77};
        for (int round = 0; round < 5; ++round) {
            top_contexts merged{fresh};
            for (const std::size_t i : shuffled(8, random)) {
                merged.merge(parts[i]);
            }
            check_same(merged, all);
            top_contexts read{fresh};
            from_words(read, to_words(merged));
            check_same(read, all);
        }
    }
}

TEST_CASE("top_contexts: frequency by the mask where there is a policy, else where the value is not zero") {
    const std::array<float, 3> values{3, 1, 0};
    top_contexts m{3, 1};
    show_token(m, values);
    const mask active = top_k{1}(values);
    m(sighting{site::intermediate, values, active, true, 0});
    CHECK(m.frequency(0) == 1.0);
    CHECK(m.frequency(1) == 0.5);
    CHECK(m.frequency(2) == 0.0);
    CHECK(m.top(1).size() == 1); // masked, but a context
    CHECK(top_contexts{3, 1}.frequency(0) == 0.0);
}

TEST_CASE("top_contexts: the mean contribution's norm; with NaN or infinity there is none") {
    const std::array norms{2.0f, 0.5f, 1.0f};
    top_contexts m{3, 1, site::intermediate, norms};
    show_token(m, std::array{-3.0f, 0.0f, nan_of<float>});
    show_token(m, std::array{1.0f, 8.0f, 5.0f});
    show_token(m, std::array{0.0f, negative_inf_of<float>, 1.0f});
    CHECK(m.contribution(0) == doctest::Approx(4.0 / 3 * 2));
    CHECK(is_nan(m.contribution(1)));
    CHECK(is_nan(m.contribution(2)));
    CHECK(is_nan(m.mean_magnitude(1)));
    CHECK(m.not_finite(0) == 0);
    CHECK(m.not_finite(1) == 1);
    CHECK(is_nan(m.top(2)[0].value)); // but it is seen
    CHECK(m.frequency(2) == 1.0);
    const top_contexts none{1, 1};
    CHECK(none.contribution(0) == 0.0);
    CHECK(none.top(0).empty());
}

TEST_CASE("top_contexts: of its site alone; begin() counts sequences, begin(s, p) goes on") {
    top_contexts m{1, 4, site::gate};
    m.begin();
    show_token(m, std::array{9.0f}, site::intermediate);
    show_token(m, std::array{4.0f}, site::gate);
    m.begin();
    show_token(m, std::array{3.0f}, site::gate);
    m.begin(40, 12);
    show_token(m, std::array{2.0f}, site::gate);
    m.begin();
    show_token(m, std::array{1.0f}, site::gate);
    CHECK(std::ranges::equal(m.top(0), std::array{context{4, 0, 0}, context{3, 0, 1}, context{2, 12, 40},
                                                  context{1, 0, 41}}));
}

#if defined(__cpp_exceptions)
TEST_CASE("top_contexts: what does not fit is refused") {
    CHECK(message_of([] {
              top_contexts{4, 0};
          }) == "tamis::study::top_contexts: at least 1 context a neuron is needed, got 0");
    CHECK(message_of([] {
              top_contexts{4, 1, site::gate, std::array{1.0f, 2.0f}};
          }) == "tamis::study::top_contexts: 4 norms are needed, got 2");
    top_contexts m{2, 1};
    CHECK(message_of([&] { show_token(m, std::array{1.0f}); }) ==
          "tamis::study::top_contexts: 2 values are needed, got 1");
    CHECK(message_of([&] {
              m.merge(top_contexts{3, 1});
          }).find("2 neurons can not take one of 3") != std::string::npos);
    CHECK(message_of([&] {
              m.merge(top_contexts{2, 5});
          }).find("1 contexts can not take one of 5") != std::string::npos);
    CHECK(message_of([&] { m.merge(top_contexts{2, 1, site::up}); }).find("another") != std::string::npos);
    CHECK(message_of([&] {
              from_words(m, to_words(top_contexts{2, 3}));
          }).find("another meter") != std::string::npos);
}
#endif
