// A rule of your own, and what it can do at once: be called on values, be combined with the library's rules, take
// another score, be guarded, and stand at a site of an FFN.
#include <tamis/tamis.hpp>

#include <cstdio>
#include <cstdlib>
#include <vector>

/// Keeps scores of at least `factor` times their mean: a threshold that follows the token, in one pass. A rule is a
/// class with a const cut_of; tamis::selects makes it callable on values.
struct above_mean : tamis::selects<above_mean> {
    explicit above_mean(double f) : factor{f} {}

    template <class Real> // float or double, as the values and the score make it
    tamis::cut<Real> cut_of(tamis::scores<Real> s) const {
        double sum = 0;
        for (std::size_t i = 0; i < s.size(); ++i) {
            sum += static_cast<double>(s[i]); // magnitudes: the signs are gone
        }
        return tamis::cut<Real>::at(static_cast<Real>(factor * sum / static_cast<double>(s.size())));
    }

    double factor;
};

namespace {

void show(const char* what, const tamis::mask& mask) {
    std::printf("%-52s", what);
    for (std::size_t i = 0; i < mask.size(); ++i) {
        std::printf(" %c", mask[i] ? 'x' : '.');
    }
    std::printf("   %3.0f %% dropped\n", 100 * mask.sparsity());
}

} // namespace

int main() {
    using namespace tamis;
    const std::vector<float> v{0.1f, -2.0f, 0.7f, 0.0f, 1.2f, -0.3f, 90.0f, 0.9f};
    const std::vector<float> norms{9.0f, 1.0f, 1.0f, 1.0f, 1.0f, 9.0f, 1.0f, 1.0f};

    show("above_mean{0.5}", above_mean{0.5}(v));
    show("guarded: the outlier 90 is kept, and not averaged", guarded{50, above_mean{0.5}}(v));
    show("  ... & top_k{3}", (guarded{50, above_mean{0.5}} & top_k{3})(v));
    show("  ... | max_p{0.001}", (guarded{50, above_mean{0.5}} | max_p{0.001})(v));
    show("at_least{2, above_mean{50}}", at_least{2, above_mean{50}}(v));
    show("scored by |v| * norm", scored{weighted{norms}, guarded{50, above_mean{0.5}}}(v));

    // At a site of an FFN: here every intermediate value below half of the mean is dropped.
    const std::size_t h = 2;
    const std::size_t d = 3;
    const std::vector<float> up{1, 0, 0, 1, 1, 1};
    const std::vector<float> down{1, 0, 1, 1, 0, 1}; // neuron-major: a row a neuron
    const std::vector<float> x{1.0f, 0.01f};
    std::vector<float> y(h);
    plain_weights weights{matrix<f32, neuron_major>{up.data(), d, h},
                          matrix<f32, neuron_major>{down.data(), d, h}};
    plain_ffn ffn{weights, relu{}, at_intermediate(above_mean{0.5})};
    owned_workspace memory{ffn.workspace_bytes()};
    const traffic read = ffn(x, y, memory);
    std::printf("y = (%g, %g), %zu of %zu bytes of weights not read\n", static_cast<double>(y[0]),
                static_cast<double>(y[1]), read.bytes_skipped(), read.bytes_dense);

    return guarded{50, above_mean{0.5}}(v).count() == 5 && read.bytes_skipped() > 0 ? EXIT_SUCCESS
                                                                                    : EXIT_FAILURE;
}
