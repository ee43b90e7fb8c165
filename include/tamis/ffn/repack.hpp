#pragma once

#include <tamis/detail/memory.hpp>
#include <tamis/detail/row_writer.hpp>
#include <tamis/executor.hpp>
#include <tamis/ffn/weights.hpp>
#include <tamis/workspace.hpp>

#include <algorithm>

TAMIS_BEGIN

// Weights in another layout or format, in memory of the caller: beside the original or in its place. `pack` decides what
// an FFN needs; this does it for one matrix.
//
// Weights that round are best packed from the floats that they were made of. A transposition of q8_0, int8_by_row, q4_0 and
// other formats with scales has other weights share a scale and rounds once more, as much as the first time: q8_0 by 1/254 of
// the largest magnitude of a new block. One of f32, f16 or bf16 loses nothing, nor does a copy in the same format, nor any
// format to f32, tq2_0 to f16, or mxfp4 to bf16; docs/formats.md has what the others cost.

/// Progress that nobody wants to see.
struct no_progress {
    constexpr void operator()(std::size_t, std::size_t) const {}
};

namespace detail {

/// Adds up bytes that are done, and shows them; 0 at first.
template <class Progress>
class shown_progress {
    static_assert(std::is_invocable_v<Progress&, std::size_t, std::size_t>,
                  "tamis: progress is called with two std::size_t: the bytes that are done, and all of them");

  public:
    shown_progress(Progress& progress, std::size_t all) : progress_{progress}, all_{all} {
        progress_(done_, all_);
    }
    void operator()(std::size_t more) {
        done_ += more;
        progress_(done_, all_);
    }

  private:
    Progress& progress_;
    std::size_t done_ = 0, all_;
};

/// Writes all rows in rounds of tasks, a few MiB a task: long enough for threads to be worth waking, short enough to be
/// shown. `shown(bytes)` is called after each round.
template <class Writer, executor E, class Shown>
void write_rows(const Writer& writer, const E& threads, Shown&& shown) {
    constexpr std::size_t bytes_a_task = std::size_t{4} << 20;
    const std::size_t bands = (writer.rows() + band_rows - 1) / band_rows;
    const std::size_t parts = (std::min)(bands, width_of(threads));
    const std::size_t bands_a_round =
        parts * std::max<std::size_t>(1, bytes_a_task / (band_rows * writer.row_bytes() + 1));
    using cell = typename Writer::cell;
    const std::size_t tile_bytes = workspace_bytes_of<cell>(writer.cells());
    owned_workspace memory{parts * tile_bytes};
    const auto tiles = memory.view().template take<std::byte>(parts * tile_bytes);
    for (std::size_t begin = 0; begin < bands; begin += bands_a_round) {
        const std::size_t count = (std::min)(bands_a_round, bands - begin);
        const auto row = [&](std::size_t band) {
            return (std::min)((begin + band) * band_rows, writer.rows());
        };
        threads.run(parts, [&](std::size_t part) {
            const auto tile =
                workspace{tiles.subspan(part * tile_bytes, tile_bytes)}.template take<cell>(writer.cells());
            for (std::size_t band = count * part / parts; band < count * (part + 1) / parts; ++band) {
                writer.write(row(band), row(band + 1), tile.data());
            }
        });
        shown((row(count) - row(0)) * writer.row_bytes());
    }
}
template <class F, class L, class M, executor E, class Shown>
matrix<F, L> write_all(const M& source, std::byte* out, const E& threads, Shown&& shown) {
    const row_writer<F, L, M> writer{source, out};
    write_rows(writer, threads, shown);
    return {out, writer.rows(), repacked_columns<L>(source)};
}

template <class M>
byte_rows bytes_of_matrix(const M& m) {
    return {m.row(0), m.rows(), m.row_bytes(), m.stride_bytes()};
}
/// The memory from a matrix's first weight to its last.
template <class M>
std::span<const std::byte> memory_from(const M& m) {
    return {m.row(0), m.rows() == 0 ? 0 : (m.rows() - 1) * m.stride_bytes() + m.row_bytes()};
}
/// Whether the second lies in the first.
inline bool lies_in(std::span<const std::byte> memory, std::span<const std::byte> part) {
    const auto begin = reinterpret_cast<std::uintptr_t>(memory.data());
    const auto first = reinterpret_cast<std::uintptr_t>(part.data());
    return first >= begin && first + part.size() <= begin + memory.size();
}

} // namespace detail

/// Bytes of a matrix of format F and layout L made of `source`: transposed if its layout is another.
template <class F, class L, class M>
std::size_t repacked_bytes(const M& source) {
    detail::need_whole_blocks<F>(detail::repacked_columns<L>(source));
    return detail::repacked_rows<L>(source) * F::row_bytes(detail::repacked_columns<L>(source));
}

/// Writes `source` in format F and layout L into `memory`, rows directly behind each other from its first byte on:
///     aligned_memory memory{repacked_bytes<bf16, neuron_major>(down)};
///     const auto packed = repack<bf16, neuron_major>(down, memory.bytes(), threads);
/// Reading it later is quickest if the memory is aligned to 64 bytes. Bands of rows go to the caller's threads; the bytes
/// do not depend on them. progress(done, all), in bytes of the result, is called from the calling thread: with 0 at
/// first, then every few MiB a thread, with all of them at last. What it throws ends the packing.
/// Refuses too little memory, and memory in which a row of the source lies. O(weights); allocates a tile for each thread (64 x 128
/// weights, and 64 whole rows for formats whose rows cannot be packed in pieces).
template <class F, class L, class M, executor E = serial, class Progress = no_progress>
matrix<F, L> repack(const M& source, std::span<std::byte> memory, const E& threads = {},
                    Progress&& progress = {}) {
    const std::size_t bytes = repacked_bytes<F, L>(source);
    if (memory.size() < bytes) {
        fail_sizes("tamis::repack: the result takes %zu bytes, but the memory has %zu", bytes, memory.size());
    }
    if (detail::overlap(detail::bytes_of_matrix(source), memory.data(), bytes)) {
        fail("tamis::repack: the result would overwrite the source; see tamis::repack_in_place");
    }
    return detail::write_all<F, L>(source, memory.data(), threads, detail::shown_progress{progress, bytes});
}

/// Memory of which every byte may be overwritten when the source in it is packed: gaps between the source's rows, what lies
/// before it, and what lies behind.
struct whole_memory {
    /// All of which is free.
    std::span<std::byte> bytes;
};

/// The same in the place of the original: the result begins at the first byte of `memory`, in which the source lies. The
/// caller says that all of the memory is the source's own: others' weights in it, or between the rows of the source (those
/// of up between those of gate, say), are lost.
/// Allocates a copy of the result until it returns, and nothing that lasts: weights that are packed matrix after matrix
/// take the memory of one more matrix at most. Refuses a result that does not fit, and a source that lies elsewhere. All
/// calls of progress but the last come before the source is overwritten: one that throws has lost nothing.
template <class F, class L, class M, executor E = serial, class Progress = no_progress>
matrix<F, L> repack_in_place(const M& source, whole_memory memory, const E& threads = {},
                             Progress&& progress = {}) {
    const std::size_t bytes = repacked_bytes<F, L>(source);
    if (memory.bytes.size() < bytes) {
        fail_sizes("tamis::repack_in_place: the result takes %zu bytes, but the memory has %zu", bytes,
                   memory.bytes.size());
    }
    const std::span<const std::byte> from = detail::memory_from(source);
    if (!from.empty() && !detail::lies_in(memory.bytes, from)) {
        fail("tamis::repack_in_place: the source does not lie in the memory; see tamis::repack");
    }
    const aligned_memory copy{bytes};
    const auto all_but_last = [&](std::size_t done, std::size_t all) {
        if (done != all) {
            progress(done, all);
        }
    };
    const auto result = repack<F, L>(source, copy.bytes(), threads, all_but_last);
    constexpr std::size_t stretch = std::size_t{1} << 20;
    threads.run((bytes + stretch - 1) / stretch, [&](std::size_t i) {
        const auto part = copy.bytes().subspan(i * stretch, (std::min)(stretch, bytes - i * stretch));
        std::copy_n(part.data(), part.size(), memory.bytes.data() + i * stretch);
    });
    progress(bytes, bytes);
    return {memory.bytes.data(), result.rows(), result.columns()};
}
/// The same for a source that fills its memory: no byte is overwritten that is not one of its weights. Refuses gaps between
/// its rows, and a result that begins before it or ends behind it: whole_memory{memory} says that these bytes are free.
template <class F, class L, class M, executor E = serial, class Progress = no_progress>
matrix<F, L> repack_in_place(const M& source, std::span<std::byte> memory, const E& threads = {},
                             Progress&& progress = {}) {
    const std::size_t bytes = repacked_bytes<F, L>(source);
    const std::span<const std::byte> from = detail::memory_from(source);
    if (memory.size() >= bytes && bytes != 0 && detail::lies_in(memory, from)) {
        if (source.rows() > 1 && source.stride_bytes() != source.row_bytes()) {
            fail_sizes(
                "tamis::repack_in_place: the source's rows of %zu bytes lie %zu bytes apart, and what lies "
                "between them would be lost; if that is free, say so: whole_memory{memory}",
                source.row_bytes(), source.stride_bytes());
        }
        if (!detail::lies_in(from, memory.first(bytes))) {
            fail(
                "tamis::repack_in_place: the result would overwrite memory before or behind the source; if that "
                "is free, say so: whole_memory{memory}");
        }
    }
    return repack_in_place<F, L>(source, whole_memory{memory}, threads, progress);
}

TAMIS_END
