// Selecting into the caller's memory allocates nothing. All of this program's allocations are counted here.
#include <tamis/mask/apply.hpp>
#include <tamis/rule/combine.hpp>
#include <tamis/rule/guarded.hpp>
#include <tamis/rule/selectors.hpp>
#include <tamis/rule/tail_budget.hpp>
#include <tamis/rule/top_p.hpp>
#include <tamis/score/centred.hpp>
#include <tamis/select_block.hpp>

#include "support/generate.hpp"

#include <doctest/doctest.h>
#include <atomic>
#include <cstdlib>
#include <new>

namespace {
std::atomic<std::size_t> allocations{0};

void* counted(std::size_t bytes, std::size_t alignment) {
    ++allocations;
    const std::size_t rounded = (bytes + alignment) / alignment * alignment;
    void* const p =
        alignment > alignof(std::max_align_t) ? std::aligned_alloc(alignment, rounded) : std::malloc(rounded);
    if (p == nullptr) {
        std::abort();
    }
    return p;
}
} // namespace

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored \
    "-Wmismatched-new-delete" // inlined, our delete is a free of what our new returned
#endif

void* operator new(std::size_t bytes) { return counted(bytes, 1); }
void* operator new[](std::size_t bytes) { return counted(bytes, 1); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
    return counted(bytes, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t bytes, std::align_val_t alignment) {
    return counted(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

TEST_CASE_TEMPLATE("selecting into the caller's memory allocates nothing", T, float, double) {
    using namespace tamis;
    engine random{51};
    const std::size_t n = 4000;
    const auto values = generate<T>(shape::specials, n, random);
    mask out{n};
    mask_block block_out{4, n / 4};
    std::vector<std::uint32_t> indices(n);
    const auto joined =
        scored{centred{0.5}, guarded{100, top_p{0.9}}} & at_least{3, at_most{900, tail_budget{9}}};
    owned_workspace memory{selection_bytes(joined, n)};

    const std::size_t before = allocations;
    select(joined, values, out.span(), memory);
    select(top_p{0.9}, values, out.span(), memory);
    select(guarded{100, top_p{0.9}}, values, out.span(), memory);
    select_rows(joined, block{values.data(), 4, n / 4}, block_out.span(), memory);
    select_joint(top_p{0.9}, block{values.data(), 4, n / 4}, block_out.span(), memory);
    active_indices(out, indices);
    complement(out, out.span());
    const std::size_t after = allocations;
    CHECK(after == before);

    const mask owning = top_p{0.9}(values); // the counter counts
    CHECK(allocations > after);
    CHECK(owning.count() > 0);
}
