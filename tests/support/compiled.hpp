#pragma once

#include <tamis/any_selector.hpp>
#include <tamis/ffn/linear.hpp>
#include <tamis/format/bf16.hpp>
#include <tamis/format/f16.hpp>
#include <tamis/format/f32.hpp>
#include <tamis/format/int8_by_row.hpp>
#include <tamis/format/q4_0.hpp>
#include <tamis/format/q8_0.hpp>
#include <tamis/rule/guarded.hpp>
#include <tamis/rule/tail_budget.hpp>
#include <tamis/rule/top_k.hpp>
#include <tamis/rule/top_p.hpp>

// What most tests would compile again, the kernels and the searches of cuts, compiled once: compiled.cpp says that these
// are here, and a program's other units leave them to it. (An application of many units may do the same.)

#define TAMIS_COMPILED_KERNELS(EXTERN, F)                                                                   \
    EXTERN template void tamis::detail::dot_listed_rows<F>(const tamis::detail::row_list&,                  \
                                                           std::span<const float>, float*,                  \
                                                           const tamis::tuning&);                           \
    EXTERN template void tamis::detail::dot_listed_rows_of_block<F>(const tamis::detail::row_list&,         \
                                                                    tamis::block<const float>,              \
                                                                    tamis::block<float>,                    \
                                                                    tamis::token_masks);                    \
    EXTERN template void tamis::detail::sum_listed_rows<F>(const tamis::detail::row_list&, std::size_t,     \
                                                           const float*, float*, std::size_t, std::size_t,  \
                                                           const tamis::tuning&);                           \
    EXTERN template void tamis::detail::sum_listed_rows_of_block<F>(const tamis::detail::row_list&,         \
                                                                    std::size_t, tamis::block<const float>, \
                                                                    tamis::block<float>, std::size_t,       \
                                                                    std::size_t);                           \
    EXTERN template class tamis::detail::product<F, false>;                                                 \
    EXTERN template class tamis::detail::product<F, true>;

#define TAMIS_COMPILED_CUTS(EXTERN, Real)                                                                    \
    EXTERN template tamis::cut<Real> tamis::top_p_cut(tamis::scores<Real>, double, tamis::workspace);        \
    EXTERN template tamis::cut<Real> tamis::top_k_cut(tamis::scores<Real>, std::size_t, tamis::workspace);   \
    EXTERN template tamis::cut<Real> tamis::at_most_cut(tamis::scores<Real>, std::size_t, tamis::workspace); \
    EXTERN template tamis::cut<Real> tamis::tail_budget_cut(tamis::scores<Real>, double, tamis::workspace);  \
    EXTERN template tamis::cut<Real> tamis::plain_top_p_cut(tamis::scores<Real>, double, tamis::workspace);  \
    EXTERN template tamis::cut<Real> tamis::plain_top_k_cut(tamis::scores<Real>, std::size_t,                \
                                                            tamis::workspace);                               \
    EXTERN template void tamis::write_mask(tamis::cut<Real>, tamis::scores<Real>, tamis::mask_span);

#define TAMIS_COMPILED(EXTERN)                         \
    TAMIS_COMPILED_KERNELS(EXTERN, tamis::f32)         \
    TAMIS_COMPILED_KERNELS(EXTERN, tamis::f16)         \
    TAMIS_COMPILED_KERNELS(EXTERN, tamis::bf16)        \
    TAMIS_COMPILED_KERNELS(EXTERN, tamis::int8_by_row) \
    TAMIS_COMPILED_KERNELS(EXTERN, tamis::q8_0)        \
    TAMIS_COMPILED_KERNELS(EXTERN, tamis::q4_0)        \
    TAMIS_COMPILED_CUTS(EXTERN, float)                 \
    TAMIS_COMPILED_CUTS(EXTERN, double)

#if !defined(TAMIS_COMPILES_THEM)
TAMIS_COMPILED(extern)
#endif
