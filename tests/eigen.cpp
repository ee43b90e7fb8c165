#include <tamis/eigen.hpp>
#include <tamis/mask/apply.hpp>
#include <tamis/rule/top_k.hpp>
#include <tamis/select_block.hpp>

#include "support/show.hpp"

#include <doctest/doctest.h>

using tamis::top_k;
using tamis::values;

namespace {

using row_major = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using column_major = Eigen::MatrixXf;

} // namespace

static_assert(values<Eigen::VectorXf> && values<const Eigen::VectorXd&> && values<Eigen::RowVectorXf> &&
              values<Eigen::Vector4f> && values<Eigen::ArrayXf> && values<Eigen::VectorXi> &&
              values<Eigen::Matrix<Eigen::half, Eigen::Dynamic, 1>> &&
              values<Eigen::Matrix<Eigen::bfloat16, 8, 1>>);
static_assert(values<Eigen::Map<Eigen::VectorXf>> && values<Eigen::Map<const Eigen::VectorXf>> &&
              values<Eigen::Ref<Eigen::VectorXf>> && values<const Eigen::Ref<const Eigen::VectorXf>&>);
static_assert(values<decltype(std::declval<column_major&>().col(0))> &&
              values<decltype(std::declval<row_major&>().row(0))> &&
              values<decltype(std::declval<const column_major&>().col(0).segment(1, 2))>);
static_assert(!values<decltype(std::declval<column_major&>().row(0))>,
              "a row of a column-major matrix is strided");
static_assert(!values<decltype(std::declval<row_major&>().col(0))>, "so is a column of a row-major one");
static_assert(!values<Eigen::Map<Eigen::VectorXf, 0, Eigen::InnerStride<2>>> &&
              !values<Eigen::Map<Eigen::VectorXf, 0, Eigen::InnerStride<>>>);
static_assert(!values<decltype(std::declval<Eigen::VectorXf&>() * 2.0f)> &&
                  !values<decltype(std::declval<Eigen::ArrayXf&>().abs())> &&
                  !values<decltype(std::declval<Eigen::VectorXf&>().reverse())>,
              "an expression has no memory");
static_assert(!values<column_major> && !values<Eigen::VectorXcf>,
              "a matrix is a block; complex numbers have no order");

TEST_CASE("vectors, maps, segments, columns and rows are masked where they lie") {
    Eigen::VectorXf v(5);
    v << 4, -1, 0.5f, 0.3f, 0.2f;
    CHECK(show(top_k{2}(v)) == "11000");
    CHECK(show(top_k{2}(v.segment(1, 3))) == "110");
    CHECK(show(top_k{1}(v.tail(2))) == "10");
    CHECK(show(top_k{1}(v.transpose())) == "10000");
    const float memory[4]{1, 2, 3, 4};
    CHECK(show(top_k{1}(Eigen::Map<const Eigen::VectorXf>(memory, 4))) == "0001");

    column_major by_columns(2, 3);
    by_columns << 1, 2, 3, //
        6, 5, 4;
    row_major by_rows = by_columns;
    CHECK(show(top_k{1}(by_columns.col(1))) == "01");
    CHECK(show(top_k{1}(by_rows.row(1))) == "100");
    CHECK(show(top_k{1}(by_rows.row(0).head(2))) == "01");
}

TEST_CASE("strided rows, columns and maps go through strided_eigen") {
    column_major by_columns(2, 3);
    by_columns << 1, 2, 3, //
        6, 5, 4;
    const row_major by_rows = by_columns;
    CHECK(show(top_k{1}(tamis::strided_eigen(by_columns.row(1)))) == "100");
    CHECK(show(top_k{1}(tamis::strided_eigen(by_rows.col(2)))) == "01");
    float memory[6]{1, 9, 2, 8, 3, 7};
    const Eigen::Map<Eigen::VectorXf, 0, Eigen::InnerStride<>> odd(memory + 1, 3, Eigen::InnerStride<>(2));
    CHECK(show(top_k{2}(tamis::strided_eigen(odd))) == "110");
    CHECK(show(top_k{1}(tamis::strided_eigen(by_columns.diagonal()))) == "01");
}

TEST_CASE("zeroing writes through segments and columns") {
    column_major m = column_major::Constant(3, 2, 1.0f);
    tamis::mask keep{3};
    keep.set(1, true);
    tamis::zero_inactive(m.col(1), keep);
    CHECK(m.col(0).sum() == 3.0f);
    CHECK(m.col(1).sum() == 1.0f);
    CHECK(m(1, 1) == 1.0f);
    tamis::mask none{2};
    tamis::zero_inactive(tamis::strided_eigen(m.row(0)), none);
    CHECK(m(0, 0) == 0.0f);
}

TEST_CASE("a row-major matrix is a block, a part of one too") {
    row_major m(2, 4);
    m << 1, 2, 3, 9, //
        6, 5, 4, 9;
    const auto rows = tamis::select_rows(top_k{1}, tamis::eigen_block(m.leftCols(3)));
    CHECK(show(rows.row(0)) == "001");
    CHECK(show(rows.row(1)) == "100");
    const row_major& read_only = m;
    CHECK(show(tamis::select_joint(top_k{2}, tamis::eigen_block(read_only)).row(0)) == "0001");
}
