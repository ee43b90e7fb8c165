#include <tamis/kernel/dense_panels.hpp>

#include "support/generate.hpp"

#include <tamis/format/f32.hpp>
#include <tamis/format/q8_0.hpp>
#include <tamis/matrix.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace dense_panels_test {

// Panels hold what `at` says, and products of them are those of the simple loop, for every size of a tile and of what is left.

namespace {

namespace inside = tamis::detail;

template <class F>
struct stored_for_panels {
    std::vector<std::byte> memory;
    std::size_t rows, columns;

    stored_for_panels(std::size_t r, std::size_t c, engine& random)
        : memory(r * F::row_bytes(c)), rows{r}, columns{c} {
        std::vector<float> row(c);
        for (std::size_t i = 0; i < r; ++i) {
            for (float& value : row) {
                value = static_cast<float>(static_cast<int>(below(random, 2001)) - 1000) * 0.001f;
            }
            F::pack(row, memory.data() + i * F::row_bytes(c));
        }
    }
    tamis::matrix<F, tamis::neuron_major> view() const { return {memory.data(), rows, columns}; }
};

template <class F, bool ByOutputs>
void check_panels() {
    engine random{5};
    const std::size_t all_inputs = 320, all_outputs = 320;
    const stored_for_panels<F> w{all_inputs, all_outputs, random};
    const auto weight = [&](std::size_t k, std::size_t j) {
        return ByOutputs ? w.view().at(j, k) : w.view().at(k, j);
    };
    using panels_type = inside::dense_panels<decltype(w.view()), ByOutputs>;
    std::vector<float> memory(panels_type::floats);
    for (const inside::piece p :
         {inside::piece{0, 128, 0, 320}, inside::piece{192, 320, 64, 320}, inside::piece{256, 320, 256, 320},
          inside::piece{64, 65, 0, 1}, inside::piece{0, 7, 256, 291}, inside::piece{256, 319, 64, 127}}) {
        const std::size_t inputs = p.end - p.begin, outputs = p.to - p.from, across = outputs + 3;
        CAPTURE(p.to);
        std::size_t wrong = 0;
        for (const std::size_t parts : {1u, 3u, 1000u}) {
            std::fill(memory.begin(), memory.end(), -7.0f);
            panels_type panels{w.view(), p, memory.data(), parts};
            panels.fill_part();
            panels.fill_rest();
            for (std::size_t j = 0; j < outputs; ++j) {
                for (std::size_t k = 0; k < inputs; ++k) {
                    const float held = panels.of(j)[k * inside::panel_width + j % inside::panel_width];
                    wrong += held == weight(p.begin + k, p.from + j) ? 0u : 1u;
                }
            }
        }
        CHECK(wrong == 0);
        const panels_type panels{w.view(), p, memory.data(), 1};
        for (const std::size_t tokens : {std::size_t{1}, std::size_t{2}, inside::panel_tokens - 1,
                                         inside::panel_tokens, inside::panel_tokens + 5}) {
            std::vector<float> x(tokens * (inputs + 1));
            for (float& value : x) {
                value = static_cast<float>(static_cast<int>(below(random, 21)) - 10) * 0.1f;
            }
            std::vector<float> y(tokens * across, 2);
            std::size_t calls = 0;
            inside::multiply_piece(panels, {inputs, x.data(), inputs + 1, y.data(), across}, outputs, tokens,
                                   [&] {
                                       ++calls;
                                       return inside::lines_ahead{};
                                   });
            CHECK(calls >= inside::calls_of_piece(outputs, tokens));
            for (std::size_t t = 0; t < tokens; ++t) {
                for (std::size_t j = 0; j < across; ++j) {
                    double sum = 2;
                    for (std::size_t k = 0; k < inputs && j < outputs; ++k) {
                        sum += static_cast<double>(x[t * (inputs + 1) + k]) *
                               static_cast<double>(weight(p.begin + k, p.from + j));
                    }
                    const auto got = static_cast<double>(y[t * across + j]);
                    wrong += std::fabs(got - sum) <= 1e-4 ? 0u : 1u; // nothing is written behind the outputs
                }
            }
        }
        CHECK(wrong == 0);
    }
}

} // namespace

TEST_CASE("dense panels: what they hold, and products of them, are those of plain loops") {
    check_panels<tamis::f32, false>();
    check_panels<tamis::f32, true>();
    check_panels<tamis::q8_0, true>();
}

} // namespace dense_panels_test
