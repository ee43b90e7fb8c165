// Compiled once for each set of flags, with -D TAMIS_TEST_NAME=<name>: a bit of everything that becomes code.
#include "unit.hpp"

#include <tamis/tamis.hpp>

#include <array>

namespace {

/// Numbers of both signs and many magnitudes, made of integers alone.
std::vector<float> numbers(std::size_t count, std::uint32_t seed) {
    std::vector<float> values(count);
    for (float& value : values) {
        seed = seed * 1664525u + 1013904223u;
        value = std::bit_cast<float>((seed & 0x83ffffffu) | 0x3c000000u);
    }
    return values;
}

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

TAMIS_TEST_UNIT(TAMIS_TEST_NAME);

std::uint64_t TAMIS_TEST_JOIN(masks_, TAMIS_TEST_NAME)() {
    using namespace tamis;
    fingerprint all;
    for (const std::size_t n : {5u, 70u, 300u, 2000u}) {
        const auto x = numbers(n, static_cast<std::uint32_t>(n));
        const auto norms = [&] {
            auto weights = numbers(n, 9);
            for (float& weight : weights) {
                weight = weight < 0 ? -weight : weight;
            }
            return weights;
        }();
        const mask mass = top_p{0.9}(x);
        all.add(mass);
        all.add(guarded{8, top_k{n / 3} | max_p{0.5}}(x));
        all.add(cett(norms, 0.01)(x));
        all.add(scored{centred{0.1}, tail_budget{0.5}}(x));
        all.add(any_selector{at_most{n / 4, nonzero{}}}(x));
        all.add(mass | ~top_p_power(0.5, 1.5)(x));
        for (const std::uint32_t i : active_indices(mass)) {
            all.add(i);
        }
        std::vector<entry> entries(n);
        owned_workspace memory{active_selection_bytes(top_p{0.5}, n)};
        const std::size_t count = select_entries(top_p{0.5}, x, entries, memory);
        all.add(count == 0 ? 0 : entries[count - 1].index);
        const mask_block rows = select_joint(top_p{0.7}, block{x.data(), n / 5, std::size_t{5}});
        for (std::size_t i = 0; i < rows.rows(); ++i) {
            all.add(rows.row(i));
        }
    }
    return all.state;
}

tamis::mask TAMIS_TEST_JOIN(ffn_, TAMIS_TEST_NAME)(std::span<const float> x, std::span<float> y,
                                                   tamis::workspace w, tamis::traffic& read) {
    using namespace tamis;
    const std::size_t h = x.size();
    const std::size_t d = 2 * h;
    const auto gate = numbers(d * h, 1);
    const auto up = numbers(d * h, 2);
    const auto down = numbers(h * d, 3);
    glu_weights weights{matrix<f32, neuron_major>{gate.data(), d, h},
                        matrix<f32, neuron_major>{up.data(), d, h},
                        matrix<f32, output_major>{down.data(), h, d}};
    auto packed = pack(weights, at_intermediate(top_p{0.9}));
    glu_ffn ffn{packed.view(), silu{}, at_intermediate(top_p{0.9})};
    const auto own = w.take<std::byte>(ffn.workspace_bytes() + workspace_alignment);
    mask seen{d};
    read += ffn(x, y, workspace{own}, [&](const sighting& s) {
        if (s.where == site::intermediate) {
            seen = mask{s.mask};
        }
    });
    return seen;
}
