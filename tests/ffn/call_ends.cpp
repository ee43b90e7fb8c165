#include "ffn/support_block.hpp"
#include "ffn/support_check.hpp"
#include "ffn/support_threads.hpp"
#include "support/message.hpp"

#include <Eigen/Core>
#include <tamis/ffn/plain_ffn.hpp>
#include <tamis/ffn/prefill.hpp>

#include <doctest/doctest.h>

#include <algorithm>

namespace call_ends_test {

// What a call makes of an x and a y that are not floats where they lie: the same, to the bit, as the caller's own passes around
// a call with floats.

namespace {

template <class T>
std::vector<T> as(const std::vector<float>& values) {
    std::vector<T> result;
    for (const float value : values) {
        result.push_back(static_cast<T>(value));
    }
    return result;
}
template <class T>
std::vector<float> floats_of(const std::vector<T>& values) {
    std::vector<float> result;
    for (const T value : values) {
        result.push_back(static_cast<float>(value));
    }
    return result;
}
template <class T>
tamis::block<T> rows_of(std::vector<T>& values, std::size_t width) {
    return {values.data(), values.size() / width, width};
}
template <class T>
tamis::block<const T> const_rows_of(const std::vector<T>& values, std::size_t width) {
    return {values.data(), values.size() / width, width};
}

struct ends_case {
    static constexpr std::size_t h = 37, d = 70, tokens = 19;
    problem p = random_problem(h, d, true, 3);
    decltype(store_glu<7, 0>(p)) weights = store_glu<7, 0>(p);
    decltype(make_glu<9>(weights.view(), tamis::silu{})) ffn = make_glu<9>(weights.view(), tamis::silu{});
    tamis::owned_workspace memory{ffn.workspace_bytes(threads_of(3), 16)};
    std::vector<float> x, old;

    ends_case() {
        engine random{5};
        x = coarse_values(tokens * h, random);
        old = coarse_values(tokens * h, random);
        for (std::size_t i = 0; i < x.size(); i += 7) {
            x[i] *= 1.37f; // some that 16 bits round
        }
    }
    std::vector<float> dense_y(const std::vector<float>& of) {
        std::vector<float> y(of.size());
        ffn(const_rows_of(of, h), rows_of(y, h), memory);
        return y;
    }
    std::vector<float> one_by_one(const std::vector<float>& of) {
        std::vector<float> y(of.size());
        for (std::size_t t = 0; t < of.size() / h; ++t) {
            ffn(std::span{of}.subspan(t * h, h), std::span{y}.subspan(t * h, h), memory);
        }
        return y;
    }
};

template <class T>
void check_16_bits() {
    ends_case c;
    const std::vector<T> x = as<T>(c.x);
    const std::vector<float> expected = c.dense_y(floats_of(x));
    std::vector<T> y(x.size());
    const tamis::traffic told = c.ffn(const_rows_of(x, c.h), rows_of(y, c.h), c.memory);
    CHECK(same_bits(floats_of(y), floats_of(as<T>(expected)))); // rounded once
    CHECK(told.bytes_read != 0);
    std::vector<float> floats(x.size());
    c.ffn(const_rows_of(x, c.h), rows_of(floats, c.h), c.memory, threads_of(3));
    CHECK(same_bits(floats, expected));
    // one token
    const std::vector<float> alone = c.one_by_one(floats_of(x));
    std::vector<T> one(c.h);
    c.ffn(std::span{x}.first(c.h), one, c.memory);
    CHECK(same_bits(floats_of(one), floats_of(as<T>({alone.begin(), alone.begin() + c.h}))));
    // y += w FFN(x), rounded once
    std::vector<T> sum = as<T>(c.old);
    c.ffn(const_rows_of(x, c.h), tamis::add_to{rows_of(sum, c.h), 0.5f}, c.memory);
    std::vector<float> by_hand = floats_of(as<T>(c.old));
    for (std::size_t i = 0; i < by_hand.size(); ++i) {
        by_hand[i] += 0.5f * expected[i]; // the product is exact
    }
    CHECK(same_bits(floats_of(sum), floats_of(as<T>(by_hand))));
}

} // namespace

TEST_CASE("activations of 16 bits: binary16") { check_16_bits<Eigen::half>(); }
TEST_CASE("activations of 16 bits: bfloat16") { check_16_bits<Eigen::bfloat16>(); }
#if defined(TAMIS_HAS_FLOAT16)
TEST_CASE("activations of 16 bits: _Float16") { check_16_bits<_Float16>(); }
#endif

TEST_CASE("floats as 16 bits: to nearest, ties to even, at every place") {
    engine random{9};
    for (const shape s : shapes) {
        for (std::size_t n = 0; n < 40; n += 3) {
            const std::vector<float> values = generate<float>(s, n, random);
            std::vector<Eigen::half> half(n);
            std::vector<Eigen::bfloat16> brain(n);
            tamis::detail::from_reals(values.data(), n, half.data());
            tamis::detail::from_reals(values.data(), n, brain.data());
            for (std::size_t i = 0; i < n; ++i) {
                const auto bits = [](auto v) { return tamis::detail::bits_as<std::uint16_t>(v); };
                if (tamis::is_nan(values[i])) {
                    CHECK((bits(half[i]) & 0x7fff) > 0x7c00);
                    CHECK((bits(brain[i]) & 0x7fff) > 0x7f80);
                } else {
                    CHECK(bits(half[i]) == tamis::f16::round(values[i]));
                    CHECK(bits(brain[i]) == tamis::bf16::round(values[i]));
                }
            }
        }
    }
}

TEST_CASE("add_to: one weight, or one a token, for any number of threads") {
    ends_case c;
    const std::vector<float> plain = c.dense_y(c.x);
    std::vector<float> weights(c.tokens);
    for (std::size_t t = 0; t < c.tokens; ++t) {
        weights[t] = static_cast<float>(t) / 8 - 1;
    }
    std::vector<float> y = c.old;
    c.ffn(const_rows_of(c.x, c.h), tamis::add_to{rows_of(y, c.h)}, c.memory);
    std::vector<float> weighted = c.old;
    c.ffn(const_rows_of(c.x, c.h), tamis::add_to{rows_of(weighted, c.h), weights}, c.memory);
    std::vector<float> threaded = c.old;
    c.ffn(const_rows_of(c.x, c.h), tamis::add_to{rows_of(threaded, c.h), weights}, c.memory, threads_of(3));
    CHECK(same_bits(weighted, threaded));
    for (std::size_t i = 0; i < y.size(); ++i) {
        CHECK(y[i] == c.old[i] + plain[i]);
        CHECK(weighted[i] == doctest::Approx(c.old[i] + weights[i / c.h] * plain[i]).epsilon(1e-6));
    }
    std::vector<float> few = c.old;
    c.ffn(const_rows_of(c.x, c.h), tamis::add_to{rows_of(few, c.h), weights},
          tamis::tokens_at_a_time{16, c.memory});
    CHECK(same_bits(few, weighted));
}

TEST_CASE("scaled: FFN(w x), with masks over the products") {
    ends_case c;
    std::vector<float> weights(c.tokens);
    std::vector<float> products = c.x;
    for (std::size_t t = 0; t < c.tokens; ++t) {
        weights[t] = static_cast<float>(t + 1) / 4;
        for (std::size_t j = 0; j < c.h; ++j) {
            products[t * c.h + j] *= weights[t];
        }
    }
    std::vector<float> y(c.x.size());
    c.ffn(tamis::scaled{const_rows_of(c.x, c.h), weights}, rows_of(y, c.h), c.memory);
    CHECK(same_bits(y, c.dense_y(products)));
    std::vector<float> one(c.h);
    c.ffn(tamis::scaled{std::span<const float>{c.x}.last(c.h), weights.back()}, one, c.memory);
    const std::vector<float> alone = c.one_by_one(products);
    CHECK(same_bits(one, std::span{alone}.last(c.h)));
}

TEST_CASE("tokens_of: gathered from x, brought back to y; all others stay") {
    ends_case c;
    const std::vector<std::uint32_t> places{17, 2, 9, 0};
    std::vector<float> gathered;
    for (const std::uint32_t place : places) {
        gathered.insert(gathered.end(), c.x.begin() + place * c.h, c.x.begin() + (place + 1) * c.h);
    }
    const std::vector<float> expected = c.dense_y(gathered);
    std::vector<float> y = c.old;
    c.ffn(tamis::tokens_of{const_rows_of(c.x, c.h), places}, tamis::tokens_of{rows_of(y, c.h), places},
          c.memory);
    std::vector<float> by_hand = c.old;
    for (std::size_t i = 0; i < places.size(); ++i) {
        std::copy_n(expected.begin() + static_cast<std::ptrdiff_t>(i * c.h), c.h,
                    by_hand.begin() + places[i] * c.h);
    }
    CHECK(same_bits(y, by_hand));

    const std::vector<Eigen::bfloat16> brain = as<Eigen::bfloat16>(c.x);
    std::vector<float> sum = c.old;
    const float weights[] = {1, 2, 0.5f, 0.25f};
    c.ffn(tamis::scaled{tamis::tokens_of{const_rows_of(brain, c.h), places}, 1},
          tamis::add_to{tamis::tokens_of{rows_of(sum, c.h), places}, weights}, c.memory);
    CHECK(std::equal(sum.begin() + c.h, sum.begin() + 2 * c.h, c.old.begin() + c.h));
    CHECK(!std::equal(sum.begin(), sum.begin() + c.h, c.old.begin()));
    const std::vector<std::uint32_t> none;
    std::vector<float> same = sum;
    const tamis::traffic told = c.ffn(tamis::tokens_of{const_rows_of(c.x, c.h), none},
                                      tamis::tokens_of{rows_of(same, c.h), none}, c.memory);
    CHECK(told.bytes_read == 0);
    CHECK(same_bits(same, sum));
}

TEST_CASE("ends of a prefill, and of an ungated FFN") {
    ends_case c;
    const std::vector<float> plain = c.dense_y(c.x);
    std::vector<float> y = c.old;
    tamis::owned_workspace memory{tamis::prefill_workspace_bytes(c.ffn, c.tokens)};
    tamis::prefill(c.ffn, tamis::scaled{const_rows_of(c.x, c.h), 1}, tamis::add_to{rows_of(y, c.h), 2},
                   memory);
    double largest = 0;
    for (std::size_t i = 0; i < y.size(); ++i) {
        largest = std::max(largest, std::fabs(double{y[i]} - double{c.old[i]} - 2 * double{plain[i]}));
    }
    CHECK(largest < 1e-5);

    const auto up = store_up<tamis::f32, tamis::neuron_major>(c.p.up);
    const auto down = store_down<tamis::f32, tamis::neuron_major>(c.p.down);
    const tamis::plain_ffn ungated{tamis::plain_weights{up.view(), down.view()}, tamis::gelu{}};
    std::vector<float> expected(c.h);
    std::vector<Eigen::half> rounded(c.h);
    ungated(c.p.x, expected, c.memory);
    ungated(as<Eigen::half>(c.p.x), rounded, c.memory); // coarse: exact in 16 bits
    CHECK(same_bits(floats_of(rounded), floats_of(as<Eigen::half>(expected))));
}

TEST_CASE("ends: copies take no more than workspace_bytes, and none of x's is lost by y's") {
    ends_case c;
    const std::size_t bytes = c.ffn.workspace_bytes(tamis::serial{}, 5);
    std::vector<std::byte> guarded(bytes + 64 + 128, std::byte{0xff});
    void* start = guarded.data();
    std::size_t space = bytes + 128;
    std::align(64, bytes, start, space);
    const std::vector<Eigen::half> x =
        as<Eigen::half>(std::vector<float>(c.x.begin(), c.x.begin() + 5 * c.h));
    std::vector<float> y(5 * c.h, 1.0f);
    c.ffn(const_rows_of(x, c.h), tamis::add_to{rows_of(y, c.h)},
          tamis::workspace{std::span{static_cast<std::byte*>(start), bytes}});
    CHECK(std::all_of(static_cast<std::byte*>(start) + bytes, guarded.data() + guarded.size(),
                      [](std::byte b) { return b == std::byte{0xff}; }));
    const std::vector<float> expected = c.dense_y(floats_of(x));
    for (std::size_t i = 0; i < y.size(); ++i) {
        CHECK(y[i] == 1 + expected[i]);
    }
}

#if defined(__cpp_exceptions)
TEST_CASE("ends that do not fit") {
    ends_case c;
    std::vector<float> y(c.x.size());
    const std::vector<float> three(3);
    const std::vector<std::uint32_t> beyond{3, 19};
    CHECK(message_of([&] {
              c.ffn(const_rows_of(c.x, c.h), tamis::add_to{rows_of(y, c.h), three}, c.memory);
          }) == "tamis: 19 tokens need as many weights, got 3");
    CHECK(message_of([&] {
              c.ffn(tamis::scaled{std::span{c.x}.first(c.h), three}, std::span{y}.first(c.h), c.memory);
          }) == "tamis: 1 tokens need as many weights, got 3");
    CHECK(message_of([&] {
              tamis::tokens_of{rows_of(y, c.h), beyond};
          }) == "tamis::tokens_of: the block has 19 tokens, but a place is 19");
    const std::vector<std::uint32_t> two{1, 2};
    CHECK(message_of([&] {
              c.ffn(tamis::tokens_of{const_rows_of(c.x, c.h), two}, rows_of(y, c.h), c.memory);
          }) == "tamis: an FFN's y needs 2 rows, got 19");
    CHECK(message_of([&] { c.ffn(const_rows_of(c.x, c.h), tamis::add_to{rows_of(c.x, c.h)}, c.memory); }) ==
          "tamis: an FFN's x and y overlap: give y memory of its own");
    CHECK(message_of([&] { c.ffn(std::span{c.x}.first(c.h - 1), tamis::add_to{y}, c.memory); }) ==
          "tamis: an FFN's x needs 37 entries, got 36");
}
#endif

} // namespace call_ends_test
