#include <tamis/any_select.hpp>
#include <tamis/rule/threshold.hpp>

#include "support/generate.hpp"
#include "support/message.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <vector>

// Numbers whose type is known at run time: the masks of their values, wherever they lie.

namespace {

using tamis::any_block;
using tamis::number_type;

/// v as a number of the type that stands at `to`: whole numbers, which all of them have.
void put_number(number_type type, int v, std::byte* to) {
    const auto set = [&](auto number) { std::memcpy(to, &number, sizeof number); };
    const float real = static_cast<float>(v);
    std::uint32_t bits;
    std::memcpy(&bits, &real, sizeof bits);
    switch (type) {
        case number_type::f32: return set(real);
        case number_type::f64: return set(static_cast<double>(v));
        case number_type::bf16: return set(static_cast<std::uint16_t>(bits >> 16));
        case number_type::f16: // of whole numbers below 2^11: exponent and fraction of the float
            return set(static_cast<std::uint16_t>(
                v == 0 ? 0 : ((bits >> 16 & 0x8000) | ((bits >> 13 & 0x3ffff) - (112u << 10)))));
        case number_type::int8: return set(static_cast<std::int8_t>(v));
    }
}
struct backwards_in_two {
    static std::size_t width() { return 2; }
    void run(std::size_t count, auto&& task) const {
        while (count-- > 0) {
            task(count);
        }
    }
};
constexpr number_type all_number_types[]{number_type::f32, number_type::f64, number_type::f16,
                                         number_type::bf16, number_type::int8};

} // namespace

TEST_CASE("masks are those of the plain loop: types, steps, strides, threads") {
    constexpr std::size_t rows = 5;
    constexpr int least = 20;
    const tamis::threshold rule{least};
    for (const number_type type : all_number_types) {
        for (const std::size_t columns : {0u, 1u, 7u, 64u, 131u}) {
            for (const std::size_t step : {1u, 3u}) {
                const std::size_t each = tamis::bytes_of(type);
                const std::size_t stride = columns * step + 2;
                std::vector<std::byte> memory((rows * stride + 1) * each);
                const auto value = [&](std::size_t i, std::size_t j) {
                    return static_cast<int>((i * 37 + j * 11) % 81) - 40;
                };
                for (std::size_t i = 0; i < rows; ++i) {
                    for (std::size_t j = 0; j < columns; ++j) {
                        put_number(type, value(i, j), memory.data() + (i * stride + j * step) * each);
                    }
                }
                tamis::mask_block masks{rows, columns};
                const backwards_in_two backwards;
                tamis::owned_workspace scratch{tamis::any_selection_bytes(rule, type, columns, backwards)};
                tamis::any_select_rows(rule, any_block{type, memory.data(), rows, columns, stride, step},
                                       masks.span(), scratch, backwards);
                std::size_t wrong = 0;
                for (std::size_t i = 0; i < rows; ++i) {
                    for (std::size_t j = 0; j < columns; ++j) {
                        wrong += masks.row(i)[j] != (std::abs(value(i, j)) >= least) ? 1 : 0;
                    }
                }
                CHECK(wrong == 0);
            }
        }
    }
}

#if defined(__cpp_exceptions)
TEST_CASE("blocks that can not be are refused") {
    alignas(8) float numbers[8] = {};
    CHECK(message_of([&] { (void)any_block(number_type::f32, nullptr, 1, 1, 1); }) ==
          "tamis: values is a null pointer");
    CHECK(any_block(number_type::f64, nullptr, 0, 9, 9).rows() == 0);
    CHECK(message_of([&] {
              (void)any_block(number_type::f32, reinterpret_cast<char*>(numbers) + 2, 1, 1, 1, 1, "x");
          }) == "tamis: x lies at an address that is no multiple of 4");
    CHECK(any_block(number_type::f16, reinterpret_cast<char*>(numbers) + 2, 1, 1, 1).columns() == 1);
    CHECK_THROWS(any_block(number_type::f32, numbers, 2, 1, ~std::size_t{0}));
    CHECK_THROWS(any_block(number_type{5}, numbers, 1, 1, 1));
    CHECK_THROWS((any_block{number_type::f32, numbers, 2, 2, 4, 2}.as<const float>()));
    CHECK(any_block{number_type::f32, numbers, 2, 3, 4}.as<const float>().row(1).data() == numbers + 4);
    tamis::mask_block masks{2, 3};
    tamis::owned_workspace memory{4096};
    CHECK_THROWS(tamis::any_select_rows(tamis::threshold{1}, any_block{number_type::f32, numbers, 1, 3, 3},
                                        masks.span(), memory));
    CHECK_THROWS(tamis::any_select_rows(tamis::threshold{1}, any_block{number_type::f32, numbers, 2, 2, 2},
                                        masks.span(), memory));
}
#endif
