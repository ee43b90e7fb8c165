#pragma once

#include <tamis/kernel/int8_values.hpp>

TAMIS_BEGIN

// The values of several tokens in blocks of 32 bytes (int8_values.hpp), the tokens' blocks side by side: what a tile of weights is
// multiplied with lies in one piece, and no two tokens want the same places of a cache.

namespace detail {

/// One block of all tokens: 32 codes a token; a scale for each token; then for each run of 16 or 32 what the zero of unsigned
/// weights takes off a token's products, and the sum of its codes times their scale.
struct int8_tokens_block {
    const std::int8_t* codes;
    const float* scales;
    const std::int32_t* zeros;
    const float* sums;
};

class int8_tokens {
  public:
    static std::size_t bytes(std::size_t tokens, std::size_t n, std::size_t run) {
        return workspace_bytes_of<std::byte>(padded(n) / int8_block * block_bytes(tokens, run));
    }

    int8_tokens() = default;
    /// Codes of weights are `zero` too large.
    int8_tokens(block<const float> x, std::size_t run, int zero, workspace& w)
        : memory_{w.take<std::byte>(padded(x.columns()) / int8_block * block_bytes(x.rows(), run)).data()},
          tokens_{x.rows()},
          run_{run} {
        for (std::size_t i = 0; i < padded(x.columns()); i += int8_block) {
            for (std::size_t token = 0; token < tokens_; ++token) {
                make(x.row(token), i, token, zero);
            }
        }
    }

    std::size_t size() const { return tokens_; }
    int8_tokens_block operator[](std::size_t b) const {
        const std::byte* const first = memory_ + b * block_bytes(tokens_, run_);
        const auto* const scales = reinterpret_cast<const float*>(first + tokens_ * int8_block);
        const float* const zeros = scales + tokens_;
        return {reinterpret_cast<const std::int8_t*>(first), scales,
                reinterpret_cast<const std::int32_t*>(zeros), zeros + int8_block / run_ * tokens_};
    }

  private:
    static constexpr std::size_t padded(std::size_t n) {
        return (n + int8_stretch - 1) / int8_stretch * int8_stretch;
    }
    static constexpr std::size_t block_bytes(std::size_t tokens, std::size_t run) {
        return tokens * (int8_block + sizeof(float) + 2 * sizeof(float) * (int8_block / run));
    }

    void make(std::span<const float> x, std::size_t i, std::size_t token, int zero) {
        std::byte* const first = memory_ + i / int8_block * block_bytes(tokens_, run_);
        auto* const codes = reinterpret_cast<std::int8_t*>(first) + token * int8_block;
        std::byte* const scales = first + tokens_ * int8_block;
        std::byte* const zeros = scales + tokens_ * sizeof(float);
        std::byte* const sums = zeros + int8_block / run_ * tokens_ * sizeof(float);
        const std::size_t left = i < x.size() ? x.size() - i : 0;
        const float* const from = unseen(x.data()) + (left == 0 ? 0 : i);
        const float scale =
            left >= int8_block ? to_int8_block(from, codes) : to_int8_block_plain(from, left, codes);
        std::memcpy(scales + token * sizeof(float), &scale, sizeof scale);
        for (std::size_t r = 0; r < int8_block / run_; ++r) {
            std::int32_t sum = 0;
            for (std::size_t k = 0; k < run_; ++k) {
                sum += codes[r * run_ + k];
            }
            const std::int32_t off = -zero * sum;
            const float of_codes = scale * static_cast<float>(sum);
            std::memcpy(zeros + (r * tokens_ + token) * sizeof off, &off, sizeof off);
            std::memcpy(sums + (r * tokens_ + token) * sizeof of_codes, &of_codes, sizeof of_codes);
        }
    }

    std::byte* memory_ = nullptr;
    std::size_t tokens_ = 0, run_ = int8_block;
};

} // namespace detail

TAMIS_END
