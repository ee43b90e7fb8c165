#pragma once

#include <Eigen/Core>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

// Values to make masks over, in the shapes that activations have and in those that searches dislike.

enum class dist { normal, llm, massive, relu, bf16, constant, geometric };
inline constexpr dist all_dists[] = {dist::normal, dist::llm,      dist::massive,  dist::relu,
                                     dist::bf16,   dist::constant, dist::geometric};
inline constexpr const char* dist_names[] = {"normal", "llm",      "massive",  "relu",
                                             "bf16",   "constant", "geometric"};

/// The shape of FFN activations: a normal number times exp(llm_spread * another). Its deciles, for 1 at the median, are
/// .16 .32 .51 .73 1 1.35 1.83 2.57 4.0; the intermediate vectors of six Llama and Mistral models (medians over their
/// layers) have .10 .26 .45 .70 1 1.39 1.90 2.66 4.0, their inputs the lighter tail .19 .37 .57 .78 1 1.25 1.54 1.91 2.5.
inline constexpr float llm_spread = 0.75f;

/// The one outlier of `massive`: 10^4 times llm's median.
inline constexpr float massive_outlier = 1e4f * 0.616f;

/// The zeros that ReLU leaves.
inline constexpr float relu_zeros = 0.89f;

inline std::vector<float> draw(dist d, std::size_t n, std::mt19937_64& random) {
    std::normal_distribution<float> normal;
    std::uniform_real_distribution<float> uniform;
    std::vector<float> values(n);
    for (std::size_t i = 0; i < n; ++i) {
        const float v = normal(random);
        switch (d) {
            case dist::normal: values[i] = v; break;
            case dist::llm:
            case dist::massive: values[i] = v * std::exp(llm_spread * normal(random)); break;
            case dist::relu: values[i] = uniform(random) < relu_zeros ? 0.0f : std::fabs(v); break;
            case dist::bf16: values[i] = static_cast<float>(Eigen::bfloat16(v)); break;
            case dist::constant: values[i] = std::copysign(0.7f, v); break;
            case dist::geometric:
                values[i] = std::copysign(std::pow(10.0f, 60 * uniform(random) - 30), v);
                break;
        }
    }
    if (d == dist::massive && n > 0) {
        values[random() % n] = massive_outlier;
    }
    return values;
}

/// A float in another type: int8 as quantised with 32 steps a unit.
template <class T>
T converted(float value) {
    if constexpr (std::is_integral_v<T>) {
        constexpr float most = static_cast<float>(std::numeric_limits<T>::max());
        return static_cast<T>(std::fmin(std::fmax(value * 32, -most), most));
    } else {
        return static_cast<T>(value);
    }
}

/// Spans enough for no branch predictor to learn them, kept for the next row of the same name.
template <class T>
const std::vector<std::vector<T>>& inputs(dist d, std::size_t n) {
    static std::vector<std::vector<T>> all;
    static dist dist_now{};
    static std::size_t n_now = 0;
    if (all.empty() || dist_now != d || n_now != n) {
        std::mt19937_64 random{n};
        all.assign(n > 100'000 ? 8 : 256, {});
        for (auto& values : all) {
            for (const float v : draw(d, n, random)) {
                values.push_back(converted<T>(v));
            }
        }
        dist_now = d;
        n_now = n;
    }
    return all;
}
