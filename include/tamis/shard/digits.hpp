#pragma once

#include <tamis/score/score.hpp>
#include <tamis/search/exact_sum.hpp>
#include <tamis/shard/communicator.hpp>
#include <tamis/workspace.hpp>

#include <array>

TAMIS_BEGIN

// The search of a cut over scores that lie on several ranks: digit by digit of the threshold's bits, the exponent first. For
// each value that a digit can have, a rank adds up in integers what its scores weigh, one reduction adds the ranks', and all
// take the same turn. So many reductions whatever the scores are:
//     float    4, of 2 KiB each
//     double   8, of 33 KiB for the exponent and 4 KiB behind it
// Nothing is rounded: the cut is that of the scores in one place. NaN and zeros weigh nothing.

namespace detail {

/// How a Real's bits fall into digits.
template <class Real>
struct digit_layout {
    static constexpr int fraction_bits = real_layout<Real>::digits - 1;
    static constexpr int most_bits = 8; // of a digit behind the exponent
    static constexpr std::size_t exponents = (infinity_bits<Real> >> fraction_bits) + 1;
    static constexpr std::size_t values = std::size_t{1} << most_bits;
    /// A significand is added in words of 32 bits of it, so that 2^32 scores do not overflow one.
    static constexpr std::size_t mass_words = sizeof(Real) / 4;
};

/// What searches add up: the scores themselves, or how many there are.
template <class Real>
struct mass_of_digit {
    static constexpr std::size_t words = digit_layout<Real>::mass_words;
    using total = exact_sum<Real>;

    static void add(bits_of<Real> score, std::uint64_t* to) {
        constexpr int fraction_bits = digit_layout<Real>::fraction_bits;
        const auto fraction = std::uint64_t{score} & ((std::uint64_t{1} << fraction_bits) - 1);
        const std::uint64_t one = score >> fraction_bits == 0 ? 0 : std::uint64_t{1} << fraction_bits;
        const std::uint64_t integer = fraction | one;
        if constexpr (words == 1) {
            to[0] += integer;
        } else {
            to[0] += integer & 0xffffffffu;
            to[1] += integer >> 32;
        }
    }
    static void add_to(total& sum, const std::uint64_t* from, std::size_t exponent_field) {
        const int exponent = real_layout<Real>::least_exponent +
                             (exponent_field == 0 ? 0 : static_cast<int>(exponent_field) - 1);
        sum.add_scaled(from[0], exponent);
        if constexpr (words == 2) {
            sum.add_scaled(from[1], exponent + 32);
        }
    }
};
template <class Real>
struct number_of_digit {
    static constexpr std::size_t words = 1;
    using total = std::uint64_t;

    static void add(bits_of<Real>, std::uint64_t* to) { to[0] += 1; }
    static void add_to(total& sum, const std::uint64_t* from, std::size_t) { sum += from[0]; }
};

/// What the first reduction adds beside the scores: a rank's number of entries, and a hash of the rule, the same on all.
struct shared_terms {
    std::uint64_t entries = 0, terms = 0;
};
constexpr std::uint64_t hash_of(std::uint64_t kind, std::uint64_t value) {
    std::uint64_t x = value + kind * 0x9e3779b97f4a7c15u;
    for (const int shift : {30, 27, 31}) {
        x = (x ^ (x >> shift)) * 0xbf58476d1ce4e5b9u;
    }
    return x;
}

/// Ranks that search by another rule than their neighbours would take another turn, and wait for ever.
template <communicator Comm>
void need_same_terms(bool same, const Comm& comm) {
    if (!same) {
        fail_sizes(
            "tamis::sharded: the ranks do not ask for the same: all %zu need the same rule and value (this is "
            "rank %zu)",
            comm.size(), comm.rank());
    }
}

template <class Real, template <class> class Weight, communicator Comm>
class digit_search {
    using layout = digit_layout<Real>;
    using weight = Weight<Real>;
    static constexpr std::size_t words = weight::words;

  public:
    using total = typename weight::total;

    static constexpr std::size_t bytes(std::size_t n) {
        return workspace_bytes_of<bits_of<Real>>(n) +
               workspace_bytes_of<std::uint64_t>(layout::exponents * words + 2);
    }

    /// The first reduction: what the scores of each exponent weigh.
    digit_search(scores<Real> s, shared_terms terms, const Comm& comm, workspace w)
        : comm_{&comm}, left_{w.take<bits_of<Real>>(s.size())} {
        table_ = w.take<std::uint64_t>(layout::exponents * words + 2);
        for (std::uint64_t& word : table_) {
            word = 0;
        }
        std::size_t count = 0;
        for (std::size_t i = 0; i < s.size(); ++i) {
            const bits_of<Real> bits = s.bits(i);
            if (bits != 0 && bits <= infinity_bits<Real>) {
                left_[count++] = bits;
                weight::add(bits, cell(bits >> layout::fraction_bits));
            }
        }
        left_ = left_.first(count);
        table_[layout::exponents * words] = terms.entries;
        table_[layout::exponents * words + 1] = terms.terms;
        comm.sum(table_);
        need_same_terms(table_[layout::exponents * words + 1] == terms.terms * comm.size(), comm);
        entries_ = table_[layout::exponents * words];
    }

    /// How many entries all ranks have together, zeros and NaN among them.
    std::uint64_t entries() const { return entries_; }
    bool has_infinity() const { return weighs(layout::exponents - 1); }
    bool has_any() const {
        for (std::size_t value = 0; value < layout::exponents; ++value) {
            if (weighs(value)) {
                return true;
            }
        }
        return false;
    }
    /// What all finite scores weigh, or with infinite ones among them.
    total all(bool with_infinity) const {
        total sum{};
        for (std::size_t value = 0; value + (with_infinity ? 0 : 1) < layout::exponents; ++value) {
            weight::add_to(sum, cell(value), value);
        }
        return sum;
    }

    /// The largest score that with all above it is `enough` (enough(weight so far)); there is one.
    template <class Enough>
    bits_of<Real> from_above(Enough&& enough) {
        return descend([&](std::size_t values) { return first_of(values, true, enough); });
    }
    /// The least finite score that with all below it is `too much`; infinity's bits when there is none.
    template <class TooMuch>
    bits_of<Real> from_below(TooMuch&& too_much) {
        return descend([&](std::size_t values) { return first_of(values, false, too_much); });
    }

  private:
    std::uint64_t* cell(std::size_t value) const { return table_.data() + value * words; }
    bool weighs(std::size_t value) const {
        std::uint64_t any = 0;
        for (std::size_t word = 0; word < words; ++word) {
            any |= cell(value)[word];
        }
        return any != 0;
    }
    /// Passes values one after the other, from the largest or from the least finite one, until they weigh what is asked; how
    /// many values there are if they never do.
    template <class IsIt>
    std::size_t first_of(std::size_t values, bool downwards, IsIt&& is_it) {
        const std::size_t count = values - (at_exponents_ && !downwards ? 1 : 0);
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t value = downwards ? values - 1 - i : i;
            if (weighs(value)) {
                total with = passed_;
                weight::add_to(with, cell(value), at_exponents_ ? value : field_);
                if (is_it(with)) {
                    return value;
                }
                passed_ = with;
            }
        }
        return values;
    }

    /// Takes one digit after another as `choose(how many values)` says; one that is no value: none was chosen.
    template <class Choose>
    bits_of<Real> descend(Choose&& choose) {
        int shift = layout::fraction_bits;
        std::size_t values = layout::exponents;
        bits_of<Real> prefix = 0;
        for (;;) {
            const std::size_t value = choose(values);
            if (value == values) {
                return infinity_bits<Real>;
            }
            prefix |= static_cast<bits_of<Real>>(static_cast<bits_of<Real>>(value) << shift);
            if (shift == 0) {
                return prefix;
            }
            if (at_exponents_) {
                field_ = value;
                at_exponents_ = false;
            }
            const int digit = smaller(layout::most_bits, shift);
            const bits_of<Real> above = prefix >> shift;
            const int before = shift;
            shift -= digit;
            values = std::size_t{1} << digit;
            refine(above, before, shift, values);
        }
    }
    /// Keeps the scores that begin with these digits, and weighs those of each next one.
    void refine(bits_of<Real> above, int before, int shift, std::size_t values) {
        const auto table = table_.first(values * words);
        for (std::uint64_t& word : table) {
            word = 0;
        }
        std::size_t count = 0;
        for (const bits_of<Real> bits : left_) {
            if (bits >> before == above) {
                left_[count++] = bits;
                weight::add(bits, cell((bits >> shift) & (values - 1)));
            }
        }
        left_ = left_.first(count);
        comm_->sum(table);
    }

    const Comm* comm_;
    std::span<bits_of<Real>> left_; // the scores that the digits so far leave
    std::span<std::uint64_t> table_{};
    std::uint64_t entries_ = 0;
    std::size_t field_ = 0;
    bool at_exponents_ = true;
    total passed_{};
};

} // namespace detail

TAMIS_END
