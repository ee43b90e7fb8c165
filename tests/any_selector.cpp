#include <tamis/any_selector.hpp>

#include "support/generate.hpp"
#include "support/message.hpp"
#include "support/show.hpp"

#include <tamis/ffn/policy.hpp>
#include <tamis/rule/combine.hpp>
#include <tamis/rule/guarded.hpp>
#include <tamis/rule/selectors.hpp>
#include <tamis/rule/threshold.hpp>
#include <tamis/rule/top_k.hpp>
#include <tamis/rule/top_p.hpp>
#include <tamis/score/weighted.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <vector>

static_assert(tamis::selector<tamis::any_selector>);

namespace {

/// The same mask as the selector itself, and the workspace that it asks for is enough.
template <class S>
void check(const S& s, const std::vector<float>& values) {
    const tamis::any_selector any{s};
    const tamis::mask expected = tamis::select(s, values);
    CHECK(tamis::select(any, values) == expected);
    CHECK(any(values) == expected); // as rules are called
    CHECK(tamis::selection_bytes(any, values.size()) == tamis::selection_bytes(s, values.size()));
    tamis::mask out{values.size()};
    tamis::owned_workspace memory{any.selection_bytes(values.size())};
    any.select(values, out.span(), memory);
    CHECK(out == expected);
}

/// A rule that can only be moved.
struct move_only {
    std::unique_ptr<int> k;
    template <class Real>
    tamis::cut<Real> cut_of(tamis::scores<Real>) const {
        return tamis::cut<Real>::at(static_cast<Real>(*k));
    }
};

} // namespace

TEST_CASE("any_selector: the masks of what it is made of") {
    for (const shape s : shapes) {
        CAPTURE(name_of(s));
        for (const std::size_t n : std::initializer_list<std::size_t>{0, 1, 63, 200}) {
            engine random{n};
            const auto values = generate<float>(s, n, random);
            const std::vector<float> weights(n, 2.0f);
            check(tamis::top_p{0.9}, values);
            check(tamis::top_k{5}, values);
            check(tamis::threshold{0.5}, values);
            check(tamis::top_p{0.9} & tamis::top_k{7}, values);
            check(tamis::guarded{1000, tamis::top_p{0.8}}, values);
            check(tamis::top_p_power(0.9, 2), values);
            check(tamis::scored{tamis::weighted{weights}, tamis::top_k{3}} | tamis::threshold{2}, values);
        }
    }
}

TEST_CASE("any_selector: chosen at run time, copied, assigned and held by another") {
    const std::vector<float> v{4, 1, 0.5f};
    tamis::any_selector s = tamis::top_k{1};
    const tamis::any_selector before = s;
    CHECK(show(s(v)) == "100");
    s = tamis::top_k{2};
    CHECK(show(s(v)) == "110");
    CHECK(show(before(v)) == "100");
    s = before;
    CHECK(show(s(v)) == "100");
    const std::vector<tamis::any_selector> several{tamis::top_k{1}, tamis::threshold{0.5}, s};
    CHECK(show(several[1](v)) == "111");
    tamis::any_selector moved = std::move(s);
    CHECK(show(moved(v)) == "100");
    CHECK(show(s(v)) == "100"); // NOLINT: one that was moved from is what it was
    CHECK(show((several[1] & tamis::any_selector{tamis::top_k{2}})(v)) == "110");
    CHECK(show(tamis::any_selector{tamis::any_selector{tamis::top_k{2}} & tamis::threshold{2}}(v)) == "100");
}

TEST_CASE("any_selector: a rule that can only be moved; it lives as long as its copies") {
    tamis::any_selector copy = tamis::top_k{1};
    {
        const tamis::any_selector s{move_only{std::make_unique<int>(2)}};
        copy = s;
    }
    CHECK(show(copy(std::vector<float>{1, 2, -3})) == "011");
}

TEST_CASE("any_selector: at a site of an FFN") {
    const auto policy = tamis::at_gate(tamis::any_selector{tamis::top_k{1}});
    CHECK(show(tamis::select(policy.selector_part, std::vector<float>{1, 2})) == "01");
}

#if defined(__cpp_exceptions)
TEST_CASE("any_selector: a mask of another size is refused, as select does") {
    const tamis::any_selector s = tamis::top_k{1};
    const std::vector<float> v{1, 2, 3};
    tamis::mask out{2};
    CHECK(message_of([&] {
              tamis::select(s, v, out.span(), {});
          }).find("over 3 entries is needed, got one over 2") != std::string::npos);
    CHECK(message_of([&] { s.select(v, out.span(), {}); }).find("over 3 entries") != std::string::npos);
}
#endif
