#pragma once

#include <Eigen/Core>

namespace app {

/// A block of tokens: row t belongs to the token at position t.
using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

} // namespace app
