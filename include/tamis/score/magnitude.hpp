#pragma once

#include <tamis/score/score.hpp>

TAMIS_BEGIN

/// |v|: the score that every rule uses unless told otherwise. Exact.
struct magnitude {
    template <class Real>
    constexpr Real operator()(Real v, std::size_t) const {
        return v; // the sign is dropped with the bits
    }
};

TAMIS_END
