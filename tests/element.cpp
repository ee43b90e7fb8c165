#include <tamis/element.hpp>

#include "support/bits.hpp"
#include "support/flushed_denormals.hpp"
#include "support/formats.hpp"

#include <doctest/doctest.h>
#include <limits>
#include <vector>
#if __has_include(<stdfloat>)
#include <stdfloat>
#endif

namespace {

struct own {
    short thousandths;
};
enum colour : int {};

template <class T>
constexpr bool reads_as_float = std::is_same_v<tamis::real_of<T>, float>;
template <class T>
constexpr bool reads_as_double = std::is_same_v<tamis::real_of<T>, double>;

} // namespace

template <>
struct tamis::element_traits<own> {
    using real = double;
    static double to_real(const own& value) { return value.thousandths / 1000.0; }
};

static_assert(reads_as_float<float> && reads_as_float<const Eigen::half> && reads_as_float<Eigen::bfloat16> &&
              reads_as_float<std::int8_t> && reads_as_float<std::int16_t>);
static_assert(reads_as_double<double> && reads_as_double<std::int32_t> &&
              reads_as_double<const std::int64_t> && reads_as_double<own>);
#if defined(TAMIS_HAS_FLOAT16)
static_assert(reads_as_float<_Float16>);
#endif
static_assert(!tamis::element<bool> && !tamis::element<unsigned> && !tamis::element<std::uint8_t>);
// C++23's own types, where the library counts them as arithmetic.
#if defined(__STDCPP_FLOAT16_T__)
static_assert(reads_as_float<std::float16_t>);
#endif
#if defined(__STDCPP_BFLOAT16_T__)
static_assert(reads_as_float<const std::bfloat16_t>);
#endif
#if defined(__STDCPP_FLOAT32_T__)
static_assert(reads_as_float<std::float32_t>);
#endif
#if defined(__STDCPP_FLOAT64_T__)
static_assert(reads_as_double<std::float64_t>);
#endif
#if defined(__STDCPP_FLOAT128_T__)
static_assert(!tamis::element<std::float128_t>);
#endif
#if defined(__SIZEOF_INT128__)
static_assert(!tamis::element<__int128_t> && !tamis::element<__uint128_t>);
#endif
static_assert(!tamis::element<long double> && !tamis::element<colour> && !tamis::element<float*> &&
              !tamis::element<void*>);

TEST_CASE("every element converts without loss") {
    CHECK(tamis::to_real(std::int16_t{-32768}) == -32768.0f);
    CHECK(tamis::to_real(std::numeric_limits<std::int32_t>::max()) == 2147483647.0);
    CHECK(tamis::to_real(std::int64_t{1} << 52 | 1) == 4503599627370497.0);
    CHECK(tamis::to_real(std::numeric_limits<std::int64_t>::min()) == -0x1p63);
    CHECK(tamis::to_real(own{-1500}) == -1.5);
}

TEST_CASE_TEMPLATE("16-bit formats convert bit by bit", T, Eigen::half, Eigen::bfloat16 AND_FLOAT16) {
    constexpr ieee format = format_of<T>::value;
    std::size_t wrong = 0;
    for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
        const auto field = static_cast<int>((bits & 0x7fff) >> format.fraction_bits);
        const std::uint32_t fraction = bits & ((1u << format.fraction_bits) - 1);
        const bool last = field == (1 << format.exponent_bits) - 1;
        std::uint32_t expected = 0;
        if (last && fraction != 0) {
            expected = 0x7fc00000u;
        } else if (last) {
            expected = 0x7f800000u;
        } else {
            const std::uint64_t integer = field == 0 ? fraction : fraction | 1u << format.fraction_bits;
            expected = static_cast<std::uint32_t>(ieee{8, 23}.bits(
                {false, integer, (field == 0 ? 1 : field) - format.bias() - format.fraction_bits}));
        }
        const auto real = tamis::to_real(from_bits<T>(bits));
        const std::uint32_t got = tamis::magnitude_bits(real);
        const bool negative = (std::bit_cast<std::uint32_t>(real) >> 31) != 0;
        const bool no_number = last && fraction != 0;
        wrong +=
            (no_number ? !tamis::is_nan(real) : got != expected || negative != (bits >> 15 != 0)) ? 1 : 0;
    }
    CHECK(wrong == 0);
}

TEST_CASE_TEMPLATE("magnitude_bits order as the magnitudes do, NaN last", T, float, double) {
    using tamis::magnitude_bits;
    CHECK(magnitude_bits(T(0)) == 0);
    CHECK(magnitude_bits(negative_zero_of<T>) == 0);
    CHECK(magnitude_bits(denormal_of<T>(1)) == 1);
    CHECK(magnitude_bits(T(-1)) == magnitude_bits(T(1)));
    CHECK(magnitude_bits(T(1)) < magnitude_bits(T(-2)));
    CHECK(magnitude_bits(std::numeric_limits<T>::max()) + 1 == tamis::infinity_bits<T>);
    CHECK(magnitude_bits(negative_inf_of<T>) == tamis::infinity_bits<T>);
    CHECK(tamis::is_nan(nan_of<T>));
    CHECK(tamis::is_nan(negative_nan_of<T>));
    CHECK_FALSE(tamis::is_nan(inf_of<T>));
}

TEST_CASE("a float widens exactly even where denormals are flushed") {
    const flushed_denormals guard;
    for (const std::uint32_t bits :
         {0u, 1u, 0x80000001u, 0x007fffffu, 0x807fffffu, 0x00800000u, 0x3f800000u, 0xff7fffffu}) {
        const double wide = tamis::widen(from_bits<float>(bits));
        const auto magnitude = bits & 0x7fffffffu;
        const double units = magnitude < 0x00800000u
                                 ? static_cast<double>(magnitude)
                                 : static_cast<double>((magnitude & 0x7fffffu) | 0x800000u);
        const int exponent = magnitude < 0x00800000u ? -149 : static_cast<int>(magnitude >> 23) - 150;
        CAPTURE(bits);
        CHECK(std::bit_cast<std::uint64_t>(wide) ==
              ieee{11, 52}.bits({(bits >> 31) != 0, static_cast<std::uint64_t>(units), exponent}));
    }
}
