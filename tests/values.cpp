// What can be masked, and what is refused: see must_not_compile for the messages.
#include <tamis/rule/top_k.hpp>
#include <tamis/values.hpp>

#include "support/formats.hpp"
#include "support/message.hpp"
#include "support/show.hpp"

#include <doctest/doctest.h>
#include <array>
#include <deque>
#include <list>
#include <vector>

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

TEST_CASE("the least integer has a magnitude") {
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
