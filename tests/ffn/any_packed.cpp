#include <tamis/ffn/any_packed.hpp>

#include "support/generate.hpp"

#include <tamis/ffn/any_format.hpp>
#include <tamis/format/bf16.hpp>
#include <tamis/format/f32.hpp>
#include <tamis/format/q4_k.hpp>
#include <tamis/format/q8_0.hpp>
#include <tamis/rule/top_k.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace any_packed_test {

// Layouts that follow from the sites: what lies right is borrowed, the rest is the same weights transposed.

namespace {

using known_formats = tamis::formats<tamis::f32, tamis::bf16, tamis::q8_0, tamis::q4_k>;
using enum tamis::weight_layout;

constexpr std::size_t packed_width = 256, packed_neurons = 512;

struct stored_weights {
    const char* format;
    std::vector<std::byte> gate, down;

    explicit stored_weights(const char* name) : format{name} {
        const auto make = [&](std::size_t rows, std::size_t columns) {
            engine random{rows};
            std::vector<std::byte> bytes(rows * tamis::any_row_bytes<known_formats>(format, columns));
            for (std::byte& b : bytes) {
                b = static_cast<std::byte>(below(random, 60)); // numbers that are finite
            }
            return bytes;
        };
        gate = make(packed_neurons, packed_width);
        down = make(packed_width, packed_neurons);
    }
    tamis::any_glu_weights view() const {
        const tamis::any_matrix w{format, neuron_major, gate.data(), packed_neurons, packed_width};
        return {w, w, {format, output_major, down.data(), packed_width, packed_neurons}};
    }
};

/// Whether `made` has the weights of `from`, with rows and columns exchanged where the layouts differ, within
/// a share of the largest.
bool has_the_weights(const tamis::any_matrix& made, const tamis::any_matrix& from, float share) {
    float largest = 0, farthest = 0;
    tamis::with_format<known_formats>(made.format(), [&]<class To>(To) {
        tamis::with_format<known_formats>(from.format(), [&]<class From>(From) {
            const bool turned = made.layout() != from.layout();
            const std::size_t stride = From::row_bytes(from.columns());
            const auto* const to = static_cast<const std::byte*>(made.data());
            for (std::size_t i = 0; i < made.rows(); i += 7) {
                for (std::size_t j = 0; j < made.columns(); j += 5) {
                    const float is = To::at(to + i * To::row_bytes(made.columns()), j);
                    const float was =
                        From::at(static_cast<const std::byte*>(from.data()) + (turned ? j : i) * stride,
                                 turned ? i : j);
                    largest = std::max(largest, std::fabs(was));
                    farthest = std::max(farthest, std::fabs(is - was));
                }
            }
        });
    });
    return farthest <= share * largest;
}

} // namespace

TEST_CASE("weights are laid out for the sites that have a mask, and borrowed where they lie right") {
    struct wanted {
        std::vector<tamis::site> sites;
        tamis::weight_layout gate, up, down;
    };
    using tamis::site;
    const wanted all[]{
        {{}, neuron_major, neuron_major, output_major},
        {{site::input}, input_major, input_major, output_major},
        {{site::gate}, neuron_major, neuron_major, neuron_major},
        {{site::up}, neuron_major, neuron_major, neuron_major},
        {{site::intermediate}, neuron_major, neuron_major, neuron_major},
        {{site::input, site::gate}, input_major, input_major, neuron_major},
        {{site::input, site::intermediate}, input_major, input_major, neuron_major},
    };
    for (const char* format : {"f32", "bf16", "q8_0", "q4_k"}) {
        CAPTURE(std::string{format});
        const stored_weights stored{format};
        const tamis::any_glu_weights from = stored.view();
        const bool stays = std::string_view{format} != "q4_k";
        for (const wanted& w : all) {
            std::vector<tamis::any_policy> policies;
            for (const site where : w.sites) {
                policies.emplace_back(where, tamis::any_selector{tamis::top_k{5}});
            }
            const tamis::any_packed<known_formats> packed{from, policies, "q8_0"};
            const tamis::any_glu_weights& made = packed.view();
            const tamis::any_matrix* const now[]{&made.gate, &made.up, &made.down};
            const tamis::any_matrix* const before[]{&from.gate, &from.up, &from.down};
            const tamis::weight_layout layouts[]{w.gate, w.up, w.down};
            bool copies = false;
            for (std::size_t i = 0; i < 3; ++i) {
                CHECK(now[i]->layout() == layouts[i]);
                const bool turned = layouts[i] != before[i]->layout();
                copies = copies || turned;
                CHECK((now[i]->data() == before[i]->data()) == !turned);
                CHECK(now[i]->format() == (turned && !stays ? "q8_0" : format));
                CHECK(has_the_weights(*now[i], *before[i], format[0] == 'q' && turned ? 0.01f : 0.0f));
            }
            CHECK((packed.own_bytes() != 0) == copies);
        }
    }
}

TEST_CASE("norms of a W_down whose format and layout are known at run time") {
    const stored_weights stored{"bf16"};
    const tamis::any_glu_weights from = stored.view();
    const tamis::any_policy policy{tamis::site::intermediate, tamis::any_selector{tamis::top_k{5}}};
    const tamis::any_packed<known_formats> packed{from, std::span{&policy, 1}, "q8_0"};
    std::vector<float> norms(packed_neurons), turned(packed_neurons), typed(packed_neurons);
    tamis::any_neuron_norms<known_formats>(from.down, norms);
    tamis::any_neuron_norms<known_formats>(packed.view().down, turned);
    tamis::neuron_norms(tamis::matrix<tamis::bf16, tamis::output_major>{stored.down.data(), packed_width,
                                                                        packed_neurons},
                        typed);
    CHECK(norms == typed);
    CHECK(turned == typed);
    CHECK_THROWS_WITH_AS(tamis::any_row_bytes<known_formats>("q5_k", 256),
                         doctest::Contains("'q5_k', but this is compiled for f32, bf16, q8_0, q4_k"),
                         std::invalid_argument);
    CHECK_THROWS_AS(tamis::any_row_bytes<known_formats>("q4_k", 100), std::invalid_argument);
}

} // namespace any_packed_test
