#pragma once

#include <tamis/ffn/any_matrix.hpp>
#include <tamis/ffn/cett_exact.hpp>

TAMIS_BEGIN

// What an engine asks of a format that it knows by its name, from a list of formats: the type itself, bytes of a row, norms.

/// Calls f with the format of the list that has the name, a type without a state. Refuses one that is not in the list, by the
/// list and by `what` it is the format of.
template <class Formats, class Call>
void with_format(std::string_view name, Call&& f, const char* what = "the matrix") {
    detail::listed_matrix<Formats>{what, any_matrix{name, weight_layout::neuron_major, nullptr, 0, 0}}
        .as_it_is(f);
}

/// Bytes of a row of so many weights. Refuses a format that is not in the list, and a part of a block where there is none.
template <class Formats>
std::size_t any_row_bytes(std::string_view format, std::size_t columns) {
    std::size_t bytes = 0;
    with_format<Formats>(format, [&]<class F>(F) {
        static_assert(weight_format<F>, "tamis::any_row_bytes: column_blocks have no rows by themselves");
        detail::need_whole_blocks<F>(columns);
        bytes = F::row_bytes(columns);
    });
    return bytes;
}

/// neuron_norms of a W_down as it lies, neuron_major or output_major. Refuses what these refuse.
template <class Formats>
void any_neuron_norms(const any_matrix& down, std::span<float> out) {
    const detail::listed_matrix<Formats> checked{"W_down", down};
    checked.as_it_is([&]<class F>(F) {
        const auto of = [&]<class L>(L) {
            neuron_norms(matrix<F, L>{checked.data(), checked.rows(), checked.columns(),
                                      checked.stride_bytes()},
                         out);
        };
        if (down.layout() == weight_layout::neuron_major) {
            of(neuron_major{});
        } else {
            of(output_major{});
        }
    });
}

TAMIS_END
