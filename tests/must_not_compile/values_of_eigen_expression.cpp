// expect: evaluate an Eigen expression
#include <tamis/eigen.hpp>
#include <tamis/rule/top_k.hpp>

#if defined(TAMIS_FIXED)
tamis::mask f(const Eigen::VectorXf& a) { return tamis::top_k{1}(Eigen::VectorXf(2.0f * a)); }
#else
tamis::mask f(const Eigen::VectorXf& a) { return tamis::top_k{1}(2.0f * a); }
#endif
