#pragma once

#include <tamis/error.hpp>
#include <tamis/whole_number.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

TAMIS_BEGIN

/// 64-bit words that a mask over n entries takes.
constexpr std::size_t mask_words(std::size_t n) { return n / 64 + (n % 64 != 0 ? 1 : 0); }

namespace detail {

/// Bits that are set. In two halves, because g++ 12 with AVX512VPOPCNTDQ folds a loop of 64-bit popcounts over constants
/// to the sum of the words.
constexpr std::size_t bits_set(std::uint64_t word) {
    return static_cast<std::size_t>(std::popcount(static_cast<std::uint32_t>(word)) +
                                    std::popcount(static_cast<std::uint32_t>(word >> 32)));
}

/// What every form of a mask can be asked. Entry i is bit i % 64 of word i / 64; bits behind the last are 0.
template <class Derived>
class mask_reads {
  public:
    constexpr bool operator[](std::size_t i) const { return ((self().words()[i / 64] >> (i % 64)) & 1) != 0; }

    /// How many entries are active.
    constexpr std::size_t count() const {
        std::size_t active = 0;
        for (const std::uint64_t word : self().words()) {
            active += bits_set(word);
        }
        return active;
    }
    /// The share of entries that are not active, in [0, 1]; 0 when there are none.
    constexpr double sparsity() const {
        const auto n = static_cast<double>(self().size());
        return self().size() == 0 ? 0.0 : (n - static_cast<double>(count())) / n;
    }
    /// Calls f(i) for every active entry, ascending.
    template <class F>
    constexpr void for_each_active(F&& f) const {
        std::size_t base = 0;
        for (std::uint64_t word : self().words()) {
            for (; word != 0; word &= word - 1) {
                f(base + static_cast<std::size_t>(std::countr_zero(word)));
            }
            base += 64;
        }
    }

  private:
    constexpr const Derived& self() const { return static_cast<const Derived&>(*this); }
};

} // namespace detail

/// A mask to read, in words that someone else owns.
class mask_view : public detail::mask_reads<mask_view> {
  public:
    constexpr mask_view() = default;
    /// Refuses fewer words than mask_words(n); bits behind the last entry have to be 0.
    constexpr mask_view(std::span<const std::uint64_t> words, whole_number n)
        : words_{words}, size_{n.or_fail("tamis::mask_view: n")} {
        if (words.size() < mask_words(size_)) {
            fail_sizes("tamis::mask_view: needs %zu words (mask_words(n)), got %zu", mask_words(size_),
                       words.size());
        }
        words_ = words.first(mask_words(size_));
    }
    constexpr std::size_t size() const { return size_; }
    constexpr std::span<const std::uint64_t> words() const { return words_; }

  private:
    std::span<const std::uint64_t> words_;
    std::size_t size_ = 0;
};

/// A mask to write, in words that someone else owns. Its words are undefined until something is written.
class mask_span : public detail::mask_reads<mask_span> {
  public:
    constexpr mask_span() = default;
    /// Refuses fewer words than mask_words(n).
    constexpr mask_span(std::span<std::uint64_t> words, whole_number n)
        : words_{words}, size_{n.or_fail("tamis::mask_span: n")} {
        if (words.size() < mask_words(size_)) {
            fail_sizes("tamis::mask_span: needs %zu words (mask_words(n)), got %zu", mask_words(size_),
                       words.size());
        }
        words_ = words.first(mask_words(size_));
    }
    constexpr operator mask_view() const { return {words_, size_}; }

    constexpr std::size_t size() const { return size_; }
    constexpr std::span<std::uint64_t> words() const { return words_; }

    constexpr void set(std::size_t i, bool active) const {
        const std::uint64_t bit = std::uint64_t{1} << (i % 64);
        words_[i / 64] = active ? words_[i / 64] | bit : words_[i / 64] & ~bit;
    }
    constexpr void fill(bool active) const {
        for (std::uint64_t& word : words_) {
            word = active ? ~std::uint64_t{0} : 0;
        }
        clear_behind();
    }
    /// Makes the bits behind the last entry 0 again after whole words were written.
    constexpr void clear_behind() const {
        if (size_ % 64 != 0) {
            words_.back() &= (std::uint64_t{1} << (size_ % 64)) - 1;
        }
    }

  private:
    std::span<std::uint64_t> words_;
    std::size_t size_ = 0;
};

/// A mask with words of its own, for convenience: allocates at construction. Starts with no entry active.
class mask : public detail::mask_reads<mask> {
  public:
    mask() = default;
    explicit mask(whole_number n) : words_(mask_words(n.or_fail("tamis::mask: n"))), size_{n.or_fail("")} {}
    explicit mask(mask_view other)
        : words_(other.words().begin(), other.words().end()), size_{other.size()} {}

    operator mask_view() const { return {words_, size_}; }
    mask_span span() { return {words_, size_}; }

    std::size_t size() const { return size_; }
    std::span<const std::uint64_t> words() const { return words_; }
    void set(std::size_t i, bool active) { span().set(i, active); }

    friend bool operator==(const mask& a, const mask& b) {
        return a.size_ == b.size_ && a.words_ == b.words_;
    }

  private:
    std::vector<std::uint64_t> words_;
    std::size_t size_ = 0;
};

TAMIS_END
