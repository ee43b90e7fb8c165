#include <tamis/mask/set_operations.hpp>

#include "support/generate.hpp"
#include "support/message.hpp"
#include "support/show.hpp"

#include <doctest/doctest.h>

using namespace tamis;

namespace {

mask any_mask(std::size_t n, engine& random) {
    mask m{n};
    for (std::size_t i = 0; i < n; ++i) {
        m.set(i, below(random, 3) == 0);
    }
    return m;
}

} // namespace

TEST_CASE("and, or, minus, not agree with the entries one by one, at every size") {
    engine random{31};
    for (std::size_t n = 0; n < 200; ++n) {
        const mask a = any_mask(n, random);
        const mask b = any_mask(n, random);
        const mask both = a & b;
        const mask either = a | b;
        const mask only = a - b;
        const mask rest = ~a;
        bool same = true;
        std::size_t in_both = 0;
        std::size_t in_either = 0;
        for (std::size_t i = 0; i < n; ++i) {
            same = same && both[i] == (a[i] && b[i]) && either[i] == (a[i] || b[i]) &&
                   only[i] == (a[i] && !b[i]) && rest[i] == !a[i];
            in_both += a[i] && b[i];
            in_either += a[i] || b[i];
        }
        CAPTURE(n);
        CHECK(same);
        CHECK(rest.count() == n - a.count());
        for (const mask& m : {both, either, only, rest}) {
            CHECK(is_clear_behind(m));
        }
        CHECK(jaccard(a, b) ==
              (in_either == 0 ? 1.0 : static_cast<double>(in_both) / static_cast<double>(in_either)));
        CHECK(jaccard(a, a) == 1.0);
        CHECK(jaccard(a, b) == jaccard(b, a));
    }
}

TEST_CASE("the result may be one of the operands") {
    engine random{32};
    const mask a = any_mask(150, random);
    const mask b = any_mask(150, random);
    mask c = a;
    unite(c, b, c.span());
    CHECK(c == (a | b));
    intersect(a, c, c.span());
    CHECK(c == a);
    subtract(c, b, c.span());
    CHECK(c == (a - b));
    complement(c, c.span());
    CHECK(c == ~(a - b));
}

TEST_CASE("jaccard of two empty masks is 1, of disjoint ones 0") {
    CHECK(jaccard(mask{100}, mask{100}) == 1.0);
    CHECK(jaccard(mask{0}, mask{0}) == 1.0);
    mask a{100};
    a.set(99, true);
    CHECK(jaccard(a, mask{100}) == 0.0);
    CHECK(jaccard(a, ~a) == 0.0);
}

#if defined(__cpp_exceptions)
TEST_CASE("masks of two sizes are refused with both") {
    mask a{70};
    const mask b{71};
    for (const std::string& message :
         {message_of([&] { a& b; }), message_of([&] { a | b; }), message_of([&] { jaccard(a, b); }),
          message_of([&] { complement(b, a.span()); }), message_of([&] { unite(b, b, a.span()); })}) {
        CHECK(message.find("70") != std::string::npos);
        CHECK(message.find("71") != std::string::npos);
    }
}
#endif
