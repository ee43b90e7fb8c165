#pragma once

#include <tamis/detail/bytes.hpp>
#include <tamis/kernel/tile.hpp>
#include <tamis/kernel/unpack.hpp>
#include <tamis/values.hpp>

#include <utility>

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
/// Inputs and outputs of a piece, which the second cache holds.
inline constexpr std::size_t piece_inputs = 256, piece_outputs = 256;
static_assert(piece_outputs % panel_width == 0 && piece_outputs % 64 == 0);

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

/// A piece's weights as panels.
class dense_panels {
  public:
    static constexpr std::size_t floats = piece_inputs * piece_outputs;

    explicit dense_panels(float* memory) : memory_{memory} {}

    /// Where the panel with output j of the piece begins.
    const float* of(std::size_t j) const { return memory_ + j / panel_width * piece_inputs * panel_width; }

    /// Inputs [begin, end) and outputs [from, to) of a matrix whose rows are inputs. Outputs that there are not are zero.
    template <class M>
    void fill_by_inputs(const M& w, std::size_t begin, std::size_t end, std::size_t from, std::size_t to) {
        alignas(64) float line[piece_outputs];
        detail::fill_n(line, piece_outputs, 0.0f);
        for (std::size_t k = begin; k < end; ++k) {
            unpack(w, k, from, to, line);
            for (std::size_t j = 0; j < to - from; j += panel_width) {
                float* const place = at(j) + (k - begin) * panel_width;
                store(place, load(line + j));
                store(place + vec::size, load(line + j + vec::size));
            }
        }
    }
    /// The same where rows are outputs.
    template <class M>
    void fill_by_outputs(const M& w, std::size_t begin, std::size_t end, std::size_t from, std::size_t to) {
        alignas(64) float lines[4][piece_inputs + 16]; // rows that do not share places in a cache
        for (std::size_t j = from; j < to; j += 4) {
            for (std::size_t r = 0; r < 4; ++r) {
                if (j + r < to) {
                    unpack(w, j + r, begin, end, lines[r]);
                } else {
                    detail::fill_n(lines[r], piece_inputs, 0.0f);
                }
            }
            const float* const rows[]{lines[0], lines[1], lines[2], lines[3]};
            float* const place = at(j - from) + (j - from) % panel_width;
            std::size_t k = 0;
            for (; k + 4 <= end - begin; k += 4) {
                transpose_four(rows, k, place + k * panel_width, panel_width);
            }
            for (; k < end - begin; ++k) {
                for (std::size_t r = 0; r < 4; ++r) {
                    place[k * panel_width + r] = rows[r][k];
                }
            }
        }
        // of a panel's outputs behind the last there may be any numbers: nobody keeps what becomes of them
    }

  private:
    float* at(std::size_t j) { return memory_ + j / panel_width * piece_inputs * panel_width; }

    float* memory_;
};

/// Asks for the memory of a piece that comes next, bit by bit while products are made of the one before.
class piece_ahead {
  public:
    piece_ahead() = default;
    /// Rows [first, last), weights [begin, end) of each, in so many calls.
    template <class M>
    piece_ahead(const M& w, std::size_t first, std::size_t last, std::size_t begin, std::size_t end,
                std::size_t calls)
        : row_{first < last ? w.row(first) : nullptr}, stride_{w.stride_bytes()}, rows_{last - first} {
        using F = typename M::format_type;
        from_ = F::row_bytes(begin) - F::row_bytes(0);
        to_ = F::row_bytes(end);
        at_ = from_;
        each_ = rows_ * ((to_ - from_) / 64 + 1) / calls + 1;
    }

    void operator()() {
        for (std::size_t i = 0; i < each_ && rows_ != 0; ++i) {
#if defined(__GNUC__)
            __builtin_prefetch(row_ + at_, 0, 2); // the first cache has no room for it
#endif
            at_ += 64;
            if (at_ >= to_) {
                at_ = from_;
                row_ += stride_;
                --rows_;
            }
        }
    }

  private:
    const std::byte* row_ = nullptr;
    std::size_t stride_ = 0, rows_ = 0, from_ = 0, to_ = 0, at_ = 0, each_ = 0;
};

/// y[token][0, panel_width) += sum over k of x[token][k] * panel[k], for a few tokens.
template <std::size_t... T>
TAMIS_DETAIL_NOINLINE void multiply_panel(const float* panel, std::size_t inputs, const float* x,
                                          std::size_t x_stride, float* y, std::size_t y_stride,
                                          std::index_sequence<T...>) {
    vec sums[][2] = {{load(y + T * y_stride), load(y + T * y_stride + vec::size)}...};
    const float* const end = panel + inputs * panel_width;
    const float* third[] = {x, x + 3 * x_stride, x + 6 * x_stride,
                            x + 9 * x_stride}; // few registers for many rows
    for (; panel != end; panel += panel_width) {
        const vec first = load(panel);
        const vec second = load(panel + vec::size);
        const auto add = [&](vec(&sum)[2], const float* value) {
            const vec factor(*value);
            sum[0] = multiply_add(factor, first, sum[0]);
            sum[1] = multiply_add(factor, second, sum[1]);
        };
        (add(sums[T], third[T / 3] + T % 3 * x_stride), ...);
        ++third[0], ++third[1], ++third[2], ++third[3];
    }
    ((store(y + T * y_stride, sums[T][0]), store(y + T * y_stride + vec::size, sums[T][1])), ...);
}

/// How often multiply_piece asks for what is ahead, about.
constexpr std::size_t calls_of_piece(std::size_t outputs, std::size_t tokens) {
    return (outputs + panel_width - 1) / panel_width * ((tokens + panel_tokens - 1) / panel_tokens);
}

/// The same for tokens from `first` on, as many as are left or a tile has; returns how many.
template <std::size_t Most = panel_tokens>
std::size_t multiply_panel_with_some(const float* panel, std::size_t inputs, const float* x,
                                     std::size_t x_stride, float* y, std::size_t y_stride, std::size_t left) {
    if constexpr (Most > 1) {
        if (left < Most) {
            return multiply_panel_with_some<(Most > 6 ? 6 : Most / 2)>(panel, inputs, x, x_stride, y,
                                                                       y_stride, left);
        }
    }
    multiply_panel(panel, inputs, x, x_stride, y, y_stride, std::make_index_sequence<Most>{});
    return Most;
}

/// y[token][j] += sum over the piece's inputs of x[token][k] * weight, for `outputs` of its outputs and all tokens. x begins at the
/// piece's first input, y at its first output. what is ahead is asked for meanwhile.
inline void multiply_piece(const dense_panels& panels, std::size_t inputs, std::size_t outputs,
                           const float* x, std::size_t x_stride, float* y, std::size_t y_stride,
                           std::size_t tokens, piece_ahead& ahead) {
    for (std::size_t j = 0; j < outputs; j += panel_width) {
        const std::size_t width = smaller(panel_width, outputs - j);
        for (std::size_t token = 0; token < tokens;) {
            ahead();
            const float* const values = x + token * x_stride;
            float* const sums = y + token * y_stride + j;
            if (width == panel_width) {
                token += multiply_panel_with_some(panels.of(j), inputs, values, x_stride, sums, y_stride,
                                                  tokens - token);
                continue;
            }
            alignas(64) float rest[panel_tokens * panel_width] = {};
            const std::size_t some = smaller(panel_tokens, tokens - token);
            for (std::size_t t = 0; t < some; ++t) {
                copy_n(sums + t * y_stride, width, rest + t * panel_width);
            }
            const std::size_t done =
                multiply_panel_with_some(panels.of(j), inputs, values, x_stride, rest, panel_width, some);
            for (std::size_t t = 0; t < done; ++t) {
                copy_n(rest + t * panel_width, width, sums + t * y_stride);
            }
            token += done;
        }
    }
}

} // namespace detail

TAMIS_END
