#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <vector>

/// The singular value decomposition by Jacobi's one-sided method: pairs of columns are turned until all are orthogonal. Plain
/// loops, beside which what uses a library is tested.
struct plain_svd {
    using column = std::vector<double>;
    std::vector<column>
        scaled_left; ///< the left singular vectors, each times its singular value, largest first
    std::vector<column> right;
    std::vector<double> values;

    explicit plain_svd(std::vector<column> columns) : scaled_left{std::move(columns)} {
        const std::size_t n = scaled_left.size();
        right.assign(n, column(n));
        for (std::size_t i = 0; i < n; ++i) {
            right[i][i] = 1;
        }
        for (bool turned = true; turned;) {
            turned = false;
            for (std::size_t i = 0; i < n; ++i) {
                for (std::size_t j = i + 1; j < n; ++j) {
                    turned = turn(i, j) || turned;
                }
            }
        }
        sort();
    }

  private:
    static double dot(const column& a, const column& b) {
        return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
    }
    bool turn(std::size_t i, std::size_t j) {
        const double a = dot(scaled_left[i], scaled_left[i]), b = dot(scaled_left[j], scaled_left[j]);
        const double c = dot(scaled_left[i], scaled_left[j]);
        if (std::abs(c) <= 1e-14 * std::sqrt(a * b) || std::abs(c) < 1e-280) {
            return false;
        }
        const double zeta = (b - a) / (2 * c);
        const double t = (zeta < 0 ? -1 : 1) / (std::abs(zeta) + std::hypot(1.0, zeta));
        const double cosine = 1 / std::hypot(1.0, t);
        for (auto* columns : {&scaled_left, &right}) {
            for (std::size_t k = 0; k < (*columns)[i].size(); ++k) {
                double& x = (*columns)[i][k];
                double& y = (*columns)[j][k];
                const double old = x;
                x = cosine * (old - t * y);
                y = cosine * (y + t * old);
            }
        }
        return true;
    }
    void sort() {
        std::vector<std::size_t> order(scaled_left.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        for (const column& c : scaled_left) {
            values.push_back(std::sqrt(dot(c, c)));
        }
        std::sort(order.begin(), order.end(),
                  [&](std::size_t i, std::size_t j) { return values[i] > values[j]; });
        const plain_svd unsorted{*this};
        for (std::size_t i = 0; i < order.size(); ++i) {
            scaled_left[i] = unsorted.scaled_left[order[i]];
            right[i] = unsorted.right[order[i]];
            values[i] = unsorted.values[order[i]];
        }
    }
};
