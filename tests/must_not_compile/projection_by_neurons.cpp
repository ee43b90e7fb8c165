// expect: the matrix of a linear layer is output_major
#include <tamis/tamis.hpp>

// A layout that says nothing of a linear layer: is a neuron its input or its output?
#if defined(TAMIS_FIXED)
using layout = tamis::output_major;
#else
using layout = tamis::neuron_major;
#endif

std::size_t call(const tamis::matrix<tamis::f32, layout>& w) { return tamis::linear_weights{w}.width(); }
