#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

// What others do for a mask, down to the list of the active indices, each with memory of its own.

/// A magnitude with its index, in 8 bytes: quicker to sort than indices alone, which have to be looked up.
struct ranked {
    float magnitude;
    std::uint32_t index;
    friend bool operator>(const ranked& a, const ranked& b) { return a.magnitude > b.magnitude; }
};

class comparators {
  public:
    explicit comparators(std::size_t n) : all_(n), indices_(n), mass_(buckets) {}

    /// The active indices of top-p by sorting everything and adding up from the top.
    template <class T>
    std::span<const std::uint32_t> sort_top_p(std::span<const T> values, double p) {
        rank(values);
        std::sort(all_.begin(), all_.end(), std::greater<>{});
        double total = 0;
        for (const ranked& r : all_) {
            total += static_cast<double>(r.magnitude);
        }
        double sum = 0;
        std::size_t count = 0;
        while (count < all_.size() && sum < p * total) {
            sum += static_cast<double>(all_[count].magnitude);
            indices_[count] = all_[count].index;
            ++count;
        }
        return std::span{indices_}.first(count);
    }
    /// The indices of the `count` largest: top-k, or of top-p no more than its last step.
    template <class T>
    std::span<const std::uint32_t> nth_element(std::span<const T> values, std::size_t count) {
        rank(values);
        std::nth_element(all_.begin(), all_.begin() + static_cast<std::ptrdiff_t>(count), all_.end(),
                         std::greater<>{});
        for (std::size_t i = 0; i < count; ++i) {
            indices_[i] = all_[i].index;
        }
        return std::span{indices_}.first(count);
    }
    /// top-p by the mass in 4096 buckets, 16 a power of two: inexact, it keeps or drops the last bucket whole.
    template <class T>
    std::span<const std::uint32_t> histogram_top_p(std::span<const T> values, double p) {
        std::fill(mass_.begin(), mass_.end(), 0.0f);
        float total = 0;
        for (const T& value : values) {
            const float magnitude = std::fabs(static_cast<float>(value));
            mass_[std::bit_cast<std::uint32_t>(magnitude) >> 19] += magnitude;
            total += magnitude;
        }
        float sum = 0;
        std::size_t bucket = buckets;
        while (bucket > 0 && sum < static_cast<float>(p) * total) {
            sum += mass_[--bucket];
        }
        const auto threshold = std::bit_cast<float>(static_cast<std::uint32_t>(bucket << 19));
        std::size_t count = 0;
        for (std::size_t i = 0; i < values.size(); ++i) {
            indices_[count] = static_cast<std::uint32_t>(i);
            count += std::fabs(static_cast<float>(values[i])) >= threshold ? 1 : 0;
        }
        return std::span{indices_}.first(count);
    }

  private:
    static constexpr std::size_t buckets = 4096;

    template <class T>
    void rank(std::span<const T> values) {
        for (std::size_t i = 0; i < values.size(); ++i) {
            all_[i] = {std::fabs(static_cast<float>(values[i])), static_cast<std::uint32_t>(i)};
        }
    }

    std::vector<ranked> all_;
    std::vector<std::uint32_t> indices_;
    std::vector<float> mass_;
};
