// expect: wrap a strided row or column in tamis::strided
#include <tamis/eigen.hpp>
#include <tamis/rule/top_k.hpp>

#if defined(TAMIS_FIXED)
tamis::mask f(const Eigen::MatrixXf& m) { return tamis::top_k{1}(tamis::strided_eigen(m.row(0))); }
#else
tamis::mask f(const Eigen::MatrixXf& m) { return tamis::top_k{1}(m.row(0)); }
#endif
