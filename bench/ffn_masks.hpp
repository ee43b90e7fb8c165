#pragma once

#include <tamis/tamis.hpp>

#include "timing.hpp"

#include <cstring>
#include <random>

// Selectors for the benchmarks of FFNs.

/// Random masks of a density, made beforehand and taken in turn: what remains of a selector's time is a copy.
class random_masks {
  public:
    random_masks(std::size_t n, double density) : words_{tamis::mask_words(n)}, all_(count * words_) {
        std::mt19937_64 random{n};
        std::bernoulli_distribution keep{density};
        for (std::size_t k = 0; k < count; ++k) {
            const tamis::mask_span mask{std::span{all_}.subspan(k * words_, words_), n};
            for (std::size_t i = 0; i < n; ++i) {
                mask.set(i, keep(random));
            }
        }
    }
    std::span<const std::uint64_t> next() {
        turn_ = (turn_ + 1) % count;
        return std::span{all_}.subspan(turn_ * words_, words_);
    }

  private:
    static constexpr std::size_t count = 61;
    std::size_t words_;
    std::vector<std::uint64_t> all_;
    std::size_t turn_ = 0;
};

/// A selector that copies the next mask; a predictor's, too.
struct next_mask {
    random_masks* masks;
    void give(std::size_t, tamis::mask_span out) const {
        const auto from = masks->next();
        std::memcpy(out.words().data(), from.data(), from.size_bytes());
    }
    void select(std::span<const float>, tamis::mask_span out, tamis::workspace) const { give(0, out); }
    static std::size_t selection_bytes(std::size_t) { return 0; }
};

/// A rule whose time is counted.
template <class Rule>
struct timed {
    Rule rule;
    double* seconds;
    void select(std::span<const float> values, tamis::mask_span out, tamis::workspace w) const {
        const auto start = clock_type::now();
        tamis::select(rule, values, out, w);
        *seconds += std::chrono::duration<double>(clock_type::now() - start).count();
    }
    std::size_t selection_bytes(std::size_t n) const { return tamis::selection_bytes(rule, n); }
};
