#include "ffn/support_check.hpp"

#include <doctest/doctest.h>

void check_glu(const glu_case& ffn, std::span<const sizes> at) {
    for (const sizes& size : at) {
        for (const bool biased : {false, true}) {
            CAPTURE(ffn.subset);
            CAPTURE(ffn.layouts);
            CAPTURE(ffn.formats);
            CAPTURE(size.width);
            CAPTURE(size.neurons);
            CAPTURE(biased);
            const problem p = random_problem(size.width, size.neurons, biased, ffn.subset + 16 * ffn.layouts);
            recorder seen;
            std::vector<float> y(size.width, nan_of<float>);
            CHECK(ffn.run(p, biased ? 4 : 0, y, seen));
            CHECK(seen.seen.size() == 4);
            CHECK(differences(reference_glu(p, ffn.exact, seen.masks()), seen, y) == "");
        }
    }
}
