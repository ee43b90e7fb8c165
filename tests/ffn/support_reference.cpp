#include "ffn/support_reference.hpp"

#include <Eigen/Core>

#include <algorithm>
#include <cmath>

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

MatrixXd matrix_of(const dense& m) {
    using row_major = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    return Eigen::Map<const row_major>(m.values.data(), static_cast<Eigen::Index>(m.outputs),
                                       static_cast<Eigen::Index>(m.inputs))
        .cast<double>();
}

VectorXd vector_of(const std::vector<float>& values) {
    return Eigen::Map<const Eigen::VectorXf>(values.data(), static_cast<Eigen::Index>(values.size()))
        .cast<double>();
}

VectorXd bias_of(const std::vector<float>& values, std::size_t n) {
    return values.empty() ? VectorXd{VectorXd::Zero(static_cast<Eigen::Index>(n))} : vector_of(values);
}

/// 1 where a mask keeps, 0 where it does not.
VectorXd ones_of(const std::vector<bool>& mask, std::size_t n) {
    VectorXd ones = VectorXd::Ones(static_cast<Eigen::Index>(n));
    for (std::size_t i = 0; i < mask.size(); ++i) {
        ones(static_cast<Eigen::Index>(i)) = mask[i] ? 1.0 : 0.0;
    }
    return ones;
}

std::vector<double> list_of(const VectorXd& v) { return {v.begin(), v.end()}; }

std::string compare(const std::vector<double>& expected, std::span<const float> got, const char* what) {
    if (expected.size() != got.size()) {
        return std::string{what} + ": the size differs; ";
    }
    double largest = 1;
    for (const double value : expected) {
        largest = std::max(largest, std::fabs(value));
    }
    for (std::size_t i = 0; i < got.size(); ++i) {
        // Formulated such that a NaN differs.
        if (!all_finite(got.subspan(i, 1)) || !(std::fabs(expected[i] - double{got[i]}) <= 1e-5 * largest)) {
            return std::string{what} + "[" + std::to_string(i) + "] = " + std::to_string(got[i]) +
                   ", expected " + std::to_string(expected[i]) + "; ";
        }
    }
    return {};
}

} // namespace

double exact_silu(double z) { return z / (1 + std::exp(-z)); }
double exact_gelu(double z) { return z * std::erfc(-z / std::sqrt(2.0)) / 2; }
double exact_gelu_tanh(double z) {
    return z / 2 * (1 + std::tanh(std::sqrt(2 / 3.14159265358979323846) * (z + 0.044715 * std::pow(z, 3))));
}
double exact_relu(double z) { return std::max(z, 0.0); }
double exact_relu2(double z) { return std::max(z, 0.0) * std::max(z, 0.0); }
double exact_identity(double z) { return z; }

reference_values reference_glu(const problem& p, exact_sigma sigma, const site_masks& masks) {
    const auto each = [sigma](std::span<double> gates) {
        std::transform(gates.begin(), gates.end(), gates.begin(), sigma);
    };
    return reference_glu(p, exact_gating{each}, masks);
}

reference_values reference_glu(const problem& p, const exact_gating& gating, const site_masks& masks) {
    const std::size_t d = p.neurons();
    const VectorXd keep_x = ones_of(masks[0], p.width());
    const VectorXd keep_g = ones_of(masks[1], d);
    const VectorXd keep_u = ones_of(masks[2], d);
    const VectorXd keep_i = ones_of(masks[3], d);

    const VectorXd x = vector_of(p.x);
    const VectorXd masked_x = x.cwiseProduct(keep_x);
    VectorXd g = matrix_of(p.gate) * masked_x + bias_of(p.gate_bias, d);
    gating.gates({g.data(), d});
    const VectorXd u = (matrix_of(p.up) * masked_x + bias_of(p.up_bias, d)).unaryExpr(gating.up);
    const VectorXd i = u.cwiseProduct(keep_u).cwiseProduct(g.cwiseProduct(keep_g));
    const VectorXd y = matrix_of(p.down) * i.cwiseProduct(keep_i) + bias_of(p.down_bias, p.width());

    // The gate's mask comes before the up's; without one at the gate it is the up's that leaves gate neurons
    // out, unless all gates are needed.
    const bool gate_first = !masks[1].empty() || masks[2].empty() || gating.takes_whole;
    return {{list_of(x), list_of(gate_first ? g : VectorXd{g.cwiseProduct(keep_u)}),
             list_of(gate_first ? VectorXd{u.cwiseProduct(keep_g)} : u), list_of(i)},
            list_of(y)};
}

reference_values reference_plain(const problem& p, exact_sigma sigma, const site_masks& masks) {
    const VectorXd x = vector_of(p.x);
    const VectorXd masked_x = x.cwiseProduct(ones_of(masks[0], p.width()));
    const VectorXd i = (matrix_of(p.up) * masked_x + bias_of(p.up_bias, p.neurons())).unaryExpr(sigma);
    const VectorXd y =
        matrix_of(p.down) * i.cwiseProduct(ones_of(masks[3], p.neurons())) + bias_of(p.down_bias, p.width());
    return {{list_of(x), {}, {}, list_of(i)}, list_of(y)};
}

std::string differences(const reference_values& expected, const recorder& seen, std::span<const float> y) {
    std::string all = compare(expected.y, y, "y");
    for (const recorder::record& r : seen.seen) {
        all += compare(expected.at[static_cast<std::size_t>(r.where)], r.values, tamis::name_of(r.where));
    }
    return all;
}
