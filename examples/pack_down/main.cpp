#include <tamis/tamis.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

// What it costs to transpose W_down, which skipping by neurons needs: other weights share a scale then, and are rounded a second
// time. For checkpoints in several formats, each transposed into several: the error of y against the same checkpoint read where
// it lies, and bytes. docs/formats.md has the table that this prints.

namespace {

constexpr std::size_t d = 1024, h = 512; // neurons and outputs

/// A matrix of W_down's shape as floats: a row an output.
using floats = std::vector<float>;

struct target {
    const char* name;
    double bits;
    floats (*transposed)(const floats&); // packed with a row a neuron, and read again
};
template <class F>
floats transposed(const floats& down) {
    floats packed(d * h);
    floats row(h);
    std::vector<std::byte> bytes(F::row_bytes(h));
    for (std::size_t i = 0; i < d; ++i) {
        for (std::size_t j = 0; j < h; ++j) {
            row[j] = down[j * d + i];
        }
        F::pack(row, bytes.data());
        const tamis::matrix<F, tamis::neuron_major> m{bytes.data(), 1, h};
        tamis::unpack(m, 0, 0, h, packed.data() + i * h);
    }
    return packed;
}
template <class F>
double bits_of() {
    return static_cast<double>(F::row_bytes(h)) * 8 / h;
}
template <class F>
target to() {
    return {F::name, bits_of<F>(), transposed<F>};
}

struct source {
    const char* name;
    double bits;
    floats (*checkpoint)(const floats&); // what a checkpoint of such weights reads as
};
template <class F>
floats packed_as(const floats& down) {
    floats read(down.size());
    std::vector<std::byte> bytes(F::row_bytes(d));
    for (std::size_t j = 0; j < h; ++j) {
        F::pack(std::span{down}.subspan(j * d, d), bytes.data());
        tamis::unpack(tamis::matrix<F, tamis::output_major>{bytes.data(), 1, d}, 0, 0, d,
                      read.data() + j * d);
    }
    return read;
}
/// For formats that are read alone: a plain quantiser with the same steps, runs and scales, though ggml's finds better ones.
template <class F, std::size_t Run, int Least, int Most, int ScaleSteps, bool HasMinimum>
floats like(const floats& down) {
    floats read(down.size());
    for (std::size_t first = 0; first < down.size(); first += 256) {
        double smallest[256 / Run], steps[256 / Run];
        double largest_step = 0, largest_minimum = 0;
        for (std::size_t run = 0; run < 256 / Run; ++run) {
            const auto weights = std::span{down}.subspan(first + run * Run, Run);
            const auto [low, high] = std::minmax_element(weights.begin(), weights.end());
            smallest[run] = HasMinimum ? std::fmax(0.0, -double{*low}) : 0.0;
            steps[run] = HasMinimum ? (double{*high} + smallest[run]) / Most
                                    : std::fmax(-double{*low}, double{*high}) / -Least;
            largest_step = std::fmax(largest_step, steps[run]);
            largest_minimum = std::fmax(largest_minimum, smallest[run]);
        }
        const auto rounded = [](double value, double most, int count) {
            const double unit =
                double{tamis::f16::widen(tamis::f16::round(static_cast<float>(most / count)))};
            return unit == 0 ? 0.0 : std::round(value / unit) * unit;
        };
        for (std::size_t k = 0; k < 256; ++k) {
            const double step = rounded(steps[k / Run], largest_step, ScaleSteps);
            const double minimum = rounded(smallest[k / Run], largest_minimum, ScaleSteps);
            const double q = step == 0 ? 0 : std::round((double{down[first + k]} + minimum) / step);
            read[first + k] = static_cast<float>(step * std::clamp<double>(q, Least, Most) - minimum);
        }
    }
    return read;
}
template <class F>
source from(floats (*checkpoint)(const floats&)) {
    return {F::name, static_cast<double>(F::row_bytes(d)) * 8 / d, checkpoint};
}

/// ||y_a - y_b|| / ||y_b|| with y in double, over a few intermediates that have long tails.
double error_of(const floats& neuron_major, const floats& output_major) {
    std::mt19937 random{5};
    std::normal_distribution<double> normal;
    double difference = 0, all = 0;
    for (int token = 0; token < 4; ++token) {
        std::vector<double> intermediate(d);
        for (double& value : intermediate) {
            value = normal(random) * normal(random);
        }
        for (std::size_t j = 0; j < h; ++j) {
            double y = 0, change = 0;
            for (std::size_t i = 0; i < d; ++i) {
                y += double{output_major[j * d + i]} * intermediate[i];
                change +=
                    (double{neuron_major[i * h + j]} - double{output_major[j * d + i]}) * intermediate[i];
            }
            difference += change * change;
            all += y * y;
        }
    }
    return std::sqrt(difference / all);
}

} // namespace

int main() {
    using namespace tamis;
    floats down(d * h);
    std::mt19937 random{1};
    std::normal_distribution<float> normal{0.0f, 0.02f};
    for (float& w : down) {
        w = normal(random);
    }
    const source sources[] = {from<q4_0>(packed_as<q4_0>),
                              from<q4_1>(packed_as<q4_1>),
                              from<q5_0>(packed_as<q5_0>),
                              from<q8_0>(packed_as<q8_0>),
                              from<q4_k>(like<q4_k, 32, 0, 15, 63, true>),
                              from<q6_k>(like<q6_k, 16, -32, 31, 127, false>),
                              from<mxfp4>(packed_as<mxfp4>),
                              from<tq2_0>(packed_as<tq2_0>),
                              from<f16>(packed_as<f16>),
                              from<bf16>(packed_as<bf16>)};
    const target targets[] = {to<q4_0>(), to<q4_1>(), to<q5_1>(), to<q8_0>(),
                              to<bf16>(), to<f16>(),  to<f32>()};

    std::printf("| checkpoint (bits) |");
    for (const auto& t : targets) {
        std::printf(" %s (%.4g) |", t.name, t.bits);
    }
    std::printf("\n|---|");
    for (std::size_t k = 0; k < std::size(targets); ++k) {
        std::printf("---|");
    }
    std::printf("\n");
    bool is_right = true;
    for (const auto& s : sources) {
        std::printf("| `%s` (%.4g) |", s.name, s.bits);
        const floats checkpoint = s.checkpoint(down);
        for (const auto& t : targets) {
            const double error = error_of(t.transposed(checkpoint), checkpoint);
            if (error == 0) {
                std::printf(" exact |");
            } else {
                std::printf(" %.1e |", error);
            }
            is_right = is_right && (t.name != f32::name || error == 0);
        }
        std::printf("\n");
    }
    return is_right ? 0 : 1;
}
