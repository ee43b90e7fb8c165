#pragma once

#include <tamis/rule/selects.hpp>

TAMIS_BEGIN

/// Everything but exact zeros: the sparsity that ReLU has by itself, without any error.
struct nonzero : selects<nonzero> {
    template <class Real>
    constexpr cut<Real> cut_of(scores<Real>) const {
        return cut<Real>::everything();
    }
};

TAMIS_END
