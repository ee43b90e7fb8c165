#pragma once

#include <tamis/any_block.hpp>
#include <tamis/detail/to_reals.hpp>
#include <tamis/select_block.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <type_traits>

TAMIS_BEGIN

namespace detail {

/// Reals where they lie, or a copy of what is none.
template <class T>
std::span<const real_of<T>> reals_of_row(const T* first, std::size_t columns, std::size_t step,
                                         workspace& w) {
    if constexpr (std::is_same_v<T, real_of<T>>) {
        if (step == 1) {
            return {first, columns};
        }
    }
    const auto copy = w.take<real_of<T>>(columns);
    if (step == 1) {
        detail::to_reals(first, columns, copy.data());
    } else {
        for (std::size_t j = 0; j < columns; ++j) {
            copy[j] = to_real(first[j * step]);
        }
    }
    return copy;
}
template <selector S>
std::size_t any_row_selection_bytes(const S& s, number_type type, std::size_t columns) {
    const std::size_t copy =
        with_number(type, [&]<class T>(T) { return workspace_bytes_of<real_of<T>>(columns); });
    return copy + workspace_bytes_of<std::byte>(selection_bytes(s, columns));
}

} // namespace detail

/// Bytes of workspace that any_select_rows needs for rows of so many numbers.
template <selector S, executor E = serial>
std::size_t any_selection_bytes(const S& s, number_type type, std::size_t columns, const E& threads = {}) {
    return detail::any_row_selection_bytes(s, type, columns) * width_of(threads);
}

/// select_rows where the type of the numbers is known at run time: the same masks, a row of its own each, over numbers with any step.
/// Reads them where they lie; what is no real, or has a step, is copied to the workspace, a row at a time.
template <selector S, executor E = serial>
void any_select_rows(const S& s, const any_block& values, mask_block_span out, workspace w,
                     const E& threads = {}) {
    const std::size_t columns = values.columns();
    detail::need("tamis: masks for %zu rows are needed, got %zu", values.rows(), out.rows());
    detail::need("tamis: masks over %zu columns are needed, got %zu", columns, out.columns());
    const std::size_t bytes = detail::any_row_selection_bytes(s, values.type(), columns);
    const std::size_t parts = (std::min)(values.rows(), width_of(threads));
    const auto memory = w.take<std::byte>(bytes * parts);
    with_number(values.type(), [&]<class T>(T) {
        detail::run_each(threads, parts, [&](std::size_t part) {
            for (std::size_t i = values.rows() * part / parts; i < values.rows() * (part + 1) / parts; ++i) {
                workspace own{memory.subspan(part * bytes, bytes)};
                const T* const first = static_cast<const T*>(values.data()) + i * values.row_stride();
                select_row(s, detail::reals_of_row(first, columns, values.step(), own), i, out.row(i), own);
            }
        });
    });
}

TAMIS_END
