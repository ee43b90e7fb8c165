#include "support/bits.hpp"

#include <tamis/element.hpp>
#include <tamis/format/f32.hpp>

#include <doctest/doctest.h>

#include <array>
#include <vector>

namespace f32_test {

// f32 is memory as it is: every float comes back with its bits.

static_assert(tamis::weight_format<tamis::f32>);
static_assert(tamis::f32::row_bytes(0) == 0 && tamis::f32::row_bytes(7) == 28);

TEST_CASE("f32: packing and reading keep the bits") {
    const std::array<float, 10> from{0.0f,
                                     negative_zero_of<float>,
                                     1.5f,
                                     -3.4028235e38f,
                                     denormal_of<float>(1),
                                     denormal_of<float>(0x7fffff),
                                     inf_of<float>,
                                     negative_inf_of<float>,
                                     nan_of<float>,
                                     negative_nan_of<float>};
    std::vector<std::byte> row(tamis::f32::row_bytes(from.size()) + 2, std::byte{0x5a});
    tamis::f32::pack(from, row.data() + 1); // at an odd address
    for (std::size_t i = 0; i < from.size(); ++i) {
        CAPTURE(i);
        const float read = tamis::f32::at(row.data() + 1, i);
        CHECK(std::bit_cast<std::uint32_t>(read) == std::bit_cast<std::uint32_t>(from[i]));
    }
    CHECK(row.front() == std::byte{0x5a});
    CHECK(row.back() == std::byte{0x5a});
}

TEST_CASE("f32: an empty row is nothing") {
    std::byte untouched{0x5a};
    tamis::f32::pack({}, &untouched);
    CHECK(untouched == std::byte{0x5a});
}

} // namespace f32_test
