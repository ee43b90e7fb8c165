#include <tamis/study/laws/fit_law.hpp>
#include <tamis/study/laws/width_depth.hpp>

#include "study/laws/support.hpp"
#include "support/bits.hpp"
#include "support/message.hpp"

#include <doctest/doctest.h>

using namespace tamis::study;

#if defined(__cpp_exceptions)

TEST_CASE("fewer points than parameters + 1 are refused") {
    const auto points = measured<silu_law>(silu_rows[0].p, 0, 0);
    const std::span all{points};
    CHECK(message_of([&] { fit_law<silu_law>(all.first(3)); }) ==
          "tamis::study: a fit needs at least 4 points (one more than its parameters), got 3");
    CHECK(message_of([&] { fit_law<silu_law>({}); }).find("got 0") != std::string::npos);
    CHECK(message_of([&] { fit_law<relu_law>(all.first(4)); }).find("at least 5") != std::string::npos);
    CHECK(message_of([&] { fit_bottleneck(all.first(3)); }).find("at least 4") != std::string::npos);
    CHECK(message_of([&] { fit_law<silu_law>(all.first(4)); }).empty());
}

TEST_CASE("an activation ratio that is no share is refused") {
    for (const double wrong : {nan_of<double>, inf_of<double>, -0.25, 40.9}) {
        auto points = measured<silu_law>(silu_rows[0].p, 0, 0);
        points[7].y = wrong;
        CHECK(message_of([&] { fit_law<silu_law>(points); }).find("share in [0, 1]") != std::string::npos);
        CHECK(message_of([&] { fit_law<relu_law>(points); }).find("share in [0, 1]") != std::string::npos);
        CHECK(message_of([&] { fit_bottleneck(points); }).find("share in [0, 1]") != std::string::npos);
    }
    auto points = measured<silu_law>(silu_rows[0].p, 0, 0);
    points[7].y = 40.9;
    CHECK(message_of([&] { fit_law<silu_law>(points); }) ==
          "tamis::study: an activation ratio must be a share in [0, 1] (6.14 % is 0.0614), got 40.9");
}

TEST_CASE("an x that is not above zero and finite is refused") {
    for (const double wrong : {nan_of<double>, inf_of<double>, 0.0, -0.0, -3.0}) {
        auto points = measured<silu_law>(silu_rows[0].p, 0, 0);
        points[0].x = wrong;
        CHECK(message_of([&] { fit_law<silu_law>(points); }).find("above zero and finite") !=
              std::string::npos);
        CHECK(message_of([&] { fit_bottleneck(points); }).find("above zero and finite") != std::string::npos);
    }
}

namespace {

struct without_starts : silu_law {
    std::vector<std::array<double, 3>> starts(std::span<const law_point>) const { return {}; }
};

} // namespace

TEST_CASE("a law without starts is refused") {
    const auto points = measured<silu_law>(silu_rows[0].p, 0, 0);
    CHECK(message_of([&] { fit_law<without_starts>(points); }).find("at least one") != std::string::npos);
}

#endif
