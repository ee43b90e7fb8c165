#pragma once

#include <tamis/detail/hardened.hpp>
#include <tamis/detail/inlined.hpp>
#include <tamis/detail/lifetimebound.hpp>
#include <tamis/error.hpp>
#include <tamis/whole_number.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

TAMIS_BEGIN

/// 64-bit words that a mask over n entries takes.
constexpr std::size_t mask_words(std::size_t n) { return n / 64 + (n % 64 != 0 ? 1 : 0); }

namespace detail {

/// Bits that are set. In two halves, because g++ 12 with AVX512VPOPCNTDQ folds a loop of 64-bit popcounts over constants
/// to the sum of the words.
constexpr std::size_t bits_set(std::uint64_t word) {
    return popcount(static_cast<std::uint32_t>(word)) + popcount(static_cast<std::uint32_t>(word >> 32));
}

} // namespace detail

TAMIS_END

TAMIS_BEGIN_SHARED

/// What every form of a mask can be asked. Entry i is bit i % 64 of word i / 64; bits behind the last are 0.
template <class Derived>
class mask_reads {
  public:
    /// Whether entry i is active; TAMIS_HARDENED checks i.
    TAMIS_KEYED constexpr bool operator[](std::size_t i) const {
        if constexpr (detail::hardened) {
            detail::need_index("tamis::mask: it has %zu entries, asked for was entry %zu", i, self().size());
        }
        return ((self().words()[i / 64] >> (i % 64)) & 1) != 0;
    }

    /// How many entries are active.
    TAMIS_KEYED constexpr std::size_t count() const {
        std::size_t active = 0;
        for (const std::uint64_t word : self().words()) {
            active += detail::bits_set(word);
        }
        return active;
    }
    /// The share of entries that are not active, in [0, 1]; 0 when there are none.
    TAMIS_KEYED constexpr double sparsity() const {
        const auto n = static_cast<double>(self().size());
        return self().size() == 0 ? 0.0 : (n - static_cast<double>(count())) / n;
    }
    /// Calls f(i) for every active entry, ascending.
    template <class F>
    TAMIS_KEYED constexpr void for_each_active(F&& f) const {
        std::size_t base = 0;
        for (std::uint64_t word : self().words()) {
            for (; word != 0; word &= word - 1) {
                f(base + detail::lowest_bit(word));
            }
            base += 64;
        }
    }

  private:
    TAMIS_KEYED constexpr const Derived& self() const { return static_cast<const Derived&>(*this); }
};

/// A mask to read, in words that someone else owns.
class mask_view : public mask_reads<mask_view> {
  public:
    TAMIS_KEYED constexpr mask_view() = default;
    /// Refuses fewer words than mask_words(n); bits behind the last entry have to be 0, which TAMIS_HARDENED checks.
    TAMIS_KEYED constexpr mask_view(std::span<const std::uint64_t> words TAMIS_LIFETIMEBOUND, whole_number n)
        : words_{words}, size_{n.or_fail("tamis::mask_view: n")} {
        if (words.size() < mask_words(size_)) {
            fail_sizes("tamis::mask_view: needs %zu words (mask_words(n)), got %zu", mask_words(size_),
                       words.size());
        }
        words_ = words.first(mask_words(size_));
        if constexpr (detail::hardened) {
            if (size_ % 64 != 0 && (words_.back() >> (size_ % 64)) != 0) {
                fail(
                    "tamis::mask_view: bits behind the last entry are not 0; mask_span::clear_behind makes them so");
            }
        }
    }
    /// How many entries.
    TAMIS_KEYED constexpr std::size_t size() const { return size_; }
    /// Entry i is bit i % 64 of word i / 64; bits behind the last entry are 0.
    TAMIS_KEYED constexpr std::span<const std::uint64_t> words() const { return words_; }

  private:
    std::span<const std::uint64_t> words_;
    std::size_t size_ = 0;
};

/// A mask to write, in words that someone else owns. Its words are undefined until something is written.
class mask_span : public mask_reads<mask_span> {
  public:
    TAMIS_KEYED constexpr mask_span() = default;
    /// Refuses fewer words than mask_words(n).
    TAMIS_KEYED constexpr mask_span(std::span<std::uint64_t> words TAMIS_LIFETIMEBOUND, whole_number n)
        : words_{words}, size_{n.or_fail("tamis::mask_span: n")} {
        if (words.size() < mask_words(size_)) {
            fail_sizes("tamis::mask_span: needs %zu words (mask_words(n)), got %zu", mask_words(size_),
                       words.size());
        }
        words_ = words.first(mask_words(size_));
    }
    /// To read.
    TAMIS_KEYED constexpr operator mask_view() const { return {words_, size_}; }

    /// How many entries.
    TAMIS_KEYED constexpr std::size_t size() const { return size_; }
    /// Entry i is bit i % 64 of word i / 64; bits behind the last entry are 0.
    TAMIS_KEYED constexpr std::span<std::uint64_t> words() const { return words_; }

    /// Makes entry i active or not; TAMIS_HARDENED checks i.
    TAMIS_KEYED constexpr void set(std::size_t i, bool active) const {
        if constexpr (detail::hardened) {
            detail::need_index("tamis::mask: it has %zu entries, to be set was entry %zu", i, size_);
        }
        const std::uint64_t bit = std::uint64_t{1} << (i % 64);
        words_[i / 64] = active ? words_[i / 64] | bit : words_[i / 64] & ~bit;
    }
    /// Makes all entries active, or none.
    TAMIS_KEYED constexpr void fill(bool active) const {
        for (std::uint64_t& word : words_) {
            word = active ? ~std::uint64_t{0} : 0;
        }
        clear_behind();
    }
    /// Makes the bits behind the last entry 0 again after whole words were written.
    TAMIS_KEYED constexpr void clear_behind() const {
        if (size_ % 64 != 0) {
            words_.back() &= (std::uint64_t{1} << (size_ % 64)) - 1;
        }
    }

  private:
    std::span<std::uint64_t> words_;
    std::size_t size_ = 0;
};

/// Words that are owned, all 0 at first: what a mask or a block of masks holds. (Not std::vector, whose members would be
/// shared with units for other instruction sets.)
class owned_words {
  public:
    TAMIS_KEYED owned_words() = default;
    /// So many words of zeros.
    TAMIS_KEYED explicit owned_words(std::size_t count)
        : first_{count == 0 ? nullptr : new std::uint64_t[count]{}}, count_{count} {}
    /// A copy.
    TAMIS_KEYED explicit owned_words(std::span<const std::uint64_t> other) : owned_words{other.size()} {
        for (std::size_t i = 0; i < count_; ++i) {
            first_[i] = other[i];
        }
    }
    /// Entry i is bit i % 64 of word i / 64; bits behind the last entry are 0.
    TAMIS_KEYED owned_words(const owned_words& other) : owned_words{other.words()} {}
    /// The same words.
    TAMIS_KEYED owned_words(owned_words&& other) noexcept
        : first_{std::exchange(other.first_, nullptr)}, count_{std::exchange(other.count_, 0)} {}
    /// The same words.
    TAMIS_KEYED owned_words& operator=(owned_words other) noexcept {
        std::swap(first_, other.first_);
        std::swap(count_, other.count_);
        return *this;
    }
    TAMIS_KEYED ~owned_words() { delete[] first_; }

    /// Entry i is bit i % 64 of word i / 64; bits behind the last entry are 0.
    TAMIS_KEYED std::span<std::uint64_t> words() { return {first_, count_}; }
    /// Entry i is bit i % 64 of word i / 64; bits behind the last entry are 0.
    TAMIS_KEYED std::span<const std::uint64_t> words() const { return {first_, count_}; }

    TAMIS_KEYED friend bool operator==(const owned_words& a, const owned_words& b) {
        for (std::size_t i = 0; i < a.count_ && i < b.count_; ++i) {
            if (a.first_[i] != b.first_[i]) {
                return false;
            }
        }
        return a.count_ == b.count_;
    }

  private:
    std::uint64_t* first_ = nullptr;
    std::size_t count_ = 0;
};

/// A mask with words of its own, for convenience: allocates at construction. Starts with no entry active.
class mask : public mask_reads<mask> {
  public:
    TAMIS_KEYED mask() = default;
    /// n entries, none active. Refuses a negative number.
    TAMIS_KEYED explicit mask(whole_number n)
        : words_(mask_words(n.or_fail("tamis::mask: n"))), size_{n.or_fail("")} {}
    /// Entry i is bit i % 64 of word i / 64; bits behind the last entry are 0.
    TAMIS_KEYED explicit mask(mask_view other) : words_{other.words()}, size_{other.size()} {}
    TAMIS_KEYED mask(const mask&) = default;
    /// The other is empty then.
    TAMIS_KEYED mask(mask&& other) noexcept
        : words_{std::move(other.words_)}, size_{std::exchange(other.size_, 0)} {}
    /// The same words.
    TAMIS_KEYED mask& operator=(mask other) noexcept {
        words_ = std::move(other.words_);
        size_ = other.size_;
        return *this;
    }
    TAMIS_KEYED ~mask() = default;

    /// Entry i is bit i % 64 of word i / 64; bits behind the last entry are 0.
    TAMIS_KEYED operator mask_view() const TAMIS_LIFETIMEBOUND { return {words_.words(), size_}; }
    /// Entry i is bit i % 64 of word i / 64; bits behind the last entry are 0.
    TAMIS_KEYED mask_span span() TAMIS_LIFETIMEBOUND { return {words_.words(), size_}; }

    /// How many entries.
    TAMIS_KEYED std::size_t size() const { return size_; }
    /// Entry i is bit i % 64 of word i / 64; bits behind the last entry are 0.
    TAMIS_KEYED std::span<const std::uint64_t> words() const TAMIS_LIFETIMEBOUND { return words_.words(); }
    /// Makes entry i active or not; TAMIS_HARDENED checks i.
    TAMIS_KEYED void set(std::size_t i, bool active) { span().set(i, active); }

    TAMIS_KEYED friend bool operator==(const mask& a, const mask& b) {
        return a.size_ == b.size_ && a.words_ == b.words_;
    }

  private:
    owned_words words_;
    std::size_t size_ = 0;
};

TAMIS_END
