#include "ffn/support_reference.hpp"
#include "ffn/support_subsets.hpp"

#include <tamis/ffn/any_ffn.hpp>
#include <tamis/ffn/plain_ffn.hpp>
#include <tamis/ffn/projection.hpp>
#include <tamis/rule/combine.hpp>
#include <tamis/rule/grouped.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

// A call allocates nothing: this program's operator new counts.

namespace {

std::atomic<std::size_t> allocations{0};

void* counted(std::size_t bytes, std::size_t alignment) {
    ++allocations;
    const std::size_t rounded = (bytes + alignment) / alignment * alignment;
    void* const memory = std::aligned_alloc(alignment, rounded);
    if (memory == nullptr) {
        std::abort();
    }
    return memory;
}

constexpr std::size_t usual = alignof(std::max_align_t);

} // namespace

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored \
    "-Wmismatched-new-delete" // inlined, our delete is a free of what our new returned
#endif

void* operator new(std::size_t bytes) { return counted(bytes, usual); }
void* operator new[](std::size_t bytes) { return counted(bytes, usual); }
void* operator new(std::size_t bytes, std::align_val_t a) {
    return counted(bytes, static_cast<std::size_t>(a));
}
void* operator new[](std::size_t bytes, std::align_val_t a) {
    return counted(bytes, static_cast<std::size_t>(a));
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

namespace allocations_test {

namespace {

template <class Ffn>
std::size_t allocations_of(const Ffn& ffn, const problem& p) {
    std::vector<float> y(2 * p.width());
    const std::vector<float> x(2 * p.width(), 0.5f);
    // Says that there are three threads; one does all, since making threads allocates.
    const tamis::executor_of three{3, [](std::size_t count, auto&& task) {
                                       for (std::size_t i = count; i-- > 0;) {
                                           task(i);
                                       }
                                   }};
    tamis::owned_workspace memory{ffn.workspace_bytes(three, 2)};
    tamis::owned_workspace for_one{ffn.workspace_bytes()};
    std::size_t shown = 0;
    const std::size_t before = allocations;
    ffn(p.x, std::span{y}.first(p.width()), memory);
    ffn(p.x, std::span{y}.first(p.width()), memory,
        [&](const tamis::sighting& s) { shown += s.values.size(); });
    ffn(p.x, std::span{y}.first(p.width()), memory, three);
    const tamis::block<const float> in{x.data(), 2, p.width()};
    const tamis::block<float> out{y.data(), 2, p.width()};
    ffn(in, out, tamis::tokens_at_a_time{1, for_one});
    ffn(in, out, memory); // together
    ffn(in, out, memory, three, [&](const tamis::sighting& s) { shown += s.values.size(); });
    const std::size_t after = allocations;
    CHECK(shown > 0);
    return after - before;
}

} // namespace

TEST_CASE("the counter counts") {
    const std::size_t before = allocations;
    std::vector<float>* const made = new std::vector<float>(10);
    CHECK(made->size() == 10);
    delete made;
    CHECK(allocations >= before + 2);
}

TEST_CASE("glu_ffn: a call allocates nothing") {
    const problem p = random_problem(70, 150, true, 1);
    const auto weights = store_glu<7, 1>(p);
    for_constants<subset_count>([&]<class Subset>(Subset) {
        CAPTURE(Subset::value);
        CHECK(allocations_of(make_glu<Subset::value>(weights.view(), tamis::silu{}), p) == 0);
    });
}

TEST_CASE("plain_ffn: a call allocates nothing") {
    const problem p = random_problem(70, 150, true, 1);
    const auto weights = store_glu<7, 0>(p);
    const tamis::plain_ffn ffn{tamis::plain_weights{weights.up.view(), weights.down.view(), p.up_bias,
                                                    p.down_bias},
                               tamis::gelu{}, tamis::at_input(tamis::top_p{0.9}),
                               tamis::at_intermediate(tamis::top_p{0.9} & tamis::threshold{0.01})};
    CHECK(allocations_of(ffn, p) == 0);
}

TEST_CASE("any_ffn: a call allocates nothing") {
    const problem p = random_problem(70, 150, true, 1);
    const auto weights = store_glu<4, 0>(p);
    tamis::mask kept{150};
    kept.span().fill(true);
    using any =
        tamis::any_ffn<tamis::formats<tamis::bf16, tamis::f32>, tamis::gatings<tamis::relu, tamis::silu>>;
    CHECK(allocations_of(any{weights.view(), tamis::silu{}, tamis::at_gate(tamis::top_p{0.9}),
                             tamis::at_intermediate(tamis::grouped{16, tamis::group_norm{}, tamis::top_k{3}}),
                             tamis::at_neurons(tamis::given{kept})},
                         p) == 0);
}

TEST_CASE("projection: a call allocates nothing") {
    const problem p = random_problem(70, 150, true, 1);
    const stored<tamis::f32, tamis::input_major> w{p.up, false};
    const tamis::projection both{tamis::linear_weights{w.view(), w.view()}.biased(p.up_bias, p.gate_bias),
                                 tamis::at_input(tamis::top_p{0.9})};
    std::vector<float> a(150);
    std::vector<float> b(150);
    tamis::owned_workspace memory{both.workspace_bytes()};
    std::size_t shown = 0;
    const std::size_t before = allocations;
    both(p.x, tamis::outputs{a, b}, memory);
    both(p.x, tamis::outputs{a, b}, memory, [&](const tamis::sighting& s) { shown += s.mask.count(); });
    CHECK(allocations == before);
    CHECK(shown > 0);
}

} // namespace allocations_test
