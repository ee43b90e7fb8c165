#include <tamis/mask/apply.hpp>

#include "support/bits.hpp"
#include "support/formats.hpp"
#include "support/message.hpp"
#include "support/show.hpp"

#include <doctest/doctest.h>
#include <vector>

using namespace tamis;

namespace {

mask every_third(std::size_t n) {
    mask m{n};
    for (std::size_t i = 0; i < n; i += 3) {
        m.set(i, true);
    }
    return m;
}

} // namespace

TEST_CASE("the active indices come in order, into memory or as a vector") {
    for (std::size_t n = 0; n < 200; ++n) {
        const mask m = every_third(n);
        const std::vector<std::uint32_t> indices = active_indices(m);
        CAPTURE(n);
        CHECK(indices.size() == (n + 2) / 3);
        bool right = true;
        for (std::size_t k = 0; k < indices.size(); ++k) {
            right = right && indices[k] == 3 * k;
        }
        CHECK(right);

        std::vector<std::uint32_t> room(n + 1, 0xdeadbeefu); // for all: a vector at a time
        CHECK(active_indices(m, std::span{room}.first(n)) == indices.size());
        CHECK(std::equal(indices.begin(), indices.end(), room.begin()));
        CHECK(room[n] == 0xdeadbeefu);

        std::vector<std::uint32_t> memory(m.count() + 2, 0xdeadbeefu);
        CHECK(active_indices(m, std::span{memory}.first(m.count())) == m.count()); // no more room than needed
        CHECK(std::equal(indices.begin(), indices.end(), memory.begin()));
        CHECK(memory[m.count()] == 0xdeadbeefu);
        CHECK(memory[m.count() + 1] == 0xdeadbeefu);
    }
}

TEST_CASE_TEMPLATE("zero_inactive zeroes exactly the others", T, float, double, Eigen::half, Eigen::bfloat16,
                   std::int8_t, std::int64_t) {
    for (std::size_t n = 0; n < 200; ++n) {
        std::vector<T> values(n + 1, T(7));
        zero_inactive(std::span{values}.first(n), every_third(n));
        bool right = true;
        for (std::size_t i = 0; i < n; ++i) {
            right = right && values[i] == T(i % 3 == 0 ? 7 : 0);
        }
        CAPTURE(n);
        CHECK(right);
        CHECK(values[n] == T(7));
    }
}

TEST_CASE("zeros are written even over NaN and infinity; active NaN stay") {
    std::vector<float> values{nan_of<float>, nan_of<float>, inf_of<float>, 1.0f};
    zero_inactive(values, every_third(4));
    CHECK(is_nan(values[0]));
    CHECK(magnitude_bits(values[1]) == 0);
    CHECK(magnitude_bits(values[2]) == 0);
    CHECK(values[3] == 1.0f);
}

TEST_CASE("strided values can be zeroed where they lie") {
    std::vector<float> matrix{1, 2, 3, 4, 5, 6, 7, 8};
    mask m{4};
    m.set(2, true);
    zero_inactive(strided{matrix.data() + 1, 4, 2}, m);
    CHECK(matrix == std::vector<float>{1, 0, 3, 0, 5, 6, 7, 0});
}

#if defined(__cpp_exceptions)
TEST_CASE("too little room and a mask of another size are refused with both numbers") {
    const mask m = every_third(10);
    std::vector<std::uint32_t> room(3);
    CHECK(message_of([&] { active_indices(m, room); }) ==
          "tamis::active_indices: needs room for 4 indices, got 3");
    std::vector<float> values(11);
    CHECK(message_of([&] { zero_inactive(values, m); }) ==
          "tamis::zero_inactive: a mask over 11 entries is needed, got one over 10");
}
#endif
