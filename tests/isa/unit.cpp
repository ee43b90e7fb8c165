// Compiled once for each set of flags, as -D TAMIS_TEST_NAME=<name>: a bit of everything that becomes code.
#include "unit.hpp"

#include <tamis/tamis.hpp>

namespace {

/// Numbers of both signs and many magnitudes, made of integers alone. (No std::vector: its code would be shared.)
template <std::size_t N>
struct numbers {
    explicit numbers(std::uint32_t seed, bool signs = true) {
        for (float& value : values) {
            seed = seed * 1664525u + 1013904223u;
            const std::uint32_t bits = (seed & (signs ? 0x83ffffffu : 0x03ffffffu)) | 0x3c000000u;
            std::memcpy(&value, &bits, sizeof value);
        }
    }
    float values[N];
};

struct fingerprint {
    std::uint64_t state = 0xcbf29ce484222325ull;
    void add(std::uint64_t word) { state = (state ^ word) * 0x100000001b3ull; }
    void add(tamis::mask_view mask) {
        add(mask.count());
        for (const std::uint64_t word : mask.words()) {
            add(word);
        }
    }
};

} // namespace

TAMIS_TEST_DECLARE_MASKS(TAMIS_TEST_NAME);
TAMIS_TEST_DECLARE_FFN(TAMIS_TEST_NAME);

std::uint64_t TAMIS_TEST_MASKS(TAMIS_TEST_NAME)(const tamis::mask& elsewhere) {
    using namespace tamis;
    constexpr std::size_t most = 2000;
    const numbers<most> made{7};
    const numbers<most> positive{9, false};
    fingerprint all;
    all.add(elsewhere);
    for (const std::size_t n : {5u, 70u, 300u, 2000u}) {
        const std::span<const float> x{made.values, n};
        const std::span<const float> norms{positive.values, n};
        const mask mass = top_p{0.9}(x);
        all.add(mass);
        all.add(guarded{8, top_k{n / 3} | max_p{0.5}}(x));
        all.add(scored{weighted{norms}, tail_budget{0.5}}(x));
        all.add(any_selector{at_most{n / 4, nonzero{}}}(x));
        all.add(mass | ~top_p_power(0.5, 1.5)(x));
        entry entries[most];
        std::uint32_t indices[most];
        owned_workspace memory{active_selection_bytes(top_p{0.5}, n)};
        const std::size_t count = select_entries(top_p{0.5}, x, std::span{entries}, memory);
        all.add(count == 0 ? 0 : entries[count - 1].index);
        all.add(active_indices(mass, std::span{indices}));
        all.add(indices[0]);
        const mask_block rows = select_joint(top_p{0.7}, block{x.data(), n / 5, std::size_t{5}});
        for (std::size_t i = 0; i < rows.rows(); ++i) {
            all.add(rows.row(i));
        }
    }
    return all.state;
}

tamis::mask TAMIS_TEST_FFN(TAMIS_TEST_NAME)(std::span<const float> x, std::span<float> y, tamis::workspace w,
                                            tamis::traffic& read) {
    using namespace tamis;
    constexpr std::size_t h = 64;
    constexpr std::size_t d = 128;
    const numbers<h * d> gate{1};
    const numbers<h * d> up{2};
    const numbers<h * d> down{3};
    const glu_weights weights{matrix<f32, neuron_major>{gate.values, d, h},
                              matrix<f32, neuron_major>{up.values, d, h},
                              matrix<f32, neuron_major>{down.values, d, h}};
    const glu_ffn ffn{weights, silu{}, at_intermediate(top_p{0.9})};
    mask seen{d};
    read += ffn(x, y, w, [&](const sighting& s) {
        if (s.where == site::intermediate) {
            seen = mask{s.mask};
        }
    });
    return seen;
}
