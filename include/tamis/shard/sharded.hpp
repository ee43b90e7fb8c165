#pragma once

#include <tamis/detail/lifetimebound.hpp>
#include <tamis/shard/cuts.hpp>

#include <utility>

TAMIS_BEGIN

namespace detail {

template <class Rule, class Real, class Comm>
concept cuts_over = requires(const Rule& rule, scores<Real> s, const Comm& comm, workspace w, std::size_t n) {
    { cut_over(rule, s, comm, w) } -> std::same_as<cut<Real>>;
    { over_bytes(rule, n) } -> std::convertible_to<std::size_t>;
};

} // namespace detail

/// A rule over values that are shared out among ranks, each with a run of them (of any length, none too): the masks together
/// are to the bit the mask of the rule over all values in one place. It is a rule, so all that takes one takes it:
///
///     tamis::mpi_communicator ranks{MPI_COMM_WORLD};
///     auto ffn = tamis::glu_ffn{my_neurons, tamis::silu{}, tamis::at_intermediate(tamis::sharded{tamis::top_p{0.9}, ranks})};
///     ffn(x, y, memory);  // with this rank's rows of W_gate and W_up, and its columns of W_down
///     ranks.sum(y);       // b_down is one rank's
///
/// and `scored{weighted{own_norms}, sharded{tail_budget{b}, ranks}}` is CETT's guaranteed form. Join two as rules are joined:
/// sharded{a, ranks} & sharded{b, ranks}. Every rank makes the same masks in the same order, one thread at a time (as an FFN
/// does; not select_rows with threads). How many reductions: see cuts.hpp. The input of an FFN is on every rank: its mask needs
/// no sharded. The communicator is borrowed. Refuses, on every rank, rules or values that are not the same on all of them.
template <class Rule, communicator Comm>
class sharded : public selects<sharded<Rule, Comm>> {
    static_assert(rule<Rule>,
                  "tamis::sharded: the first argument is no rule; with a score, write scored{score, "
                  "sharded{rule, ranks}}");
    static_assert(
        detail::cuts_over<Rule, float, Comm> || detail::cuts_over<Rule, double, Comm>,
        "tamis::sharded: this rule has no cut_over, see tamis/shard/cuts.hpp; rules joined by & and | are sharded one "
        "by one");

  public:
    /// The rule is copied, the communicator borrowed.
    constexpr sharded(Rule rule, const Comm& ranks TAMIS_LIFETIMEBOUND)
        : rule_{std::move(rule)}, ranks_{&ranks} {}
    sharded(Rule, const Comm&&) = delete; // tamis: the communicator is borrowed: give it a name

    template <class Real>
        requires detail::cuts_over<Rule, Real, Comm>
    cut<Real> cut_of(scores<Real> s, workspace w) const {
        return cut_over(rule_, s, *ranks_, w);
    }
    constexpr std::size_t workspace_bytes(std::size_t n) const { return over_bytes(rule_, n); }

    /// The rule.
    constexpr const Rule& rule_part() const { return rule_; }

  private:
    Rule rule_;
    const Comm* ranks_;
};

TAMIS_END
