#pragma once

#include <tamis/rule/selects.hpp>
#include <tamis/score/group.hpp>
#include <tamis/whole_number.hpp>

TAMIS_BEGIN

namespace detail {

/// Makes entries [from, to) inactive.
constexpr void clear_entries(mask_span out, std::size_t from, std::size_t to) {
    for (std::size_t word = from / 64; word * 64 < to; ++word) {
        const std::uint64_t above = word * 64 >= from ? ~std::uint64_t{0} : ~std::uint64_t{0} << (from % 64);
        const std::uint64_t below =
            to >= (word + 1) * 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << (to % 64)) - 1;
        out.words()[word] &= ~(above & below);
    }
}

} // namespace detail

/// A rule over groups of entries in a row, for engines that read blocks of neurons: each group has one score, and the rule
/// says which groups are active.
///     grouped{64, group_norm{}, top_k::fraction(0.25)}     // a quarter of the groups
///     grouped{32, group_sum{}, top_p{0.9}}                 // the fewest groups that hold 90 % of the mass
/// Entries of an active group are active, but for those that are exactly zero, as everywhere; select_groups gives the mask over
/// groups. A group with a NaN is active. The last group may be shorter. Masks are the same everywhere, as those of rules are.
template <group_score Score, class Rule>
class grouped : public selects<grouped<Score, Rule>> {
    static_assert(detail::explain_rule<Rule>());
    static_assert(
        rule_for<Rule, double>,
        "tamis: grouped{size, group_score, rule} needs a rule over scores<double>; see tamis/rule/rule.hpp");

  public:
    /// Refuses groups of no entries.
    constexpr grouped(whole_number size, Score score, Rule rule)
        : size_{size.or_fail("tamis::grouped: the size of a group")},
          score_{std::move(score)},
          rule_{std::move(rule)} {
        if (size_ == 0) {
            fail("tamis::grouped: the size of a group must be at least 1, got 0");
        }
    }

    template <class View>
    void select(View values, mask_span out, workspace w) const {
        with_groups(values, w, [&](cut<double> cut, std::span<const double> group_scores, auto entries) {
            using real = typename decltype(entries)::real;
            write_mask(tamis::cut<real>::everything(), entries, out);
            for (std::size_t g = 0; g < group_scores.size(); ++g) {
                if (!cut.keeps(magnitude_bits(group_scores[g]))) {
                    detail::clear_entries(out, g * size_, detail::smaller((g + 1) * size_, out.size()));
                }
            }
        });
    }
    constexpr std::size_t selection_bytes(std::size_t n) const {
        return workspace_bytes_of<double>(n) + workspace_bytes_of<double>(groups(n)) +
               rule_workspace_bytes(rule_, groups(n));
    }

    /// How many groups n entries are.
    constexpr std::size_t groups(std::size_t n) const { return n / size_ + (n % size_ != 0 ? 1 : 0); }
    /// The mask over the groups, of size groups(n). Workspace as for select.
    template <class V>
    void select_groups(V&& v, mask_span out, workspace w) const {
        const auto values = detail::unseen(view_of(v));
        detail::need("tamis::grouped: a mask over %zu groups is needed, got one over %zu",
                     groups(values.size()), out.size());
        with_groups(values, w, [&](cut<double> cut, std::span<const double> group_scores, const auto&) {
            write_mask(cut, scores<double>{group_scores}, out);
        });
    }

  private:
    /// Calls f(cut, scores of the groups, scores of the entries).
    template <class View, class F>
    void with_groups(const View& values, workspace w, F&& f) const {
        using real = real_of<detail::view_element<View>>;
        std::span<const real> entries;
        if constexpr (std::is_convertible_v<View, std::span<const real>>) {
            entries = values;
        } else {
            const auto converted = w.take<real>(values.size());
            score_into(magnitude{}, values, converted);
            entries = converted;
        }
        const auto group_scores = w.take<double>(groups(entries.size()));
        for (std::size_t g = 0; g < group_scores.size(); ++g) {
            group_scores[g] =
                score_(entries.subspan(g * size_, detail::smaller(size_, entries.size() - g * size_)));
        }
        f(tamis::cut_of(rule_, scores<double>{group_scores}, w), std::span<const double>{group_scores},
          scores<real>{entries});
    }

    std::size_t size_;
    Score score_;
    Rule rule_;
};

TAMIS_END
