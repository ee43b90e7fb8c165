// The sort behind the plain cuts: orders that quicksorts are slow at among them.
#include <tamis/detail/sort.hpp>

#include "support/generate.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <vector>

TEST_CASE("sorted as std::sort does, whatever the order before") {
    engine random{3};
    for (const std::size_t n : {0u, 1u, 2u, 3u, 24u, 25u, 26u, 100u, 1000u, 5000u}) {
        for (int order = 0; order < 6; ++order) {
            std::vector<std::uint32_t> items(n);
            for (std::size_t i = 0; i < n; ++i) {
                const std::size_t at[] = {
                    i, n - i, i < n / 2 ? i : n - i, 7, below(random, 5), random() >> 40};
                items[i] = static_cast<std::uint32_t>(at[order]);
            }
            auto wanted = items;
            std::sort(wanted.begin(), wanted.end());
            auto heap = items;
            tamis::detail::sort(std::span{items}, [](std::uint32_t a, std::uint32_t b) { return a < b; });
            tamis::detail::heap_sort(heap.data(), n, [](std::uint32_t a, std::uint32_t b) { return a < b; });
            CAPTURE(n);
            CAPTURE(order);
            CHECK(bool(items == wanted));
            CHECK(bool(heap == wanted));
        }
    }
}

TEST_CASE("no order takes more than n log n comparisons by much") {
    // Made while it is sorted, against any quicksort: whatever is compared first turns out to be small.
    const std::size_t n = 4000;
    std::vector<std::uint32_t> place(n);
    std::vector<std::uint32_t> value(n, ~0u);
    for (std::size_t i = 0; i < n; ++i) {
        place[i] = static_cast<std::uint32_t>(i);
    }
    std::uint32_t settled = 0;
    std::uint32_t candidate = 0;
    std::size_t comparisons = 0;
    tamis::detail::sort(std::span{place}, [&](std::uint32_t a, std::uint32_t b) {
        ++comparisons;
        if (value[a] == ~0u && value[b] == ~0u) {
            value[a == candidate ? a : b] = settled++;
        }
        candidate = value[a] == ~0u ? a : value[b] == ~0u ? b : candidate;
        return value[a] < value[b];
    });
    CHECK(comparisons < 60 * n);
}
