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
/// multiple of it are taken. A token with NaN, infinity or products beyond 2^62 is counted and can not be taken; then, and when
/// all squares together might reach 2^63, where sums end, there is no rank: it is NaN.
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
        take_mass(s.values);
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
        mass_ = saturated_sum(mass_, other.mass_);
        for (std::size_t i = 0; i < gram_.size(); ++i) {
            gram_[i].merge(other.gram_[i]);
        }
    }

    /// The site that it counts.
    site where() const { return where_; }
    /// One token in so many is taken.
    std::size_t every() const { return every_; }
    /// The width of the site.
    std::size_t features() const { return features_; }
    /// How many tokens were counted.
    std::uint64_t tokens() const { return tokens_; }
    /// Tokens that could not be taken.
    std::uint64_t left_out() const { return left_out_; }
    /// Whether the figures are those of all tokens. If not, they are NaN.
    bool is_known() const { return left_out_ == 0 && mass_ < std::uint64_t{1} << 63; }

    /// Descending, as many as there are features. What lies within rounding of zero (n eps of the largest eigenvalue) is 0,
    /// so singular values below about 1e-7 of the largest are lost. All NaN when a token could not be taken.
    std::vector<double> singular_values() const {
        const auto n = static_cast<Eigen::Index>(features_);
        if (n == 0) {
            return {};
        }
        if (!is_known()) {
            return std::vector<double>(features_, not_a_number);
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
    /// In [1, features]; 0 of nothing and of zeros; NaN when a token could not be taken.
    double effective_rank() const {
        if (!is_known()) {
            return not_a_number;
        }
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
        a(std::as_const(where_), std::as_const(every_), features_, tokens_, left_out_, mass_, gram_);
    }
    const char* problem() const {
        const std::uint64_t n = features_; // below 2^32, its square can be told
        const bool square = n < std::uint64_t{1} << 32 && gram_.size() == n * (n + 1) / 2;
        const auto of_tokens = [&](const exact_total& t) {
            return t.count() == tokens_ && t.left_out() == 0;
        };
        const auto negative_square = [&] { // sums that may have left their range say nothing
            if ((mass_ >> 63) != 0) {
                return false;
            }
            for (std::size_t i = 0; i < features_; ++i) {
                if (gram_[i * (i + 3) / 2].sum() < 0) {
                    return true;
                }
            }
            return false;
        };
        return !square                  ? "effective_rank_meter: not a product for each pair of features"
               : negative_square()      ? "effective_rank_meter: a negative sum of squares"
               : mass_ < tokens_        ? "effective_rank_meter: a sum of squares that can not be"
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

    /// No entry of the Gram matrix is larger than the sum over tokens of the largest square; ends at the largest integer,
    /// so that it does not depend on the order.
    void take_mass(std::span<const float> values) {
        double largest = 0;
        for (const float value : values) {
            largest = (std::max)(largest, widen(value) * widen(value));
        }
        mass_ = saturated_sum(mass_, static_cast<std::uint64_t>(largest) + 1);
    }

    site where_;
    std::size_t every_, features_ = 0;
    std::uint64_t tokens_ = 0, left_out_ = 0, mass_ = 0;
    std::vector<exact_total> gram_; // the lower triangle, row by row
};

} // namespace study

TAMIS_END
