// Masks against the definitions in exact numbers (GMP).

#include "fuzz/target.hpp"
#include "support/oracle.hpp"

#include <tamis/rule/max_p.hpp>
#include <tamis/rule/tail_budget.hpp>
#include <tamis/rule/threshold.hpp>
#include <tamis/rule/top_k.hpp>
#include <tamis/rule/top_p.hpp>
#include <tamis/search/plain_cuts.hpp>
#include <tamis/select.hpp>

#include <bit>
#include <vector>

namespace {

std::string text_of(const tamis::mask& m) {
    std::string text;
    for (std::size_t i = 0; i < m.size(); ++i) {
        text += m[i] ? '1' : '0';
    }
    return text;
}

/// A number of [0, 1] from any bits.
double share_of(double any) {
    const auto bits = std::bit_cast<std::uint64_t>(any);
    const double share = std::bit_cast<double>(bits & ~(std::uint64_t{1} << 63));
    return (bits & ~(std::uint64_t{1} << 63)) <= std::bit_cast<std::uint64_t>(1.0)
               ? share
               : static_cast<double>(bits >> 11) * 0x1p-53;
}
/// A number that is finite and not below 0.
double amount_of(double any) {
    const auto bits = std::bit_cast<std::uint64_t>(any) & ~(std::uint64_t{1} << 63);
    return (bits >> 52) == 0x7ff ? 1.0 : std::bit_cast<double>(bits);
}

/// The values, several times over with other last bits, so that the searches for many values have something to find.
template <class Real>
std::vector<Real> values_of(fuzz::input& in) {
    const std::size_t copies = 1 + in.below(64) % 24;
    std::vector<Real> some;
    const std::size_t most = 8000 / copies;
    for (std::size_t n = in.rest().size() / sizeof(Real); n > 0 && some.size() < most; --n) {
        some.push_back(in.take<Real>());
    }
    std::vector<Real> all;
    for (std::size_t copy = 0; copy < copies; ++copy) {
        for (const Real value : some) {
            using bits = std::conditional_t<sizeof(Real) == 4, std::uint32_t, std::uint64_t>;
            all.push_back(std::bit_cast<Real>(static_cast<bits>(std::bit_cast<bits>(value) ^ (copy * copy))));
        }
    }
    return all;
}

template <class Rule, class Real>
void check(const Rule& rule, const std::vector<Real>& values, const std::string& expected, const char* what) {
    if (text_of(tamis::select(rule, values)) != expected) {
        fuzz::wrong(std::string{what} + " is not as defined");
    }
    const tamis::strided<const Real> backwards{values.data() + values.size() - (values.empty() ? 0 : 1),
                                               values.size(), -1};
    const std::string mirrored = text_of(tamis::select(rule, backwards));
    if (!std::equal(mirrored.rbegin(), mirrored.rend(), expected.begin(), expected.end())) {
        fuzz::wrong(std::string{what} + " depends on the order of the values");
    }
}

template <class Real>
void check_all(std::uint8_t which, double parameter, const std::vector<Real>& values) {
    const auto scores = oracle::scores_of(values);
    switch (which % 5) {
        case 0: {
            const double p = share_of(parameter);
            return check(tamis::top_p{p}, values, oracle::top_p(scores, p), "top_p");
        }
        case 1: {
            const auto k =
                static_cast<std::size_t>(share_of(parameter) * static_cast<double>(values.size() + 2));
            if (values.size() <= 400) {
                return check(tamis::top_k{k}, values, oracle::top_k(scores, k), "top_k");
            }
            tamis::owned_workspace memory{tamis::plain_cut_bytes(values.size())};
            const auto cut = tamis::plain_top_k_cut(tamis::scores<Real>{values}, k, memory);
            tamis::mask expected{values.size()};
            tamis::write_mask(cut, tamis::scores<Real>{values}, expected.span());
            return check(tamis::top_k{k}, values, text_of(expected), "top_k");
        }
        case 2: {
            const double p = share_of(parameter);
            mpz_class largest = 0;
            bool infinite = false;
            for (const auto& s : scores) {
                infinite = infinite || s.kind == oracle::score::infinite;
                if (s.kind == oracle::score::finite && s.units > largest) {
                    largest = s.units;
                }
            }
            std::string expected;
            const mpz_class product = oracle::score_of(p).units * largest;
            for (const auto& s : scores) {
                expected += s.kind != oracle::score::finite ||
                                    (!infinite && s.units != 0 && s.units * oracle::units_of_one >= product)
                                ? '1'
                                : '0';
            }
            return check(tamis::max_p{p}, values, expected, "max_p");
        }
        case 3: {
            const double budget = amount_of(parameter);
            return check(tamis::tail_budget{budget}, values, oracle::tail_budget(scores, budget),
                         "tail_budget");
        }
        default: {
            const double eps = amount_of(parameter);
            return check(tamis::threshold{eps}, values, oracle::at_least_product(scores, 1.0, eps),
                         "threshold");
        }
    }
}

} // namespace

void fuzz::masks(input in) {
    const auto which = in.take<std::uint8_t>();
    const auto parameter = in.take<double>();
    if ((which & 0x80) != 0) {
        check_all(which & 0x7f, parameter, values_of<double>(in));
    } else {
        check_all(which, parameter, values_of<float>(in));
    }
}
