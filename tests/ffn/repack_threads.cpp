#include "ffn/support_repack.hpp"
#include "ffn/support_threads.hpp"

#include <tamis/format/bf16.hpp>
#include <tamis/format/f32.hpp>
#include <tamis/format/int8_by_row.hpp>
#include <tamis/format/q8_0.hpp>

#include <doctest/doctest.h>

// The bytes do not depend on threads, nor on who takes which part when.

namespace {

template <class F, class L, class M, class E>
std::vector<std::byte> repacked(const M& source, const E& threads) {
    std::vector<std::byte> memory(tamis::repacked_bytes<F, L>(source), std::byte{0xa5});
    tamis::repack<F, L>(source, memory, threads);
    return memory;
}

template <class F, class L, class M>
void check_threads(const M& source) {
    const auto expected = repacked<F, L>(source, tamis::serial{});
    for (const std::size_t width : {1u, 2u, 3u, 7u, 100u}) {
        CAPTURE(width);
        CHECK(repacked<F, L>(source, threads_of(width)) == expected);
        CHECK(repacked<F, L>(source, reversed_of(width)) == expected);
        CHECK(repacked<F, L>(source, shuffled_of(width, 3)) == expected);
    }
}

} // namespace

TEST_CASE_TEMPLATE("repack: any number of threads", F, tamis::f32, tamis::bf16, tamis::q8_0,
                   tamis::int8_by_row) {
    const auto source = random_stored<tamis::bf16, tamis::output_major>(70, 1100, 1);
    check_threads<F, tamis::neuron_major>(source.view());
    check_threads<F, tamis::output_major>(source.view());
}

TEST_CASE("repack: more rows than a round takes") {
    const auto source = random_stored<tamis::f32, tamis::output_major>(4100, 700, 2);
    check_threads<tamis::f32, tamis::neuron_major>(source.view());
}
