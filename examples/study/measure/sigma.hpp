#pragma once

#include "model/activation.hpp"

#include <tamis/ffn/activation.hpp>

namespace app {

/// The activation that the user named or the model has, decided at run time: one type of FFN serves all.
struct chosen_activation {
    activation which;

    float operator()(float z) const {
        switch (which) {
            case activation::silu: return tamis::silu{}(z);
            case activation::gelu: return tamis::gelu{}(z);
            case activation::gelu_tanh: return tamis::gelu_tanh{}(z);
            case activation::relu: break;
        }
        return tamis::relu{}(z);
    }
    template <class Vector>
    Vector lanes(const Vector& z) const {
        switch (which) {
            case activation::silu: return tamis::silu{}.lanes(z);
            case activation::gelu: return tamis::gelu{}.lanes(z);
            case activation::gelu_tanh: return tamis::gelu_tanh{}.lanes(z);
            case activation::relu: break;
        }
        return select(z < Vector(0.0f), Vector(0.0f), z); // as tamis::relu: a NaN stays, which max may drop
    }
};

} // namespace app
