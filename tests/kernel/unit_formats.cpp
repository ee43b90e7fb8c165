#include "format/unit_formats.hpp"
#include "kernel/support.hpp"

#include <doctest/doctest.h>

#include <string>

namespace unit_formats_test {

// Kernels over formats that are unpacked by units, at all widths, for all rows and for some, for one token and for several: each
// product is as near to the exact one as rounding its terms and partial sums leaves it, beside massive values too, and rows
// that are not active are not read.

namespace {

struct unit_kernels {
    unit_format_case format;
    void (*dots)(const std::byte*, std::size_t columns, tamis::active_rows, std::span<const float>,
                 std::span<float>);
    void (*dots_of_block)(const std::byte*, std::size_t columns, tamis::active_rows,
                          tamis::block<const float>, tamis::block<float>);
    void (*sums)(const std::byte*, std::size_t columns, tamis::active_rows, std::span<const float>,
                 std::span<float>, std::size_t begin, std::size_t end);
    void (*sums_of_block)(const std::byte*, std::size_t columns, tamis::active_rows,
                          tamis::block<const float>, tamis::block<float>, std::size_t begin, std::size_t end);
};
template <class F>
using unit_matrix = tamis::matrix<F, tamis::neuron_major>;
template <class F>
unit_kernels kernels_of() {
    constexpr std::size_t some = 1000; // rows; those that are listed are there
    return {unit_case_of<F>(),
            [](const std::byte* p, std::size_t columns, tamis::active_rows rows, std::span<const float> x,
               std::span<float> y) {
                tamis::dot_rows(unit_matrix<F>{p, some, columns}, rows, x, y);
            },
            [](const std::byte* p, std::size_t columns, tamis::active_rows rows, tamis::block<const float> x,
               tamis::block<float> y) {
                tamis::dot_rows_of_block(unit_matrix<F>{p, some, columns}, rows, x, y);
            },
            [](const std::byte* p, std::size_t columns, tamis::active_rows rows, std::span<const float> x,
               std::span<float> y, std::size_t begin, std::size_t end) {
                tamis::sum_rows(unit_matrix<F>{p, some, columns}, rows, x, y, begin, end);
            },
            [](const std::byte* p, std::size_t columns, tamis::active_rows rows, tamis::block<const float> x,
               tamis::block<float> y, std::size_t begin, std::size_t end) {
                tamis::sum_rows_of_block(unit_matrix<F>{p, some, columns}, rows, x, y, begin, end);
            }};
}

/// A matrix of rows and the products of it that are checked.
class unit_products {
  public:
    unit_products(const unit_kernels& kernels, std::size_t rows, std::size_t columns, engine& random)
        : kernels_{kernels}, rows_{rows}, columns_{columns}, weights_(rows * columns) {
        for (std::size_t i = 0; i < rows; ++i) {
            const bool is_read = i % 5 != 3;
            const auto row = kernels.format.row(columns, random, true);
            for (std::size_t j = 0; j < columns && is_read; ++j) {
                weights_[i * columns + j] = kernels.format.at(row.data(), j);
            }
            if (is_read) {
                active_.push_back(static_cast<std::uint32_t>(i));
            }
            bytes_.insert(bytes_.end(), row.begin(), row.end());
            if (!is_read) { // whatever is read there is seen, if it is read as a number or not
                std::fill(bytes_.end() - static_cast<std::ptrdiff_t>(row.size()), bytes_.end(),
                          std::byte{0xff});
            }
        }
    }

    void check(float massive, engine& random) const {
        const std::size_t n = (std::max)(rows_, columns_);
        constexpr std::size_t tokens = 5;
        std::vector<float> x(tokens * n);
        for (std::size_t k = 0; k < x.size(); ++k) {
            x[k] = k % n % 29 == 7 ? massive : coarse(random);
        }
        const tamis::active_rows active{active_};
        std::vector<float> y(tokens * n, sentinel);
        const auto token = [&](auto& of, std::size_t t, std::size_t count) {
            return std::span{of}.subspan(t * n, count);
        };
        kernels_.dots(bytes_.data(), columns_, active, token(x, 0, columns_), token(y, 0, rows_));
        REQUIRE(dots_are_right(token(x, 0, columns_), token(y, 0, rows_)));
        kernels_.dots_of_block(bytes_.data(), columns_, active, {x.data(), tokens, columns_, n},
                               {y.data(), tokens, rows_, n});
        for (std::size_t t = 0; t < tokens; ++t) {
            REQUIRE(dots_are_right(token(x, t, columns_), token(y, t, rows_)));
        }
        const std::size_t middle = columns_ / 2 / 64 * 64;
        std::fill(y.begin(), y.end(), 0.0f);
        kernels_.sums(bytes_.data(), columns_, active, token(x, 0, rows_), token(y, 0, columns_), middle,
                      columns_);
        kernels_.sums(bytes_.data(), columns_, active, token(x, 0, rows_), token(y, 0, columns_), 0, middle);
        REQUIRE(sums_are_right(token(x, 0, rows_), token(y, 0, columns_)));
        std::fill(y.begin(), y.end(), 0.0f);
        kernels_.sums_of_block(bytes_.data(), columns_, active, {x.data(), tokens, rows_, n},
                               {y.data(), tokens, columns_, n}, middle, columns_);
        kernels_.sums_of_block(bytes_.data(), columns_, active, {x.data(), tokens, rows_, n},
                               {y.data(), tokens, columns_, n}, 0, middle);
        for (std::size_t t = 0; t < tokens; ++t) {
            REQUIRE(sums_are_right(token(x, t, rows_), token(y, t, columns_)));
        }
    }

  private:
    /// Whether a sum is exact up to the rounding of its terms and partial sums.
    template <class Term>
    static bool is_exact(float got, std::size_t terms, Term&& term) {
        double exact = 0;
        double magnitudes = 0;
        for (std::size_t k = 0; k < terms; ++k) {
            exact += term(k);
            magnitudes += std::fabs(term(k));
        }
        return std::fabs(double{got} - exact) <=
               magnitudes * static_cast<double>(terms + 4) * 0x1p-24 + 0x1p-126;
    }
    bool dots_are_right(std::span<const float> x, std::span<const float> y) const {
        bool right = true;
        for (std::size_t i = 0, k = 0; i < rows_; ++i) {
            if (k < active_.size() && active_[k] == i) {
                right = right && is_exact(y[i], columns_, [&](std::size_t j) {
                            return double{weights_[i * columns_ + j]} * double{x[j]};
                        });
                ++k;
            } else {
                right = right && y[i] == sentinel;
            }
        }
        return right;
    }
    bool sums_are_right(std::span<const float> x, std::span<const float> y) const {
        bool right = true;
        for (std::size_t j = 0; j < columns_; ++j) {
            right = right && is_exact(y[j], active_.size(), [&](std::size_t k) {
                        return double{weights_[active_[k] * columns_ + j]} * double{x[active_[k]]};
                    });
        }
        return right;
    }

    const unit_kernels& kernels_;
    std::size_t rows_, columns_;
    std::vector<float> weights_;
    std::vector<std::byte> bytes_;
    std::vector<std::uint32_t> active_;
};

} // namespace

TEST_CASE("kernels over formats that are unpacked by units") {
    const unit_kernels all[] = {kernels_of<tamis::q4_1>(),           kernels_of<tamis::q5_0>(),
                                kernels_of<tamis::q2_k>(),           kernels_of<tamis::q4_k>(),
                                kernels_of<tamis::q6_k>(),           kernels_of<tamis::mxfp4>(),
                                kernels_of<tamis::fp8_by_row>(),     kernels_of<tamis::fp8_blocks>(),
                                kernels_of<tamis::int4_groups<64>>()};
    for (const auto& kernels : all) {
        CAPTURE(std::string{kernels.format.name});
        engine random{21};
        const std::size_t block = kernels.format.block;
        for (const std::size_t wanted : {1u, 31u, 64u, 95u, 129u, 256u, 300u, 1100u}) {
            const std::size_t columns = (wanted + block - 1) / block * block;
            const std::size_t rows = 1 + below(random, 24);
            CAPTURE(columns);
            CAPTURE(rows);
            const unit_products products{kernels, rows, columns, random};
            for (const float massive : {1.0f, -7e4f, 3e15f}) {
                products.check(massive, random);
            }
        }
    }
}

} // namespace unit_formats_test
