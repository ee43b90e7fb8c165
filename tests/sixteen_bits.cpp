#include <tamis/sixteen_bits.hpp>

#include <tamis/any_numbers.hpp>
#include <tamis/detail/from_reals.hpp>
#include <tamis/rule/threshold.hpp>
#include <tamis/select.hpp>

#include <doctest/doctest.h>

#include <span>
#include <vector>

// Numbers of 16 bits that another library has in memory: every one of them is what the formats read, and masks see the same.

namespace {

template <class T, class F>
void check_all_of(const char* format) {
    static_assert(tamis::element<T> && tamis::detail::activation_type<T>);
    std::vector<T> all(65536);
    for (std::size_t i = 0; i < all.size(); ++i) {
        all[i] = {static_cast<std::uint16_t>(i)};
    }
    const auto* const bytes = reinterpret_cast<const std::byte*>(all.data());
    const tamis::any_numbers named{"x", format, all.data(), all.size()};
    std::vector<float> converted(all.size());
    tamis::detail::to_reals(all.data(), all.size(), converted.data());
    std::vector<T> rounded(all.size());
    tamis::detail::from_reals(converted.data(), converted.size(), rounded.data());
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const float right = F::at(bytes, i);
        const auto same = [&](float value) {
            return tamis::is_nan(right)
                       ? tamis::is_nan(value)
                       : std::bit_cast<std::uint32_t>(value) == std::bit_cast<std::uint32_t>(right);
        };
        wrong += same(static_cast<float>(all[i])) && same(converted[i]) && same(named[i]) ? 0u : 1u;
        wrong += tamis::is_nan(right) || rounded[i].bits == all[i].bits ? 0u : 1u;
    }
    CHECK(wrong == 0);
    CHECK(tamis::threshold{0.5}(std::span<const T>{all}).count() ==
          tamis::threshold{0.5}(std::span<const float>{converted}).count());
}

} // namespace

TEST_CASE("numbers of 16 bits: all 65536 of both kinds") {
    check_all_of<tamis::binary16, tamis::f16>("f16");
    check_all_of<tamis::bfloat16, tamis::bf16>("bf16");
}

TEST_CASE("numbers whose type is known at run time") {
    const float values[]{1, 2, 3, 4};
    const tamis::any_numbers some{"bias", "f32", values, 4};
    CHECK(some.floats(1, 2) == std::vector<float>{2, 3});
    CHECK(some.floats(4, 0).empty());
    CHECK_FALSE(static_cast<bool>(tamis::any_numbers{}));
    CHECK_THROWS_WITH_AS(static_cast<void>(some.floats(3, 2)),
                         doctest::Contains("5 numbers are needed, but there are 4"), std::invalid_argument);
    CHECK_THROWS_WITH_AS((tamis::any_numbers{"bias", "q8_0", values, 4}),
                         doctest::Contains("bias is q8_0; there are f32, f16 and bf16"),
                         std::invalid_argument);
}
