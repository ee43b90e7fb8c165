#include "kernel/support.hpp"

#include <tamis/ffn/glu_ffn.hpp>
#include <tamis/kernel/measure_tuning.hpp>

#include <doctest/doctest.h>

namespace tuning_test {

// Rows a pass and what is asked for ahead are a matter of speed: no bit of a result depends on them, nor on the rows' distance
// in memory, which decides for some machines.

namespace {

constexpr tamis::tuning tunings_to_try[] = {{},     {4},       {8},         {4, 0},   {8, 0},
                                            {4, 1}, {8, 1000}, {4, 100000}, {1, 512}, {100, 2048}};

template <class F>
void check_tunings(std::size_t width, std::size_t gap, engine& random) {
    for (const std::size_t count : {0u, 1u, 5u, 8u, 13u, 37u}) {
        CAPTURE(width);
        CAPTURE(count);
        const std::size_t n = count + 3;
        const stored<F, tamis::neuron_major> w{random_dense(n, width, random), true, gap};
        const auto listed = some_rows(count, n, random);
        const std::vector<float> x = coarse_values(width, random);
        const std::vector<float> factors = coarse_values(n, random);
        const auto results = [&](auto rows, const tamis::tuning& by) {
            std::vector<float> y(n + width, 0.5f);
            tamis::dot_rows(w.view(), rows, x, std::span{y}.first(n), by);
            tamis::sum_rows(w.view(), rows, factors, std::span{y}.last(width), 0, width, by);
            return y;
        };
        const auto of_all = results(tamis::all_rows{n}, {});
        const auto of_some = results(tamis::active_rows{listed}, {});
        for (const tamis::tuning& by : tunings_to_try) {
            REQUIRE(same_bits(results(tamis::all_rows{n}, by), of_all));
            REQUIRE(same_bits(results(tamis::active_rows{listed}, by), of_some));
        }
    }
}

template <class F>
void check_tunings() {
    engine random{11};
    for (const std::size_t width : {33u, 1024u, 1100u}) { // 1024 floats are 4096 bytes
        check_tunings<F>(width, 0, random);
    }
    check_tunings<F>(2048, 0, random);
    check_tunings<F>(100, 6, random);
}

} // namespace

TEST_CASE("no bit of a product depends on the tuning") {
    check_tunings<tamis::f32>();
    check_tunings<tamis::bf16>();
    check_tunings<tamis::q8_0>();
    check_tunings<tamis::q4_0>();
}

TEST_CASE(
    "rows a pass: fewer where what is asked for ahead of eight would fall into one set of a small cache") {
    using tamis::detail::rows_a_pass;
    using few_ways = std::bool_constant<tamis::detail::kernel_traits::few_ways>;
    CHECK(rows_a_pass<tamis::q8_0>({}, 4096 * 3) == (few_ways::value ? 4 : 8));
    CHECK(rows_a_pass<tamis::q8_0>({}, 4096 * 3 + 64) == 8);
    CHECK(rows_a_pass<tamis::f32>({}, 4096 * 3) ==
          (few_ways::value && !tamis::detail::kernel_traits::few_in_flight ? 4 : 8));
    CHECK(rows_a_pass<tamis::f32>({8}, 4096) == 8);
    CHECK(rows_a_pass<tamis::f32>({4}, 64) == 4);
}

TEST_CASE("measure_tuning: one of what it tries; too small a matrix tells nothing; scratch is checked") {
    engine random{12};
    const stored<tamis::f32, tamis::neuron_major> w{random_dense(1024, 64, random), true};
    std::vector<float> scratch(2048);
    const tamis::tuning by = tamis::measure_tuning(w.view(), scratch);
    CHECK((by.rows == 4 || by.rows == 8 || by == tamis::tuning{}));
    const stored<tamis::f32, tamis::neuron_major> small{random_dense(512, 64, random), true};
    CHECK(tamis::measure_tuning(small.view(), scratch) == tamis::tuning{});
#if defined(__cpp_exceptions)
    CHECK_THROWS_WITH_AS(tamis::measure_tuning(w.view(), std::span{scratch}.first(2047)),
                         "tamis::measure_tuning: scratch needs 2048 floats (twice the longer side of w), and "
                         "has 2047",
                         std::invalid_argument);
#endif
}

TEST_CASE("tuned threads: the FFN's bits are those of any others") {
    engine random{13};
    constexpr std::size_t h = 64, d = 256;
    const stored<tamis::f32, tamis::neuron_major> gate{random_dense(d, h, random), true};
    const stored<tamis::f32, tamis::neuron_major> up{random_dense(d, h, random), true};
    const stored<tamis::f32, tamis::neuron_major> down{random_dense(d, h, random), true};
    const tamis::glu_ffn ffn{tamis::glu_weights{gate.view(), up.view(), down.view()}, tamis::silu{}};
    const std::vector<float> x = coarse_values(h, random);
    tamis::owned_workspace memory{ffn.workspace_bytes()};
    std::vector<float> expected(h);
    ffn(x, expected, memory);
    for (const tamis::tuning& by : tunings_to_try) {
        std::vector<float> y(h);
        const tamis::tuned threads{tamis::serial{}, by};
        CHECK(threads.width() == 1);
        ffn(x, y, memory, threads);
        CHECK(same_bits(y, expected));
    }
}

} // namespace tuning_test
