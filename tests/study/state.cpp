#include <tamis/study/state.hpp>

#include "support/bits.hpp"
#include "support/message.hpp"

#include <tamis/study/exact_total.hpp>
#include <tamis/study/meter.hpp>

#include <doctest/doctest.h>

namespace state_test {

using tamis::study::from_words;
using tamis::study::to_words;

namespace {

struct inner {
    std::int32_t number = 0;
    double real = 0;
    template <class Archive>
    void state(Archive& a) {
        a(number, real);
    }
    friend bool operator==(const inner&, const inner&) = default;
};

struct everything {
    tamis::site where = tamis::site::gate;
    std::uint64_t count = 0;
    std::int8_t small = 0;
    bool flag = false;
    float real = 0;
    tamis::study::exact_total total;
    std::vector<std::uint64_t> counts;
    std::vector<std::vector<inner>> nested;
    std::array<tamis::study::exact_total, 2> totals;

    template <class Archive>
    void state(Archive& a) {
        a(std::as_const(where), count, small, flag, real, total, counts, nested, totals);
    }
    friend bool operator==(const everything&, const everything&) = default;
};

everything example() {
    everything e;
    e.count = ~std::uint64_t{0};
    e.small = -3;
    e.flag = true;
    e.real = -0.5f;
    e.total.add(-1.25);
    e.counts = {1, 2, 3};
    e.nested = {{{-1, 1e300}, {2, -0.0}}, {}, {{7, 0.1}}};
    e.totals[1].add(3);
    return e;
}

/// A meter with a sequence, and one that is made with something.
struct walker {
    std::uint64_t steps = 0;
    bool under_way = false;
    void begin() { under_way = false; }
    void operator()(const tamis::sighting&) {
        ++steps;
        under_way = true;
    }
    void merge(const walker& other) { steps += other.steps; }
    template <class Archive>
    void state(Archive& a) {
        a(steps);
    }
};

} // namespace

TEST_CASE("state: members of all kinds come back as they were, and the old ones are gone") {
    const everything before = example();
    const auto words = to_words(before);
    everything after;
    after.counts = {9, 9, 9, 9, 9};
    after.nested.resize(7);
    after.totals[0].add(5);
    from_words(after, words);
    CHECK(after == before);
    CHECK(to_words(after) == words);
    everything empty;
    from_words(after, to_words(empty));
    CHECK(after == empty);
}

TEST_CASE("state: doubles travel by their bits") {
    struct reals {
        double a = nan_of<double>;
        double b = denormal_of<double>(3);
        float c = negative_nan_of<float>;
        void state(tamis::study::state_writer& to) { to(a, b, c); }
        void state(tamis::study::state_reader& from) { from(a, b, c); }
    };
    const auto words = to_words(reals{});
    CHECK(words == std::vector<std::uint64_t>{0x7ff8000000000000, 3, 0xffc00001});
    reals back{0, 0, 0};
    from_words(back, words);
    CHECK(to_words(back) == words);
}

TEST_CASE("state: a sequence that was under way is over") {
    walker w;
    w(tamis::sighting{});
    walker other;
    other(tamis::sighting{});
    from_words(other, to_words(w));
    CHECK(other.steps == 1);
    CHECK_FALSE(other.under_way);
}

TEST_CASE("state: the whole of per_layer and meters") {
    tamis::study::per_layer<tamis::study::meters<walker, walker>> all{3, tamis::study::meters{walker{},
                                                                                              walker{}}};
    all(1, tamis::sighting{});
    all(2, tamis::sighting{});
    all(2, tamis::sighting{});
    tamis::study::per_layer<tamis::study::meters<walker, walker>> back{3, tamis::study::meters{walker{},
                                                                                               walker{}}};
    from_words(back, to_words(all));
    CHECK(back[0].get<0>().steps == 0);
    CHECK(back[1].get<1>().steps == 1);
    CHECK(back[2].get<1>().steps == 2);
    CHECK(to_words(back) == to_words(all));
}

#if defined(__cpp_exceptions)
TEST_CASE("state: words of another shape are refused, and the meter stays as it was") {
    const everything before = example();
    const auto words = to_words(before);
    everything target;
    target.counts = {4, 5};
    const everything untouched = target;
    const std::span<const std::uint64_t> all{words};
    for (std::size_t n = 0; n < words.size(); ++n) {
        CAPTURE(n);
        CHECK(message_of([&] { from_words(target, all.first(n)); }).find("another meter") !=
              std::string::npos);
        CHECK(target == untouched);
    }
    auto longer = words;
    longer.push_back(0);
    CHECK(message_of([&] { from_words(target, longer); }).find("it takes " + std::to_string(words.size())) !=
          std::string::npos);
    target.where = tamis::site::up;
    CHECK(message_of([&] { from_words(target, words); }).find("made with 2, the words say 1") !=
          std::string::npos);
}

TEST_CASE("state: a size that can not be takes no memory") {
    struct list {
        std::vector<std::uint64_t> counts;
        void state(tamis::study::state_writer& to) { to(counts); }
        void state(tamis::study::state_reader& from) { from(counts); }
    };
    list target;
    const std::vector<std::uint64_t> words{~std::uint64_t{0}, 1};
    CHECK(message_of([&] { from_words(target, words); }).find("but 1 words are left") != std::string::npos);
}

TEST_CASE("state: another number of layers is refused") {
    tamis::study::per_layer<walker> three{3};
    tamis::study::per_layer<walker> two{2};
    CHECK(message_of([&] { from_words(two, to_words(three)); }).find("made with 2, the words say 3") !=
          std::string::npos);
}
#endif

} // namespace state_test
