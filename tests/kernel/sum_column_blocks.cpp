#include "support/bits.hpp"
#include "support/generate.hpp"

#include <tamis/detail/memory.hpp>
#include <tamis/ffn/turn.hpp>
#include <tamis/kernel/sum_column_blocks_int8.hpp>

#include <doctest/doctest.h>

#include <cstring>
#include <random>
#include <vector>

namespace sum_column_blocks_test {

// Matrices turned from blocks along their rows: the same weights, bit for bit, and sums of rows against the simple loops.

namespace {

/// A checkpoint's matrix of random codes, with scales between 2^-9 and 2^-7 of either sign, or random too.
template <class F>
struct checkpoint {
    std::size_t outputs, inputs;
    std::vector<std::byte> memory;

    checkpoint(std::size_t n_outputs, std::size_t n_inputs, bool all_random)
        : outputs{n_outputs}, inputs{n_inputs}, memory(outputs * F::row_bytes(inputs)) {
        std::mt19937 random{static_cast<unsigned>(outputs + inputs)};
        for (std::byte& b : memory) {
            b = static_cast<std::byte>(random());
        }
        for (std::size_t at = 0; at < memory.size() && !all_random; at += sizeof(typename F::storage)) {
            if constexpr (std::is_same_v<F, tamis::mxfp4>) {
                memory[at] = static_cast<std::byte>(118 + random() % 4);
            } else {
                constexpr std::size_t numbers = tamis::detail::column_codes<F>::number_bytes;
                for (std::size_t n = 0; n < numbers; n += 2) {
                    const auto half =
                        static_cast<std::uint16_t>((6u << 10) + random() % 2048 + (random() % 2 << 15));
                    std::memcpy(memory.data() + at + n, &half, 2);
                }
            }
            if constexpr (std::is_same_v<F, tamis::q8_0>) { // ggml's quantiser makes none
                for (std::size_t k = 2; k < sizeof(typename F::storage); ++k) {
                    memory[at + k] = memory[at + k] == std::byte{128} ? std::byte{0} : memory[at + k];
                }
            }
        }
    }
    auto view() const { return tamis::matrix<F, tamis::output_major>{memory.data(), outputs, inputs}; }
};

template <class F>
struct turned_weights {
    tamis::aligned_memory memory;
    tamis::matrix<tamis::column_blocks<F>, tamis::neuron_major> view;

    explicit turned_weights(const checkpoint<F>& from)
        : memory{tamis::turned_bytes(from.view())},
          view{tamis::turn<tamis::neuron_major>(from.view(), memory.bytes())} {}
};

template <class F>
std::size_t unequal_weights(std::size_t outputs, std::size_t inputs) {
    const checkpoint<F> from{outputs, inputs, true};
    const turned_weights<F> to{from};
    CHECK(to.view.bytes() == to.memory.size());
    std::size_t unequal = 0;
    std::vector<float> row(outputs);
    for (std::size_t i = 0; i < inputs; ++i) {
        tamis::unpack(to.view, i, 0, outputs, row.data());
        for (std::size_t j = 0; j < outputs; ++j) {
            const float w = from.view().at(j, i);
            const auto bits_of = [](float v) {
                const auto bits = tamis::detail::bits_as<std::uint32_t>(v);
                return (bits & 0x7fffffffu) > 0x7f800000u ? 0x7fc00000u : bits; // one NaN for all
            };
            const auto same = [&](float v) { return bits_of(v) == bits_of(w); };
            unequal += same(to.view.at(i, j)) && same(row[j]) ? 0u : 1u;
        }
    }
    return unequal;
}

/// Every k-th row, or those of a random choice.
std::vector<std::uint32_t> some_rows(std::size_t n, double density, unsigned seed) {
    std::mt19937 random{seed};
    std::vector<std::uint32_t> rows;
    for (std::uint32_t i = 0; i < n; ++i) {
        if (static_cast<double>(random() % 1000) < density * 1000) {
            rows.push_back(i);
        }
    }
    return rows;
}

double largest_error(const std::vector<float>& a, const std::vector<float>& b, std::size_t begin,
                     std::size_t end) {
    double error = 0;
    double largest = 1e-30;
    for (std::size_t j = 0; j < a.size(); ++j) {
        const bool counts = j >= begin && j < end;
        error = (std::max)(error, static_cast<double>(std::abs((counts ? a[j] : 0.0f) - b[j])));
        largest = (std::max)(largest, static_cast<double>(std::abs(a[j])));
    }
    return error / largest;
}

template <class F>
void check_sums(std::size_t outputs, std::size_t inputs, double density) {
    CAPTURE(F::name);
    CAPTURE(outputs);
    CAPTURE(inputs);
    CAPTURE(density);
    const checkpoint<F> from{outputs, inputs, false};
    const turned_weights<F> to{from};
    std::mt19937 random{3};
    const auto rows = some_rows(inputs, density, 5);
    std::vector<float> x(inputs);
    for (const std::uint32_t i : rows) {
        x[i] = static_cast<float>(static_cast<int>(random() % 2001) - 1000) * 0.01f;
    }
    const std::size_t begin = outputs > 130 ? 64 : 0;
    const std::size_t end = outputs > 300 ? outputs - 5 : outputs;
    const auto summed = [&](const auto& w, const auto& listed) {
        std::vector<float> y(outputs);
        sum_rows(w, listed, x, y, begin, end);
        return y;
    };
    const tamis::active_rows active{rows};
    std::vector<float> plain(outputs);
    tamis::sum_rows_plain(to.view, active, std::span<const float>{x}, std::span<float>{plain});
    CHECK(largest_error(plain, summed(to.view, active), begin, end) < 3e-6);
    CHECK(largest_error(plain, summed(to.view, tamis::all_rows{inputs}), begin, end) < 3e-6);

    if (tamis::detail::sums_columns_int8) {
        const tamis::matrix<tamis::detail::added_in_int8<tamis::column_blocks<F>>, tamis::neuron_major>
            in_integers{to.memory.bytes().data(), inputs, outputs};
        std::vector<float> rounded(outputs);
        tamis::detail::sum_column_blocks_int8_plain(to.view, active, x.data(), rounded.data());
        CHECK(largest_error(rounded, summed(in_integers, active), begin, end) < 3e-6);
        CHECK(largest_error(plain, rounded, 0, outputs) < 2e-2);
    }
}

template <class F>
void check_format() {
    CHECK(unequal_weights<F>(3, 5) == 0);
    CHECK(unequal_weights<F>(64, 96) == 0);
    CHECK(unequal_weights<F>(131, 75) == 0);
    for (const double density : {0.0, 0.02, 0.3, 1.0}) {
        check_sums<F>(1, 1, density);
        check_sums<F>(67, 133, density);
        check_sums<F>(320, 160, density);
    }
}

} // namespace

TEST_CASE("column_blocks of eight bits") { check_format<tamis::q8_0>(); }
TEST_CASE("column_blocks of eight bits: the largest codes and values, which just fit into sixteen bits") {
    for (const int code : {-128, -127, 127}) {
        checkpoint<tamis::q8_0> from{64, 64, false};
        for (std::size_t at = 0; at < from.memory.size(); at += sizeof(tamis::q8_0::storage)) {
            std::fill_n(from.memory.begin() + static_cast<std::ptrdiff_t>(at + 2), 32,
                        static_cast<std::byte>(code));
        }
        const turned_weights<tamis::q8_0> to{from};
        for (const float value : {-3.0f, 3.0f}) {
            const std::vector<float> x(64, value);
            std::vector<float> y(64), plain(64);
            const tamis::matrix<tamis::detail::added_in_int8<tamis::column_blocks<tamis::q8_0>>,
                                tamis::neuron_major>
                in_integers{to.memory.bytes().data(), 64, 64};
            sum_rows(in_integers, tamis::all_rows{64}, std::span<const float>{x}, std::span<float>{y}, 0, 64);
            tamis::sum_rows_plain(to.view, tamis::all_rows{64}, std::span<const float>{x},
                                  std::span<float>{plain});
            CHECK(largest_error(plain, y, 0, 64) < 1e-5);
        }
    }
}
TEST_CASE("column_blocks of four bits") {
    check_format<tamis::q4_0>();
    check_format<tamis::q4_1>();
}
TEST_CASE("column_blocks of five bits") {
    check_format<tamis::q5_0>();
    check_format<tamis::q5_1>();
}
TEST_CASE("column_blocks of tables") {
    check_format<tamis::iq4_nl>();
    check_format<tamis::mxfp4>();
}

} // namespace sum_column_blocks_test
