#include <tamis/kernel/dense_panels.hpp>

#include "support/generate.hpp"

#include <tamis/format/f32.hpp>
#include <tamis/format/q8_0.hpp>
#include <tamis/matrix.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

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

template <class F>
void check_panels(bool by_outputs) {
    engine random{by_outputs ? 5u : 6u};
    const std::size_t all_inputs = 320, all_outputs = 320;
    const stored_for_panels<F> w{all_inputs, all_outputs, random};
    const auto weight = [&](std::size_t k, std::size_t j) {
        return by_outputs ? w.view().at(j, k) : w.view().at(k, j);
    };
    std::vector<float> memory(inside::dense_panels::floats);
    struct piece {
        std::size_t begin, end, from, to;
    };
    for (const piece p : {piece{0, 256, 0, 256}, piece{64, 320, 64, 320}, piece{256, 320, 256, 320},
                          piece{64, 65, 0, 1}, piece{0, 7, 256, 291}, piece{256, 319, 64, 127}}) {
        inside::dense_panels panels{memory.data()};
        by_outputs ? panels.fill_by_outputs(w.view(), p.begin, p.end, p.from, p.to)
                   : panels.fill_by_inputs(w.view(), p.begin, p.end, p.from, p.to);
        const std::size_t inputs = p.end - p.begin, outputs = p.to - p.from, across = outputs + 3;
        std::size_t wrong = 0;
        for (std::size_t j = 0; j < outputs; ++j) {
            for (std::size_t k = 0; k < inputs; ++k) {
                const float held = panels.of(j)[k * inside::panel_width + j % inside::panel_width];
                wrong += held == weight(p.begin + k, p.from + j) ? 0u : 1u;
            }
        }
        CHECK(wrong == 0);
        for (const std::size_t tokens : {std::size_t{1}, std::size_t{2}, inside::panel_tokens - 1,
                                         inside::panel_tokens, inside::panel_tokens + 5}) {
            std::vector<float> x(tokens * (inputs + 1));
            for (float& value : x) {
                value = static_cast<float>(static_cast<int>(below(random, 21)) - 10) * 0.1f;
            }
            std::vector<float> y(tokens * across, 2);
            inside::piece_ahead ahead{w.view(), 0, 3, 0, 256, inside::calls_of_piece(outputs, tokens)};
            inside::multiply_piece(panels, inputs, outputs, x.data(), inputs + 1, y.data(), across, tokens,
                                   ahead);
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
        CAPTURE(p.to);
        CHECK(wrong == 0);
    }
}

} // namespace

TEST_CASE("dense panels: what they hold, and products of them, are those of plain loops") {
    check_panels<tamis::f32>(false);
    check_panels<tamis::f32>(true);
    check_panels<tamis::q8_0>(true);
}
