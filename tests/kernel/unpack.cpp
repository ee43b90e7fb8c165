#include "format/own_formats.hpp"
#include "kernel/support.hpp"

#include <tamis/kernel/unpack.hpp>
#include <tamis/tamis.hpp>

#include <doctest/doctest.h>

namespace unpack_test {

// unpack is `at`, for any columns from a multiple of 64 on.

TEST_CASE_TEMPLATE("unpack equals the plain loop", F, tamis::f32, tamis::f16, tamis::bf16, tamis::int8_by_row,
                   tamis::q8_0, tamis::q4_0, three_bytes) {
    engine random{3};
    for (const std::size_t width : {1u, 15u, 16u, 31u, 32u, 33u, 64u, 100u, 600u, 1031u}) {
        const stored<F, tamis::neuron_major> w{random_dense(3, width, random), true, 2, 1};
        for (std::size_t begin = 0; begin < width; begin += 64) {
            for (const std::size_t end : {begin, begin + 1, std::min(begin + 64, width), width}) {
                CAPTURE(width);
                CAPTURE(begin);
                CAPTURE(end);
                std::vector<float> expected(end - begin + 1, sentinel);
                std::vector<float> out = expected;
                tamis::unpack_plain(w.view(), 1, begin, end, expected.data());
                tamis::unpack(w.view(), 1, begin, end, out.data());
                CHECK(same_bits(out, expected));
            }
        }
    }
}

} // namespace unpack_test
