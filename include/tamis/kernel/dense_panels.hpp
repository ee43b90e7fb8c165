#pragma once

#include <tamis/kernel/tile.hpp>
#include <tamis/kernel/unpack.hpp>
#include <tamis/workspace.hpp>

#include <utility>

TAMIS_DETAIL_INTRINSICS

TAMIS_BEGIN

// Dense products of many tokens. A piece of the weights, some inputs by some outputs, is unpacked once to floats in panels: for
// each input two vectors of outputs behind each other. A tile of tokens by a panel is then summed in registers. Of all formats
// the products are the same, and so compiled once. Each entry of y adds its inputs in ascending order, whatever the other tokens
// and the threads are.

namespace detail {

/// Tokens of a tile: two vectors of sums each, and still registers for what they are made of.
inline constexpr std::size_t panel_tokens = has_32_registers ? 12 : 6;
/// Outputs of a panel.
inline constexpr std::size_t panel_width = 2 * vec::size;
/// Inputs and outputs of a piece: panels of two that the second cache holds.
inline constexpr std::size_t piece_inputs = 128, piece_outputs = 512;
static_assert(piece_outputs % panel_width == 0 && piece_outputs % 64 == 0 && piece_inputs % 64 == 0);

/// Inputs [begin, end) and outputs [from, to) of a matrix.
struct piece {
    std::size_t begin = 0, end = 0, from = 0, to = 0;
};

/// Of four rows the numbers k to k + 3, as columns: to[i * stride + r] is number k + i of row r.
TAMIS_DETAIL_INLINE void transpose_four(const float* const (&rows)[4], std::size_t k, float* to,
                                        std::size_t stride) {
#if defined(__SSE2__)
    __m128 a = _mm_loadu_ps(rows[0] + k);
    __m128 b = _mm_loadu_ps(rows[1] + k);
    __m128 c = _mm_loadu_ps(rows[2] + k);
    __m128 d = _mm_loadu_ps(rows[3] + k);
    _MM_TRANSPOSE4_PS(a, b, c, d);
    _mm_storeu_ps(to, a);
    _mm_storeu_ps(to + stride, b);
    _mm_storeu_ps(to + 2 * stride, c);
    _mm_storeu_ps(to + 3 * stride, d);
#else
    for (std::size_t i = 0; i < 4; ++i) {
        for (std::size_t r = 0; r < 4; ++r) {
            to[i * stride + r] = rows[r][k + i];
        }
    }
#endif
}

/// Lines of memory that will be read soon, asked for one by one while products are made: a thread that asks for more at once than
/// there is room for waits.
class lines_ahead {
  public:
    lines_ahead() = default;
    /// Bytes [begin, end) of so many rows.
    lines_ahead(const std::byte* row, std::size_t stride, std::size_t rows, std::size_t begin,
                std::size_t end)
        : row_{row}, stride_{stride}, rows_{begin < end ? rows : 0}, begin_{begin}, end_{end}, at_{begin} {}

    TAMIS_DETAIL_INLINE void ask_for_one() {
        if (rows_ == 0) {
            return;
        }
        prefetch(row_ + at_);
        at_ += 64;
        if (at_ >= end_) {
            at_ = begin_;
            row_ += stride_;
            --rows_;
        }
    }

  private:
    const std::byte* row_ = nullptr;
    std::size_t stride_ = 0, rows_ = 0, begin_ = 0, end_ = 0, at_ = 0;
};

/// A piece's weights as panels, in memory of the caller. Between two calls that multiply by others a part of them is filled, and
/// what the next part reads is told: so memory is waited for while products are made. (To ask for a whole piece ahead does not
/// serve: rows of some widths share few places in a cache.)
template <class M, bool RowsAreOutputs>
class dense_panels {
    using F = typename M::format_type;
    static constexpr std::size_t step = RowsAreOutputs ? 4 : 1; // rows that are filled together

  public:
    /// From a panel to the next: not a multiple of a page, at which all of them would share a place in a cache.
    static constexpr std::size_t stride =
        piece_inputs * panel_width + 2 * workspace_alignment / sizeof(float);
    static constexpr std::size_t floats = piece_outputs / panel_width * stride;

    /// To be filled with a piece (none: nothing) in so many parts.
    dense_panels(const M& w, const piece& p, float* memory, std::size_t parts)
        : w_{w},
          piece_{p},
          memory_{memory},
          next_{RowsAreOutputs ? p.from : p.begin},
          last_{RowsAreOutputs ? p.to : p.end},
          each_{((last_ - next_) / parts / step + 1) * step} {}

    /// Where the panel with output j of the piece begins.
    const float* of(std::size_t j) const { return memory_ + j / panel_width * stride; }

    /// Returns what the next part reads.
    lines_ahead fill_part() {
        const std::size_t end = smaller(next_ + each_, last_);
        if constexpr (RowsAreOutputs) {
            fill_outputs(next_, end);
        } else {
            fill_inputs(next_, end);
        }
        next_ = end;
        const std::size_t first = F::row_bytes(RowsAreOutputs ? piece_.begin : piece_.from) - F::row_bytes(0);
        const std::size_t last = F::row_bytes(RowsAreOutputs ? piece_.end : piece_.to);
        return end == last_
                   ? lines_ahead{}
                   : lines_ahead{w_.row(end), w_.stride_bytes(), smaller(each_, last_ - end), first, last};
    }
    void fill_rest() {
        while (next_ != last_) {
            fill_part();
        }
    }

  private:
    float* at(std::size_t j) { return memory_ + j / panel_width * stride; }

    /// Of outputs that there are not the panels hold any numbers: nobody keeps what becomes of them.
    void fill_inputs(std::size_t first, std::size_t last) {
        alignas(64) float line[piece_outputs] = {};
        for (std::size_t k = first; k < last; ++k) {
            unpack(w_, k, piece_.from, piece_.to, line);
            for (std::size_t j = 0; j < piece_.to - piece_.from; j += panel_width) {
                float* const place = at(j) + (k - piece_.begin) * panel_width;
                store(place, load(line + j));
                store(place + vec::size, load(line + j + vec::size));
            }
        }
    }
    void fill_outputs(std::size_t first, std::size_t last) {
        alignas(64) float lines[4][piece_inputs + 16] = {}; // rows that do not share places in a cache
        const float* const rows[]{lines[0], lines[1], lines[2], lines[3]};
        const std::size_t inputs = piece_.end - piece_.begin;
        for (std::size_t row = first; row < last; row += 4) {
            for (std::size_t r = 0; r < smaller(last - row, 4); ++r) {
                unpack(w_, row + r, piece_.begin, piece_.end, lines[r]);
            }
            const std::size_t j = row - piece_.from;
            float* const place = at(j) + j % panel_width;
            std::size_t k = 0;
            for (; k + 4 <= inputs; k += 4) {
                transpose_four(rows, k, place + k * panel_width, panel_width);
            }
            for (; k < inputs; ++k) {
                for (std::size_t r = 0; r < 4; ++r) {
                    place[k * panel_width + r] = rows[r][k];
                }
            }
        }
    }

    M w_;
    piece piece_;
    float* memory_;
    std::size_t next_, last_, each_;
};

/// What is multiplied by a panel: so many inputs of some tokens, and their sums.
struct panel_block {
    std::size_t inputs;
    const float* x;
    std::size_t x_stride;
    float* y;
    std::size_t y_stride;
};

/// y[token][0, panel_width) += sum over k of x[token][k] * panel[k], for a few tokens.
template <std::size_t... T>
TAMIS_DETAIL_NOINLINE void multiply_panel(const float* panel, const panel_block& b, lines_ahead ahead,
                                          std::index_sequence<T...>) {
    vec sums[][2] = {{load(b.y + T * b.y_stride), load(b.y + T * b.y_stride + vec::size)}...};
    const std::size_t stride = b.x_stride;
    const float* third[] = {b.x, b.x + 3 * stride, b.x + 6 * stride, b.x + 9 * stride}; // few registers
    for (std::size_t k = 0; k < b.inputs; k += 4) {
        ahead.ask_for_one();
        const float* const end = panel + smaller(b.inputs - k, 4) * panel_width;
        for (; panel != end; panel += panel_width) {
            const vec first = load(panel);
            const vec second = load(panel + vec::size);
            const auto add = [&](vec(&sum)[2], const float* value) {
                const vec factor(*value);
                sum[0] = multiply_add(factor, first, sum[0]);
                sum[1] = multiply_add(factor, second, sum[1]);
            };
            (add(sums[T], third[T / 3] + T % 3 * stride), ...);
            ++third[0], ++third[1], ++third[2], ++third[3];
        }
    }
    ((store(b.y + T * b.y_stride, sums[T][0]), store(b.y + T * b.y_stride + vec::size, sums[T][1])), ...);
}

/// The same for as many tokens as are left, or a tile has; returns how many.
template <std::size_t Most = panel_tokens>
std::size_t multiply_panel_with_some(const float* panel, const panel_block& b, const lines_ahead& ahead,
                                     std::size_t left) {
    if constexpr (Most > 1) {
        if (left < Most) {
            return multiply_panel_with_some<(Most > 8 ? 8 : Most > 4 ? 4 : Most / 2)>(panel, b, ahead, left);
        }
    }
    multiply_panel(panel, b, ahead, std::make_index_sequence<Most>{});
    return Most;
}

/// How often multiply_piece calls `meanwhile`, at least.
constexpr std::size_t calls_of_piece(std::size_t outputs, std::size_t tokens) {
    return (outputs + panel_width - 1) / panel_width * ((tokens + panel_tokens - 1) / panel_tokens);
}

/// y[token][j] += sum over the piece's inputs of x[token][k] * weight, for `outputs` of its outputs and all tokens. x begins at the
/// piece's first input, y at its first output. `meanwhile` says what to ask for.
template <class Panels, class Meanwhile>
void multiply_piece(const Panels& panels, const panel_block& all, std::size_t outputs, std::size_t tokens,
                    Meanwhile&& meanwhile) {
    for (std::size_t j = 0; j < outputs; j += panel_width) {
        const std::size_t width = smaller(panel_width, outputs - j);
        for (std::size_t token = 0; token < tokens;) {
            const lines_ahead ahead = meanwhile();
            panel_block some = all;
            some.x += token * all.x_stride;
            some.y += token * all.y_stride + j;
            const std::size_t left = smaller(panel_tokens, tokens - token);
            alignas(64) float rest[panel_tokens * panel_width];
            if (width != panel_width) { // of outputs that are none nothing may be written
                for (std::size_t t = 0; t < left; ++t) {
                    copy_n(some.y + t * all.y_stride, width, rest + t * panel_width);
                    fill_n(rest + t * panel_width + width, panel_width - width, 0.0f);
                }
                some.y = rest;
                some.y_stride = panel_width;
            }
            const std::size_t done = multiply_panel_with_some(panels.of(j), some, ahead, left);
            for (std::size_t t = 0; t < done && width != panel_width; ++t) {
                copy_n(rest + t * panel_width, width, all.y + (token + t) * all.y_stride + j);
            }
            token += done;
        }
    }
}

} // namespace detail

TAMIS_END

TAMIS_DETAIL_INTRINSICS_END
