// What is emitted from a cut at full speed is what the simple loops write_mask, at every width and for every cut.
#include <tamis/rule/top_p.hpp>
#include <tamis/write_active.hpp>

#include "support/generate.hpp"

#include <doctest/doctest.h>
#include <cstring>

using namespace tamis;

namespace {

/// Cuts at, between and beyond the scores.
template <class Real>
std::vector<cut<Real>> cuts_of(const std::vector<Real>& values, engine& random) {
    std::vector<cut<Real>> cuts{cut<Real>::everything(), cut<Real>::nothing(),
                                cut<Real>::at_bits(infinity_bits<Real>)};
    for (int i = 0; i < 3 && !values.empty(); ++i) {
        const auto bits = magnitude_bits(values[below(random, values.size())]);
        cuts.push_back(cut<Real>::at_bits(bits));
        cuts.push_back(cut<Real>::at_bits(bits + 1));
    }
    return cuts;
}

template <class T>
bool same_bytes(const std::vector<T>& a, const std::vector<T>& b, std::size_t count) {
    return count == 0 || std::memcmp(a.data(), b.data(), count * sizeof(T)) == 0;
}

} // namespace

TEST_CASE_TEMPLATE("masks, indices, entries and zeros are those of the simple loops", Real, float, double) {
    engine random{5};
    for (std::size_t n = 0; n < 300; ++n) {
        const auto values = generate<Real>(shapes[n % shapes.size()], n, random);
        const std::vector<float> others = generate<float>(shape::wild, n, random);
        const scores<Real> s{std::span<const Real>{values}};
        for (const cut<Real> c : cuts_of(values, random)) {
            CAPTURE(n);
            mask fast{n};
            mask plain{n};
            write_mask(c, s, fast.span());
            plain_write_mask(c, s, plain.span());
            CHECK(fast == plain);

            std::vector<std::uint32_t> indices(n + 1, 7);
            std::vector<std::uint32_t> plain_indices(n);
            const std::size_t count = write_indices(c, s, std::span{indices}.first(n));
            REQUIRE(count == plain_write_indices(c, s, std::span{plain_indices}));
            CHECK(same_bytes(indices, plain_indices, count));
            CHECK(indices[n] == 7); // nothing behind what it was given

            std::vector<entry> entries(n + 1, entry{7, 7});
            std::vector<entry> plain_entries(n);
            CHECK(write_entries(c, s, std::span<const float>{others}, std::span{entries}.first(n)) == count);
            CHECK(plain_write_entries(c, s, std::span<const float>{others}, std::span{plain_entries}) ==
                  count);
            CHECK(same_bytes(entries, plain_entries, count));
            CHECK(entries[n] == entry{7, 7});

            auto zeroed = values;
            auto plain_zeroed = values;
            write_zeros(c, std::span{zeroed});
            plain_write_zeros(c, std::span{plain_zeroed});
            CHECK(same_bytes(zeroed, plain_zeroed, n));
        }
    }
}
