#include "ffn/support_reference.hpp"
#include "ffn/support_spy.hpp"
#include "ffn/support_subsets.hpp"

#include <doctest/doctest.h>

#include <algorithm>

// bytes_read is what was read: a spying format counts the bytes of the weights that are touched, and the
// masks and skips<> say how many those have to be.

namespace {

std::size_t active(const std::vector<bool>& mask) {
    return static_cast<std::size_t>(std::count(mask.begin(), mask.end(), true));
}

/// The neurons that every mask over neurons so far leaves active.
std::vector<bool> both(const std::vector<bool>& a, const std::vector<bool>& b) {
    std::vector<bool> result = a.empty() ? b : a;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
        result[i] = a[i] && b[i];
    }
    return result;
}

struct skip_table {
    tamis::skipped_matrices input, gate, up, intermediate;
};

/// What has to be read by the masks and the tables of what they skip.
std::uint64_t expected_bytes(const problem& p, const skip_table& skips, const site_masks& masks) {
    const std::size_t h = p.width();
    const std::size_t d = p.neurons();
    const auto share = [](bool skipped, const std::vector<bool>& mask, std::size_t n) {
        return skipped ? active(mask) : n;
    };
    const std::vector<bool> of_product = both(masks[1], masks[2]);
    const std::vector<bool> of_down = masks[3].empty() ? of_product : masks[3];
    const bool skips_down = skips.gate.down || skips.up.down || skips.intermediate.down;
    const std::size_t gate = share(skips.input.gate, masks[0], h) * share(skips.up.gate, masks[2], d);
    const std::size_t up = share(skips.input.up, masks[0], h) * share(skips.gate.up, masks[1], d);
    return (gate + up + share(skips_down, of_down, d) * h) * sizeof(float);
}

void check(const problem& p, const skip_table& skips, const site_masks& masks, tamis::traffic told) {
    CHECK(told.bytes_dense == 3 * p.width() * p.neurons() * sizeof(float));
    CHECK(told.bytes_read == spy::bytes_read());
    CHECK(told.bytes_read == expected_bytes(p, skips, masks));
    CHECK(told.bytes_skipped() == told.bytes_dense - told.bytes_read);
}

} // namespace

TEST_CASE("glu_ffn: what it says it read is what it read") {
    const problem p = random_problem(23, 41, true, 7);
    for_constants<subset_count>([&]<class Subset>(Subset) {
        for_constants<layout_count>([&]<class Layouts>(Layouts) {
            CAPTURE(Subset::value);
            CAPTURE(Layouts::value);
            const auto weights = store_glu<Layouts::value, spy, spy, spy>(p, 4);
            const auto ffn = make_glu<Subset::value>(weights.view(), tamis::silu{});
            const skip_table skips{ffn.template skips<tamis::site::input>(),
                                   ffn.template skips<tamis::site::gate>(),
                                   ffn.template skips<tamis::site::up>(),
                                   ffn.template skips<tamis::site::intermediate>()};
            recorder seen;
            std::vector<float> y(p.width());
            tamis::owned_workspace memory{ffn.workspace_bytes()};
            spy::read.clear();
            const tamis::traffic told = ffn(p.x, y, memory, seen);
            check(p, skips, seen.masks(), told);
        });
    });
}
