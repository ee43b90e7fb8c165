#include <tamis/study/meter/frequency.hpp>

#include "study/support.hpp"
#include "support/message.hpp"

#include <doctest/doctest.h>

using tamis::site;
using tamis::study::frequency_meter;

static_assert(tamis::study::meter<frequency_meter> && tamis::study::has_state<frequency_meter>);

TEST_CASE("frequency: tokens where a neuron is active over tokens, at one site") {
    frequency_meter m{site::gate};
    CHECK(m.tokens() == 0);
    CHECK(m.sorted().empty());
    CHECK(m.never_active() == 0);
    for (const char* mask : {"01001", "01000", "01001", "00001"}) {
        m(masked(site::gate, mask));
        m(masked(site::up, "11111"));
    }
    const std::vector<float> values(5, 1.0f);
    m(tamis::sighting{site::gate, values, {}, false, 0});
    CHECK(m.tokens() == 4);
    CHECK(m.active()[1] == 3);
    CHECK(m.frequency(1) == 0.75);
    CHECK(m.frequency(0) == 0);
    CHECK(m.never_active() == 3);
    CHECK(m.sorted() == std::vector<double>{0.75, 0.75, 0, 0, 0});
}

TEST_CASE("frequency: against counting one by one, over several words") {
    const auto all = random_sightings(site::input, 131, 40, 3);
    const frequency_meter m = fed(frequency_meter{site::input}, all);
    for (std::size_t i = 0; i < 131; ++i) {
        std::size_t active = 0;
        for (const owned_sighting& s : all) {
            active += s.mask[i] ? 1 : 0;
        }
        CHECK(m.active()[i] == active);
    }
    const auto curve = m.sorted();
    CHECK(curve.size() == 131);
    for (std::size_t i = 1; i < curve.size(); ++i) {
        CHECK(curve[i - 1] >= curve[i]);
    }
}

TEST_CASE("frequency: merged in any order it is one meter") {
    CHECK(merges_exactly(frequency_meter{site::up}, random_sightings(site::up, 70, 21, 5)));
}

#if defined(__cpp_exceptions)
TEST_CASE("frequency: masks of another size and meters of another site are refused") {
    frequency_meter m{site::up};
    m(masked(site::up, "101"));
    CHECK(message_of([&] {
              m(masked(site::up, "1011"));
          }).find("over 3 entries are needed, got one over 4") != std::string::npos);
    frequency_meter four{site::up};
    four(masked(site::up, "1011"));
    CHECK(message_of([&] { m.merge(four); }).find("3 entries") != std::string::npos);
    CHECK(message_of([&] { m.merge(frequency_meter{site::gate}); }).find("another") != std::string::npos);
    m.merge(frequency_meter{site::up});
    CHECK(m.tokens() == 1);
}
#endif
