// An executor of one's own that says it may run nothing at the same time: it runs what it is given all the same.
#include <tamis/ffn/glu_ffn.hpp>
#include <tamis/ffn/pack.hpp>
#include <tamis/format/f32.hpp>
#include <tamis/rule/top_k.hpp>

#include "support/message.hpp"

#include <doctest/doctest.h>
#include <array>
#include <vector>

namespace idle_pool_test {

using namespace tamis;

namespace {

struct pool_of_none {
    int says = 0;
    int width() const { return says; }
    void run(std::size_t count, auto&& task) const {
        for (std::size_t i = 0; i < count; ++i) {
            task(i);
        }
    }
};
static_assert(executor<pool_of_none>);

} // namespace

TEST_CASE("a width of 0 packs and computes what one thread does, one below is refused") {
    constexpr std::size_t h = 3, d = 5;
    std::vector<float> gate(d * h), up(d * h), down(h * d);
    for (std::size_t i = 0; i < d * h; ++i) {
        gate[i] = static_cast<float>(i % 7) - 3;
        up[i] = static_cast<float>(i % 5) - 2;
        down[i] = static_cast<float>(i % 3) - 1;
    }
    const glu_weights weights{matrix<f32, neuron_major>{gate.data(), d, h},
                              matrix<f32, neuron_major>{up.data(), d, h},
                              matrix<f32, output_major>{down.data(), h, d}};
    const auto policy = at_intermediate(top_k{2});
    const auto packed = pack(on_threads{pool_of_none{}}, weights, policy);
    const glu_ffn ffn{packed.view(), relu{}, policy};
    const std::array x{1.0f, -2.0f, 0.5f};
    std::array<float, h> y{}, expected{};
    owned_workspace memory{ffn.workspace_bytes(pool_of_none{})};
    ffn(x, expected, memory);
    const traffic read = ffn(x, y, memory, pool_of_none{});
    CHECK(y == expected);
    CHECK(read.bytes_read > 0);
#if defined(__cpp_exceptions)
    CHECK(message_of([&] { static_cast<void>(ffn.workspace_bytes(pool_of_none{-1})); }) ==
          "tamis: an executor's width() must be a whole number from 0 on, got -1");
#endif
}

} // namespace idle_pool_test
