#include "ffn/support_reference.hpp"
#include "ffn/support_subsets.hpp"
#include "ffn/support_threads.hpp"

#include <tamis/ffn/pack.hpp>
#include <tamis/rule/nonzero.hpp>

#include <doctest/doctest.h>

namespace pack_test {

// pack makes the layout that policies need, copies what has to be copied and nothing else.

namespace {

using by_neurons = tamis::neuron_major;
using by_inputs = tamis::input_major;
using by_outputs = tamis::output_major;
using tamis::nonzero;

/// The weights of a checkpoint: gate and up by neurons, down by outputs, with a leading dimension.
struct checkpoint {
    problem p;
    stored<tamis::f32, by_neurons> gate, up;
    stored<tamis::f32, by_outputs> down;

    explicit checkpoint(std::size_t width, std::size_t neurons)
        : p{random_problem(width, neurons, true, width)},
          gate{p.gate, true, 12},
          up{p.up, true, 4},
          down{p.down, true, 8} {}
    auto view() const { return tamis::glu_weights{gate.view(), up.view(), down.view(), p.biases()}; }
};

/// Whether a matrix holds the numbers of the formulas' one.
template <class F, class L>
bool holds(const tamis::matrix<F, L>& m, const dense& expected, bool rows_are_outputs) {
    if (m.rows() != (rows_are_outputs ? expected.outputs : expected.inputs) ||
        m.columns() != (rows_are_outputs ? expected.inputs : expected.outputs)) {
        return false;
    }
    for (std::size_t i = 0; i < m.rows(); ++i) {
        for (std::size_t j = 0; j < m.columns(); ++j) {
            if (m.at(i, j) != (rows_are_outputs ? expected.at(i, j) : expected.at(j, i))) {
                return false;
            }
        }
    }
    return true;
}

template <class M, class F, class L>
constexpr bool is = std::is_same_v<std::remove_cvref_t<M>, tamis::matrix<F, L>>;

constexpr std::pair<std::size_t, std::size_t> shapes_to_pack[] = {{1, 1},   {3, 5},   {16, 32},
                                                                  {17, 33}, {31, 47}, {67, 133}};

} // namespace

TEST_CASE("no policy: everything stays a view") {
    const checkpoint c{17, 33};
    const auto packed = tamis::pack(c.view());
    CHECK(packed.owned_bytes() == 0);
    CHECK(packed.view().gate.row(3) == c.gate.view().row(3));
    CHECK(packed.view().up.row(3) == c.up.view().row(3));
    CHECK(packed.view().down.row(3) == c.down.view().row(3));
    static_assert(is<decltype(packed.view().down), tamis::f32, by_outputs>);
}

TEST_CASE("gate, up, intermediate: only down is transposed") {
    for (const auto& size : shapes_to_pack) {
        const std::size_t width = size.first;
        const std::size_t neurons = size.second;
        CAPTURE(width);
        const checkpoint c{width, neurons};
        const auto packed = tamis::pack(c.view(), tamis::at_gate(nonzero{}));
        static_assert(is<decltype(packed.view().gate), tamis::f32, by_neurons>);
        static_assert(is<decltype(packed.view().down), tamis::f32, by_neurons>);
        CHECK(packed.owned_bytes() == width * neurons * sizeof(float));
        CHECK(packed.gate.owned_bytes() == 0);
        CHECK(packed.up.owned_bytes() == 0);
        CHECK(packed.view().up.row(0) == c.up.view().row(0));
        CHECK(packed.view().up.stride_bytes() == c.up.view().stride_bytes());
        CHECK(holds(packed.view().down, c.p.down, false));
        CHECK(tamis::pack(c.view(), tamis::at_up(nonzero{})).owned_bytes() == packed.owned_bytes());
        CHECK(tamis::pack(c.view(), tamis::at_intermediate(nonzero{})).owned_bytes() == packed.owned_bytes());
    }
}

TEST_CASE("input: gate and up are transposed, down stays") {
    for (const auto& size : shapes_to_pack) {
        const std::size_t width = size.first;
        const std::size_t neurons = size.second;
        CAPTURE(width);
        const checkpoint c{width, neurons};
        const auto packed = tamis::pack(c.view(), tamis::at_input(nonzero{}));
        static_assert(is<decltype(packed.view().gate), tamis::f32, by_inputs>);
        static_assert(is<decltype(packed.view().down), tamis::f32, by_outputs>);
        CHECK(packed.owned_bytes() == 2 * width * neurons * sizeof(float));
        CHECK(packed.down.owned_bytes() == 0);
        CHECK(holds(packed.view().gate, c.p.gate, false));
        CHECK(holds(packed.view().up, c.p.up, false));
        CHECK(packed.view().down.row(0) == c.down.view().row(0));
    }
}

TEST_CASE("a format: everything is converted, what lies right not turned") {
    for (const auto& size : shapes_to_pack) {
        const std::size_t width = size.first;
        const std::size_t neurons = size.second;
        CAPTURE(width);
        const checkpoint c{width, neurons};
        const auto packed = tamis::pack<tamis::bf16>(c.view(), tamis::at_intermediate(nonzero{}));
        static_assert(is<decltype(packed.view().gate), tamis::bf16, by_neurons>);
        static_assert(is<decltype(packed.view().down), tamis::bf16, by_neurons>);
        CHECK(packed.owned_bytes() == 3 * width * neurons * 2);
        CHECK(holds(packed.view().gate, c.p.gate, true));
        CHECK(holds(packed.view().up, c.p.up, true));
        CHECK(holds(packed.view().down, c.p.down, false));
        const auto back = tamis::pack<tamis::f32>(packed.view(), tamis::at_input(nonzero{}));
        CHECK(holds(back.view().gate, c.p.gate, false));
        static_assert(
            is<decltype(back.view().down), tamis::f32, by_neurons>); // no policy over neurons: as it was
        CHECK(holds(back.view().down, c.p.down, false));
    }
}

TEST_CASE("what is packed for policies skips all that they can, and computes the same") {
    const checkpoint c{31, 47};
    const auto policy_x = tamis::at_input(tamis::top_p{0.8});
    const auto policy_i = tamis::at_intermediate(tamis::top_p{0.8});
    const auto packed = tamis::pack(c.view(), policy_x, policy_i);
    const tamis::glu_ffn ffn{packed.view(), tamis::silu{}, policy_x, policy_i};
    static_assert(decltype(ffn)::skips_all<tamis::site::input>());
    static_assert(decltype(ffn)::skips_all<tamis::site::intermediate>());
    recorder seen;
    std::vector<float> y(31);
    tamis::owned_workspace memory{ffn.workspace_bytes()};
    ffn(c.p.x, y, memory, seen);
    CHECK(differences(reference_glu(c.p, exact_silu, seen.masks()), seen, y) == "");
}

TEST_CASE("packed weights may be moved; their views go on") {
    const checkpoint c{17, 33};
    auto packed = tamis::pack(c.view(), tamis::at_input(nonzero{}));
    const std::byte* const before = packed.view().gate.row(0);
    const auto moved = std::move(packed);
    CHECK(moved.view().gate.row(0) == before);
    CHECK(holds(moved.view().gate, c.p.gate, false));
    static_assert(!std::is_copy_constructible_v<decltype(packed.gate)>);
}

TEST_CASE("packed weights begin at a cache line") {
    const checkpoint c{17, 33};
    const auto packed = tamis::pack<tamis::bf16>(c.view(), tamis::at_input(nonzero{}));
    for (const std::byte* const first :
         {packed.view().gate.row(0), packed.view().up.row(0), packed.view().down.row(0)}) {
        CHECK(reinterpret_cast<std::uintptr_t>(first) % 64 == 0);
    }
}

TEST_CASE("pack on threads makes the same, and shows progress over what it copies") {
    const checkpoint c{310, 570};
    const auto expected = tamis::pack(c.view(), tamis::at_input(nonzero{}));
    for (const std::size_t width : {1u, 2u, 3u, 7u}) {
        CAPTURE(width);
        std::vector<std::size_t> shown;
        const auto progress = [&](std::size_t done, std::size_t all) {
            CHECK(all == expected.owned_bytes());
            shown.push_back(done);
        };
        const auto packed =
            tamis::pack(tamis::on_threads{threads_of(width), progress}, c.view(), tamis::at_input(nonzero{}));
        static_assert(std::is_same_v<decltype(packed), decltype(expected)>);
        CHECK(std::memcmp(packed.view().gate.row(0), expected.view().gate.row(0),
                          expected.gate.owned_bytes()) == 0);
        CHECK(std::memcmp(packed.view().up.row(0), expected.view().up.row(0), expected.up.owned_bytes()) ==
              0);
        CHECK(packed.view().down.row(0) == c.down.view().row(0));
        CHECK(shown == std::vector<std::size_t>{0, expected.gate.owned_bytes(), expected.owned_bytes()});
    }
}

TEST_CASE("pack on threads: a format may be given, and progress left out") {
    const checkpoint c{31, 47};
    const auto packed =
        tamis::pack<tamis::bf16>(tamis::on_threads{threads_of(2)}, c.view(), tamis::at_gate(nonzero{}));
    static_assert(is<decltype(packed.view().down), tamis::bf16, by_neurons>);
    CHECK(holds(packed.view().gate, c.p.gate, true));
    CHECK(holds(packed.view().down, c.p.down, false));
}

TEST_CASE("pack of what lies right shows that there is nothing to do") {
    const checkpoint c{3, 5};
    std::vector<std::pair<std::size_t, std::size_t>> shown;
    const auto progress = [&](std::size_t done, std::size_t all) { shown.emplace_back(done, all); };
    CHECK(tamis::pack(tamis::on_threads{tamis::serial{}, progress}, c.view()).owned_bytes() == 0);
    CHECK(shown == std::vector<std::pair<std::size_t, std::size_t>>{{0, 0}});
}

} // namespace pack_test
