#pragma once

#include <tamis/study/exact_total.hpp>
#include <tamis/study/meter.hpp>
#include <tamis/study/state.hpp>

#include <Eigen/Eigenvalues>

#include <algorithm>
#include <cmath>

TAMIS_BEGIN

namespace study {

/// The effective rank of a site's values [U]: exp(-sum p ln p) with p = S / sum S over the singular values S of the matrix
/// tokens x features (not centred). They are the square roots of the eigenvalues of its Gram matrix, which is summed exactly,
/// in any order: products of floats are exact in double, and are kept to 2^-64. It sees the values before the site's mask.
///
/// The cost, for n features: n (n + 1) / 2 additions a token (about a nanosecond each) and 16 n (n + 1) bytes, 270 MB for
/// 4096; at the end O(n^3). `every` bounds it: of the tokens, only those whose place in their block (sighting::token) is a
/// multiple of it are taken. Tokens with NaN, infinity or products beyond 2^62 are counted and left out.
class effective_rank_meter {
  public:
    /// Refuses 0.
    explicit effective_rank_meter(site where, std::size_t every = 1) : where_{where}, every_{every} {
        if (every == 0) {
            fail_value("tamis::study::effective_rank_meter: every must be at least 1 (each token), got %.0f",
                       0);
        }
    }

    /// Refuses values of different sizes.
    void operator()(const sighting& s) {
        if (s.where != where_ || s.token % every_ != 0) {
            return;
        }
        if (std::any_of(s.values.begin(), s.values.end(), [](float value) {
                return magnitude_bits(value) >= magnitude_bits(0x1p31f); // the squares that exact_total takes
            })) {
            ++left_out_;
            return;
        }
        fit(s.values.size());
        ++tokens_;
        exact_total* next = gram_.data();
        for (std::size_t i = 0; i < features_; ++i) {
            const double value = widen(s.values[i]);
            for (std::size_t j = 0; j <= i; ++j) {
                next++->add(value * widen(s.values[j]));
            }
        }
    }
    /// Refuses a meter of another site, number of features or `every`.
    void merge(const effective_rank_meter& other) {
        if (other.where_ != where_) {
            fail("tamis::study::effective_rank_meter: a meter of one site can not take one of another");
        }
        detail::need(
            "tamis::study::effective_rank_meter: a meter of every %zu tokens can not take one of every %zu",
            every_, other.every_);
        left_out_ += other.left_out_;
        if (other.tokens_ == 0) {
            return;
        }
        fit(other.features_);
        tokens_ += other.tokens_;
        for (std::size_t i = 0; i < gram_.size(); ++i) {
            gram_[i].merge(other.gram_[i]);
        }
    }

    site where() const { return where_; }
    std::size_t every() const { return every_; }
    std::size_t features() const { return features_; }
    std::uint64_t tokens() const { return tokens_; }
    std::uint64_t left_out() const { return left_out_; }

    /// Descending, as many as there are features. What lies within rounding of zero (n eps of the largest eigenvalue) is 0,
    /// so singular values below about 1e-7 of the largest are lost.
    std::vector<double> singular_values() const {
        const auto n = static_cast<Eigen::Index>(features_);
        if (n == 0) {
            return {};
        }
        Eigen::MatrixXd gram(n, n);
        const exact_total* next = gram_.data();
        for (Eigen::Index i = 0; i < n; ++i) {
            for (Eigen::Index j = 0; j <= i; ++j) {
                gram(i, j) = gram(j, i) = next++->sum();
            }
        }
        const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(gram, Eigen::EigenvaluesOnly);
        const double largest = solver.eigenvalues()(n - 1);
        const double noise = largest * static_cast<double>(n) * 0x1p-52;
        std::vector<double> values(features_);
        for (Eigen::Index i = 0; i < n; ++i) {
            const double square = solver.eigenvalues()(n - 1 - i);
            values[static_cast<std::size_t>(i)] = square > noise ? std::sqrt(square) : 0.0;
        }
        return values;
    }
    /// In [1, features]; 0 of nothing and of zeros.
    double effective_rank() const {
        const std::vector<double> values = singular_values();
        double sum = 0;
        for (const double value : values) {
            sum += value;
        }
        if (!(sum > 0)) {
            return 0;
        }
        double entropy = 0;
        for (const double value : values) {
            const double p = value / sum;
            entropy -= p > 0 ? p * std::log(p) : 0.0;
        }
        return std::exp(entropy);
    }

    template <class Archive>
    void state(Archive& a) {
        a(std::as_const(where_), std::as_const(every_), features_, tokens_, left_out_, gram_);
    }
    const char* problem() const {
        const std::uint64_t n = features_; // below 2^32, its square can be told
        const bool square = n < std::uint64_t{1} << 32 && gram_.size() == n * (n + 1) / 2;
        const auto of_tokens = [&](const exact_total& t) {
            return t.count() == tokens_ && t.left_out() == 0;
        };
        const auto negative_square = [&] {
            for (std::size_t i = 0; i < features_; ++i) {
                if (gram_[i * (i + 3) / 2].sum() < 0) {
                    return true;
                }
            }
            return false;
        };
        return !square                  ? "effective_rank_meter: not a product for each pair of features"
               : negative_square()      ? "effective_rank_meter: a negative sum of squares"
               : tokens_ == 0 && n != 0 ? "effective_rank_meter: features of no tokens"
               : !std::all_of(gram_.begin(), gram_.end(), of_tokens)
                   ? "effective_rank_meter: a product of two features that does not count the tokens"
                   : nullptr;
    }

  private:
    void fit(std::size_t n) {
        if (tokens_ == 0) {
            features_ = n;
            gram_.assign(n * (n + 1) / 2, exact_total{});
        }
        detail::need("tamis::study::effective_rank_meter: %zu features are needed, got %zu", features_, n);
    }

    site where_;
    std::size_t every_, features_ = 0;
    std::uint64_t tokens_ = 0, left_out_ = 0;
    std::vector<exact_total> gram_; // the lower triangle, row by row
};

} // namespace study

TAMIS_END
