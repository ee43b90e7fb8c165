// What can be masked, and what is refused: see must_not_compile for the messages.
#include <tamis/mask/apply.hpp>
#include <tamis/rule/threshold.hpp>
#include <tamis/rule/top_k.hpp>
#include <tamis/values.hpp>

#include "support/formats.hpp"
#include "support/message.hpp"
#include "support/show.hpp"

#include <doctest/doctest.h>
#include <array>
#include <deque>
#include <limits>
#include <list>
#include <vector>
#if __has_include(<stdfloat>)
#include <stdfloat>
#endif

#if defined(__STDCPP_FLOAT16_T__)
#define AND_STD_FLOAT16 , std::float16_t
#else
#define AND_STD_FLOAT16
#endif
#if defined(__STDCPP_BFLOAT16_T__)
#define AND_STD_BFLOAT16 , std::bfloat16_t
#else
#define AND_STD_BFLOAT16
#endif
#if defined(__STDCPP_FLOAT32_T__)
#define AND_STD_FLOAT32 , std::float32_t
#else
#define AND_STD_FLOAT32
#endif
#if defined(__STDCPP_FLOAT64_T__)
#define AND_STD_FLOAT64 , std::float64_t
#else
#define AND_STD_FLOAT64
#endif

using tamis::block;
using tamis::strided;
using tamis::values;

static_assert(values<std::vector<float>> && values<const std::vector<double>&> &&
              values<std::array<int, 3>> && values<std::span<const float>> && values<float[4]> &&
              values<const float (&)[4]> && values<std::initializer_list<float>> &&
              values<std::vector<Eigen::half>>);
static_assert(values<strided<float>> && values<const strided<const double>&>);
static_assert(!values<std::list<float>> && !values<std::deque<float>> && !values<std::vector<bool>> &&
              !values<std::vector<unsigned>> && !values<float> && !values<float*> &&
              !values<std::vector<std::vector<float>>>);
static_assert(std::is_same_v<tamis::values_real<std::vector<std::int32_t>>, double> &&
              std::is_same_v<tamis::values_real<const std::vector<Eigen::bfloat16>&>, float>);

TEST_CASE_TEMPLATE("every element type is masked alike", T, float, double, Eigen::half, Eigen::bfloat16,
                   std::int8_t, std::int16_t, std::int32_t, std::int64_t AND_FLOAT16) {
    const std::vector<T> v{T(1), T(-4), T(0), T(3), T(-3)};
    CHECK(show(tamis::top_k{1}(v)) == "01000");
    CHECK(show(tamis::top_k{2}(v)) == "01011");
    CHECK(show(tamis::top_k{5}(v)) == "11011");
    T raw[3]{T(1), T(2), T(0)};
    CHECK(show(tamis::top_k{1}(raw)) == "010");
    CHECK(show(tamis::top_k{1}(strided{v.data() + 1, 2, 2})) == "10");
}

TEST_CASE_TEMPLATE("C++23's floating-point types are masked like any other", T,
                   float AND_STD_FLOAT16 AND_STD_BFLOAT16 AND_STD_FLOAT32 AND_STD_FLOAT64) {
    std::vector<T> v(100, T(0.5f)); // whole vectors, and some behind
    v[3] = T(2);
    v[97] = T(-4);
    const tamis::mask m = tamis::top_k{2}(v);
    CHECK(m.count() == 2);
    CHECK((m[3] && m[97]));
    CHECK(tamis::top_k{1}(strided{v.data() + 3, 3, 1})[0]);
    tamis::zero_inactive(v, m);
    CHECK((v[0] == T(0) && v[3] == T(2)));
}

TEST_CASE("the least integer has a magnitude") {
    constexpr auto least16 = std::numeric_limits<std::int16_t>::min();
    constexpr auto least64 = std::numeric_limits<std::int64_t>::min();
    CHECK(show(tamis::top_k{1}(std::vector<std::int16_t>{32767, least16, -32767})) == "010");
    CHECK(show(tamis::top_k{1}(std::vector<std::int64_t>{std::int64_t{1} << 62, least64, 0})) == "010");
    // A double does not tell 2^63 from its neighbour: they tie.
    CHECK(show(tamis::top_k{1}(std::vector<std::int64_t>{least64 + 1, least64, least64 + 4096})) == "110");
    // Whole vectors of the least.
    CHECK(tamis::top_k{1}(std::vector<std::int8_t>(100, -128)).count() == 100);
    std::vector<std::int8_t> bytes(100, 127);
    bytes[67] = -128;
    CHECK(tamis::top_k{1}(bytes).count() == 1);
    CHECK(tamis::threshold{128}(bytes)[67]);
    CHECK(tamis::threshold{127.5}(bytes).count() == 1);
    CHECK(show(tamis::top_k{1}(std::vector<std::int8_t>{127, -128, -127})) == "010");
    CHECK(show(tamis::top_k{1}(std::vector<std::int32_t>{2147483647, -2147483647 - 1})) == "01");
    CHECK(show(tamis::top_k{1}(std::vector<std::int32_t>{16777217, 16777216})) ==
          "10"); // no float knows the first
}

TEST_CASE("strided values step over memory, forwards or backwards") {
    const std::vector<float> matrix{1, 9, 2, 8, 3, 7}; // 3 rows of 2
    CHECK(show(tamis::top_k{1}(strided{matrix.data(), 3, 2})) == "001");
    CHECK(show(tamis::top_k{1}(strided{matrix.data() + 1, 3, 2})) == "100");
    CHECK(show(tamis::top_k{1}(strided{matrix.data() + 5, 3, -2})) == "001");
    CHECK(show(tamis::top_k{1}(strided{matrix.data(), 0, 2})) == "");
    CHECK(show(tamis::top_k{1}(strided<const float>{nullptr, 0, 1})) == "");
    CHECK(show(tamis::top_k{1}(strided{matrix.data() + 2, 3, 0})) == "111"); // one value, three times
    const strided backwards{matrix.data() + 4, 3, -2};
    CHECK(backwards[0] == 3.0f);
    CHECK(backwards[2] == 1.0f);
    CHECK(backwards.size() == 3);
}

TEST_CASE("a block is rows a stride apart") {
    std::vector<float> memory{1, 2, 3, 4, 5, 6, 7, 8};
    const block<float> b{memory.data(), 2, 3, 4};
    CHECK(b.rows() == 2);
    CHECK(b.columns() == 3);
    CHECK(b.stride() == 4);
    CHECK(b.row(1).size() == 3);
    CHECK(b.row(1)[0] == 5.0f);
    const block<const float> read_only = b;
    CHECK(read_only.row(0)[2] == 3.0f);
    CHECK(block{memory.data(), 4, 2}.row(3)[1] == 8.0f);
}

#if defined(__cpp_exceptions)
TEST_CASE("a stride shorter than a row is refused, unless there is one row") {
    std::vector<float> memory(8);
    CHECK(message_of([&] {
              block<float>{memory.data(), 2, 4, 3};
          }) == "tamis::block: stride must be at least the 4 columns, got 3");
    CHECK_NOTHROW(block<float>{memory.data(), 1, 4, 0});
}
#endif
