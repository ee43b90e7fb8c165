// Kernels, masks and a whole FFN over arrays whose few elements the compiler knows the number of: it must not warn of what
// vectors would read behind them, in a user's code least of all.
#include <tamis/tamis.hpp>

#include <doctest/doctest.h>

#include <array>
#include <utility>

namespace small_arrays_test {

namespace {

// Flattened: the inner loops are compiled into each of these, where the arrays' sizes are seen.
template <std::size_t N, class F>
[[gnu::flatten]] bool kernels_of_few() {
    std::array<std::byte, 3 * F::row_bytes(N)> memory{};
    std::array<float, N> x{};
    std::array<float, N> sums{};
    std::array<float, 3> y{};
    std::array<float, 3> factors{1, 2, 3};
    std::array<float, N> row{};
    for (std::size_t j = 0; j < N; ++j) {
        x[j] = static_cast<float>(j + 1);
        row[j] = 1;
    }
    for (std::size_t i = 0; i < 3; ++i) {
        F::pack(row, memory.data() + i * F::row_bytes(N));
    }
    const tamis::matrix<F, tamis::neuron_major> w{memory.data(), 3, N};
    const std::array<std::uint32_t, 2> listed{0, 2};
    tamis::dot_rows(w, tamis::all_rows{3}, x, y);
    tamis::dot_rows(w, tamis::active_rows{listed}, x, y);
    tamis::sum_rows(w, tamis::all_rows{3}, factors, sums);
    tamis::sum_rows(w, tamis::active_rows{listed}, factors, sums);
    const tamis::block<const float> one{x.data(), 1, N};
    tamis::dot_rows_of_block(w, tamis::all_rows{3}, one, tamis::block<float>{y.data(), 1, 3});
    tamis::sum_rows_of_block(w, tamis::all_rows{3}, tamis::block<const float>{factors.data(), 1, 3},
                             tamis::block<float>{sums.data(), 1, N}, 0, N);
    return y[0] > 0 && sums[0] > 0;
}

template <std::size_t N, class T>
[[gnu::flatten]] bool masks_of_few() {
    std::array<T, N> v{};
    for (std::size_t j = 0; j < N; ++j) {
        v[j] = static_cast<T>(j + 1);
    }
    std::array<float, N> norms{};
    norms.fill(1.0f);
    const tamis::mask by_mass = tamis::top_p{0.5}(v);
    const tamis::mask by_count = tamis::top_k{1}(v);
    const tamis::mask by_norm = tamis::scored{tamis::weighted{norms}, tamis::top_k{1}}(v);
    const tamis::mask by_power = tamis::scored{tamis::power{2}, tamis::threshold{1}}(v);
    const tamis::mask largest = tamis::max_p{0.5}(v);
    std::array<std::uint32_t, N> indices{};
    tamis::active_indices(by_mass, indices);
    tamis::zero_inactive(v, by_mass);
    return by_mass.count() > 0 && by_count.count() == 1 && by_norm.count() == 1 && by_power.count() == N &&
           largest.count() > 0 && indices[0] < N;
}

template <std::size_t N>
[[gnu::flatten]] bool ffn_of_few() {
    std::array<float, N * N> weights{};
    weights.fill(0.5f);
    std::array<float, N> x{};
    x.fill(1.0f);
    std::array<float, N> y{};
    using matrix = tamis::matrix<tamis::f32, tamis::neuron_major>;
    const matrix w{weights.data(), N, N};
    const tamis::glu_ffn ffn{tamis::glu_weights{w, w, w}, tamis::silu{},
                             tamis::at_intermediate(tamis::top_p{0.9})};
    tamis::owned_workspace memory{ffn.workspace_bytes()};
    ffn(x, y, memory);
    return y[0] > 0;
}

template <std::size_t... I>
bool all_of_few(std::index_sequence<I...>) {
    return ((kernels_of_few<I + 1, tamis::f32>() && ...) && (masks_of_few<2 * I + 1, float>() && ...));
}

} // namespace

TEST_CASE("kernels and masks over arrays of 1 to 9 elements") {
    CHECK(all_of_few(std::make_index_sequence<5>{}));
    CHECK((kernels_of_few<5, tamis::bf16>() && kernels_of_few<5, tamis::f16>()));
    CHECK((kernels_of_few<5, tamis::int8_by_row>() && kernels_of_few<9, tamis::q8_0>()));
    CHECK((kernels_of_few<5, tamis::q4_0>() && kernels_of_few<3, tamis::bf16>()));
    CHECK((masks_of_few<5, double>() && masks_of_few<7, std::int8_t>() && masks_of_few<3, std::int32_t>()));
    CHECK(ffn_of_few<5>());
}

} // namespace small_arrays_test
