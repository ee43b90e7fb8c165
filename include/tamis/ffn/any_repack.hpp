#pragma once

#include <tamis/detail/references.hpp>
#include <tamis/ffn/any_matrix.hpp>
#include <tamis/ffn/repack.hpp>

#include <array>

TAMIS_BEGIN

namespace detail {

/// How weights of a format are read and packed, behind pointers: n formats are compiled n times, not n^2.
struct packing_calls {
    std::size_t (*row_bytes)(std::size_t);
    void (*need_whole_blocks)(std::size_t columns);
    void (*read)(const std::byte* row, std::size_t first, std::size_t n, float* to);
    void (*pack)(const float* from, std::size_t n, std::byte* row); ///< null: read alone
    bool in_pieces;
};
template <class F>
constexpr packing_calls packing_calls_of() {
    packing_calls c{[](std::size_t n) { return F::row_bytes(n); },
                    [](std::size_t columns) { need_whole_blocks<F>(columns); }, &carried<void, F>::read,
                    nullptr, packs_in_pieces<F>()};
    if constexpr (packable_format<F>) {
        c.pack = [](const float* from, std::size_t n, std::byte* row) { F::pack(std::span{from, n}, row); };
    }
    return c;
}

/// What row_writer does, by calls through pointers, 64 weights and more each.
class any_row_writer {
  public:
    using cell = float;
    struct shape {
        std::size_t rows, columns;
        bool transposes, copies;
    };

    any_row_writer(const packing_calls& from, const packing_calls& to, const std::byte* source,
                   std::size_t source_stride, std::byte* out, const shape& result)
        : from_{&from},
          to_{&to},
          source_{source},
          source_stride_{source_stride},
          out_{out},
          result_{result} {}

    std::size_t rows() const { return result_.rows; }
    std::size_t row_bytes() const { return to_->row_bytes(result_.columns); }
    std::size_t cells() const { return result_.copies ? 0 : (result_.transposes ? tile_rows : 1) * stride(); }

    void write(std::size_t first, std::size_t last, float* tile) const {
        if (result_.copies) {
            for (std::size_t i = first; i < last; ++i) {
                std::copy_n(source_ + i * source_stride_, row_bytes(), place(i, 0));
            }
            return;
        }
        std::size_t from = 0;
        do {
            const std::size_t to = (std::min)(from + piece(), result_.columns);
            if (result_.transposes) {
                for (std::size_t i = first; i < last; i += tile_rows) {
                    write_tile(i, (std::min)(tile_rows, last - i), from, to, tile);
                }
            } else {
                for (std::size_t i = first; i < last; ++i) {
                    from_->read(source_ + i * source_stride_, from, to - from, tile);
                    to_->pack(tile, to - from, place(i, from));
                }
            }
            from = to;
        } while (from < result_.columns);
    }

  private:
    std::size_t piece() const { return to_->in_pieces ? tile_columns : result_.columns; }
    /// An odd number of cache lines, as row_writer has it.
    std::size_t stride() const { return (piece() / 32 * 2 + 3) * 16; }
    std::byte* place(std::size_t row, std::size_t column) const {
        return out_ + row * row_bytes() + (to_->row_bytes(column) - to_->row_bytes(0));
    }
    void write_tile(std::size_t first, std::size_t count, std::size_t from, std::size_t to,
                    float* tile) const {
        for (std::size_t j = from; j < to; ++j) {
            const std::byte* const ahead = source_ + (std::min)(j + 8, to - 1) * source_stride_;
            ask_for(ahead + from_->row_bytes(first) - from_->row_bytes(0), from_->row_bytes(count));
            float line[tile_rows];
            from_->read(source_ + j * source_stride_, first, count, line);
            for (std::size_t k = 0; k < count; ++k) {
                tile[k * stride() + (j - from)] = line[k];
            }
        }
        for (std::size_t k = 0; k < count; ++k) {
            to_->pack(tile + k * stride(), to - from, place(first + k, from));
        }
    }

    const packing_calls *from_, *to_;
    const std::byte* source_;
    std::size_t source_stride_;
    std::byte* out_;
    shape result_;
};

/// A matrix of one format and layout on its way to another.
template <class Formats>
class any_packing;
template <class... Fs>
class any_packing<formats<Fs...>> {
    static_assert(
        (weight_format<Fs> && ...),
        "tamis::any_repack: column_blocks are no format to repack from or to; transposed_exactly makes them");
    using all = formats<Fs...>;
    static constexpr std::array<packing_calls, sizeof...(Fs)> calls{packing_calls_of<Fs>()...};

  public:
    any_packing(const any_matrix& source, std::string_view format, weight_layout l)
        : source_{"the matrix", source},
          from_{all::index_of(source.format())},
          to_{index_of_result(format)},
          layout_{l},
          transposes_{source.layout() != l} {
        calls[to_].need_whole_blocks(columns());
        if (calls[to_].pack == nullptr && !copies()) {
            char text[192];
            std::snprintf(
                text, sizeof text,
                "tamis::any_repack: %.*s is read alone, and cannot be packed; q8_0, bf16, f16 and f32 can",
                static_cast<int>(format.size()), format.data());
            fail(text);
        }
    }

    std::size_t bytes() const { return rows() * calls[to_].row_bytes(columns()); }

    template <executor E>
    any_matrix write(std::span<std::byte> memory, const E& threads) const {
        if (memory.size() < bytes()) {
            fail_sizes("tamis::repack: the result takes %zu bytes, but the memory has %zu", bytes(),
                       memory.size());
        }
        if (overlap(bytes_of_source(), memory.data(), bytes())) {
            fail("tamis::repack: the result would overwrite the source");
        }
        if (!as_bytes(memory, threads)) {
            const any_row_writer writer{calls[from_],   calls[to_],
                                        source_.data(), source_.stride_bytes(),
                                        memory.data(),  {rows(), columns(), transposes_, copies()}};
            write_rows(writer, threads, [](std::size_t) {});
        }
        return {name(), layout_, memory.data(), rows(), columns()};
    }

  private:
    /// Refuses a format that is not in the list, as a matrix of it is refused.
    static std::size_t index_of_result(std::string_view format) {
        const listed_matrix<all> none{"the result", {format, weight_layout::neuron_major, nullptr, 0, 0}};
        return all::index_of(format);
    }
    byte_rows bytes_of_source() const {
        return {source_.data(), source_.rows(), calls[from_].row_bytes(source_.columns()),
                source_.stride_bytes()};
    }
    bool copies() const { return from_ == to_ && !transposes_; }
    std::size_t rows() const { return transposes_ ? source_.columns() : source_.rows(); }
    std::size_t columns() const { return transposes_ ? source_.rows() : source_.columns(); }
    std::string_view name() const {
        constexpr const char* names[]{Fs::name...};
        return names[to_];
    }
    /// A transposition in the same format whose weights are bytes of their own.
    template <executor E>
    bool as_bytes(std::span<std::byte> memory, const E& threads) const {
        bool done = false;
        source_.as_it_is([&]<class F>(F) {
            if constexpr (weights_are_apart<F>()) {
                if (from_ == to_ && transposes_) {
                    const matrix<F, neuron_major> typed{source_.data(), source_.rows(), source_.columns(),
                                                        source_.stride_bytes()};
                    repack<F, output_major>(typed, memory, executor_reference{threads});
                    done = true;
                }
            }
        });
        return done;
    }

    listed_matrix<all> source_;
    std::size_t from_, to_;
    weight_layout layout_;
    bool transposes_;
};

} // namespace detail

/// Bytes of a matrix in a format of the list and a layout: transposed if that is another. Refuses formats that are not in the
/// list, one that is read alone (unless rows are copied as they are), and rows with a part of a block where there is none.
template <class Formats>
std::size_t any_repacked_bytes(const any_matrix& source, std::string_view format, weight_layout l) {
    return detail::any_packing<Formats>{source, format, l}.bytes();
}

/// repack where formats and layouts are known at run time: the same bytes.
///     using all = formats<f32, bf16, q8_0, q4_k>;
///     aligned_memory memory{any_repacked_bytes<all>(down, "q8_0", weight_layout::neuron_major)};
///     const any_matrix packed = any_repack<all>(down, "q8_0", weight_layout::neuron_major, memory.bytes(), threads);
/// Refuses what repack and any_repacked_bytes refuse. Allocates a tile a thread.
template <class Formats, executor E = serial>
any_matrix any_repack(const any_matrix& source, std::string_view format, weight_layout l,
                      std::span<std::byte> memory, const E& threads = {}) {
    return detail::any_packing<Formats>{source, format, l}.write(memory, threads);
}

TAMIS_END
