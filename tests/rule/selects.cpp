#include <tamis/rule/nonzero.hpp>
#include <tamis/rule/selects.hpp>
#include <tamis/rule/threshold.hpp>
#include <tamis/score/centred.hpp>

#include "support/show.hpp"

#include <doctest/doctest.h>
#include <array>
#include <vector>

using namespace tamis;

namespace {

/// A score of one's own is any function object.
constexpr auto first_two_double = [](auto v, std::size_t i) { return i < 2 ? v * 2 : v; };

} // namespace

TEST_CASE("scored selects by a score and a rule") {
    const std::array v{1.0f, 0.25f, 1.0f, -1.0f};
    CHECK(show(scored{first_two_double, threshold{2.0}}(v)) == "1000");
    CHECK(show(scored{first_two_double, threshold{0.5}}(v)) == "1111");
    CHECK(show(scored{centred{1.0}, nonzero{}}(v)) == "0101");
}

TEST_CASE("the sign of a score is dropped") {
    const scored negated{[](float v, std::size_t) { return -v; }, threshold{1.0}};
    CHECK(show(negated(std::array{1.0f, 0.5f, -2.0f})) == "101");
}

TEST_CASE("rules and selectors write into the caller's memory, or return a mask") {
    const std::vector<double> v{1.0, 0.25, 3.0};
    const scored shifted{centred{1.0}, threshold{1.0}};
    std::array<std::uint64_t, 1> words{~std::uint64_t{0}};
    owned_workspace memory{selection_bytes(shifted, v.size())};
    shifted(v, mask_span{words, 3}, memory);
    CHECK(words[0] == 0b100);
    CHECK(shifted(v) == select(shifted, v));
    threshold{1.0}(v, mask_span{words, 3}, memory);
    CHECK(words[0] == 0b101);
}
