#pragma once

#include <tamis/detail/mean_and_deviation.hpp>
#include <tamis/detail/unseen.hpp>
#include <tamis/ffn/gating/limit.hpp>

TAMIS_BEGIN

/// Which standard deviation: by n (PyTorch's unbiased=False: Transformers, vLLM), or by n - 1 (llama.cpp).
enum class deviation { of_population, of_sample };

/// Gemma 3n's sparse layers ("Gaussian top-k"): gelu_tanh(max(0, z - c)) with the cutoff c = mean + k * deviation of all
/// gates of a token. At the target sparsity .95 k is 1.6448536, the normal distribution's quantile, and about one neuron in
/// twenty is not zero: at_gate(nonzero{}) then leaves the rows of up and down of all others unread.
///     glu_ffn{weights, sparse_gelu{0.95}, at_gate(nonzero{})}
/// The cutoff is the same for every compiler, instruction set and flag and every order of the gates. Gates that are not all
/// finite become NaN, all of them. Refuses a target that is not within 0 and 1.
class sparse_gelu {
  public:
    /// Refuses a target that is not within 0 and 1.
    explicit sparse_gelu(double target_sparsity, deviation by = deviation::of_population)
        : k_{normal_quantile(target_sparsity)}, by_{by} {}
    /// By k itself: what the target .95 gives is 1.6448536f.
    static sparse_gelu above_mean(float k, deviation by = deviation::of_population) {
        sparse_gelu result{0.5, by};
        result.k_ = k;
        return result;
    }

    /// How many deviations above the mean a gate has to be.
    float k() const { return k_; }

    /// c: gates that are not above it become zero.
    float cutoff_of(std::span<const float> gates) const {
        const detail::mean_and_deviation all{gates};
        // Volatile: clang 22 with fast math leaves out the rounding of a double to a float that is widened again.
        const volatile float k = k_;
        return all.finite()
                   ? static_cast<float>(all.above_mean(static_cast<double>(k), by_ == deviation::of_sample))
                   : detail::unseen_nan();
    }
    void whole(std::span<float> gates) const {
        using detail::vec;
        const float cutoff = cutoff_of(gates);
        if (is_nan(cutoff)) {
            return detail::fill_n(gates.data(), gates.size(), cutoff);
        }
        detail::by_lanes(gates, [&](const vec& z) {
            const vec above = z - vec(cutoff);
            const auto bits = detail::bits_of_lanes<float>(above);
            const auto positive = bits > detail::key_lanes<float>(0);
            return detail::reals_of<float>(detail::only<float>(positive, bits));
        });
        detail::activate(gelu_tanh{}, gates);
    }

  private:
    /// k with Phi(k) = target, by bisection: once, and exact to the float.
    static float normal_quantile(double target) {
        if (!detail::is_between(target, 0x1p-60, 1 - 0x1p-53)) {
            fail_value(
                "tamis::sparse_gelu: the target sparsity must be above 0 and below 1, got %g; layers "
                "with a target of 0 are gelu_tanh",
                target);
        }
        const bool upper = target > 0.5;
        const double tail = upper ? 1 - target : target;
        double low = 0, high = 10; // Phi(-10) is below 2^-60
        for (int i = 0; i < 60; ++i) {
            const double middle = (low + high) / 2;
            (std::erfc(middle * 0.70710678118654752440) / 2 > tail ? low : high) = middle;
        }
        return static_cast<float>(upper ? low : -low);
    }

    float k_;
    deviation by_;
};

TAMIS_END
