#pragma once

#include <tamis/detail/lifetimebound.hpp>
#include <tamis/executor.hpp>
#include <tamis/rule/selects.hpp>
#include <tamis/whole_number.hpp>

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

TAMIS_BEGIN_SHARED

// Masks over a block of tokens x width: a cut a row (the default of both papers), or one cut for all of it
// (LLaDA's code in [U], the top-k baseline of [S]).

/// The masks of a block's rows, in words that someone else owns: row i starts at word i * mask_words(columns).
class mask_block_span {
  public:
    /// Refuses fewer words than rows * mask_words(columns).
    TAMIS_KEYED constexpr mask_block_span(std::span<std::uint64_t> words, whole_number rows,
                                          whole_number columns)
        : words_{words},
          rows_{rows.or_fail("tamis::mask_block_span: rows")},
          columns_{columns.or_fail("tamis::mask_block_span: columns")} {
        const std::size_t each = mask_words(columns_);
        if (each != 0 && words.size() / each < rows_) { // their product may be too large for a number
            fail_sizes("tamis::mask_block_span: needs %zu words (rows * mask_words(columns)), got %zu",
                       rows_ * mask_words(columns_), words.size());
        }
    }
    /// How many rows.
    TAMIS_KEYED constexpr std::size_t rows() const { return rows_; }
    /// How many entries a row has.
    TAMIS_KEYED constexpr std::size_t columns() const { return columns_; }
    /// The mask of row i; TAMIS_HARDENED checks i.
    TAMIS_KEYED constexpr mask_span row(std::size_t i) const {
        if constexpr (detail::hardened) {
            detail::need_index("tamis: a block of masks has %zu rows, asked for was row %zu", i, rows_);
        }
        return {words_.subspan(i * mask_words(columns_), mask_words(columns_)), columns_};
    }

  private:
    std::span<std::uint64_t> words_;
    std::size_t rows_, columns_;
};

/// The masks of a block's rows with words of their own.
class mask_block {
  public:
    /// None active. Refuses negative sizes.
    TAMIS_KEYED mask_block(whole_number rows, whole_number columns)
        : words_(rows.or_fail("tamis::mask_block: rows") *
                 mask_words(columns.or_fail("tamis::mask_block: columns"))),
          rows_{rows.or_fail("")},
          columns_{columns.or_fail("")} {}

    TAMIS_KEYED mask_block(const mask_block&) = default;
    TAMIS_KEYED mask_block(mask_block&&) = default;
    TAMIS_KEYED mask_block& operator=(const mask_block&) = default;
    TAMIS_KEYED mask_block& operator=(mask_block&&) = default;
    TAMIS_KEYED ~mask_block() = default;

    /// To write to.
    TAMIS_KEYED mask_block_span span() TAMIS_LIFETIMEBOUND { return {words_.words(), rows_, columns_}; }
    /// How many rows.
    TAMIS_KEYED std::size_t rows() const { return rows_; }
    /// How many entries a row has.
    TAMIS_KEYED std::size_t columns() const { return columns_; }
    /// The mask of row i; TAMIS_HARDENED checks i.
    TAMIS_KEYED mask_view row(std::size_t i) const TAMIS_LIFETIMEBOUND {
        if constexpr (detail::hardened) {
            detail::need_index("tamis: a block of masks has %zu rows, asked for was row %zu", i, rows_);
        }
        return {words_.words().subspan(i * mask_words(columns_), mask_words(columns_)), columns_};
    }

  private:
    owned_words words_;
    std::size_t rows_, columns_;
};

TAMIS_END

TAMIS_BEGIN

namespace detail {

template <class T>
void need_masks_of(const block<T>& values, const mask_block_span& out) {
    if (values.rows() != out.rows()) {
        fail_sizes("tamis: masks for %zu rows are needed, got %zu", values.rows(), out.rows());
    }
    if (values.columns() != out.columns()) {
        fail_sizes("tamis: masks over %zu columns are needed, got %zu", values.columns(), out.columns());
    }
}

template <class Score, class Rule, class T>
void select_joint_scored(const Score& score, const Rule& rule, block<T> values, mask_block_span out,
                         workspace w) {
    using real = score_real<Score, real_of<T>>;
    const std::size_t columns = values.columns();
    const auto all = w.take<real>(values.rows() * columns);
    for (std::size_t i = 0; i < values.rows(); ++i) {
        score_into(score, values.row(i), all.subspan(i * columns, columns));
    }
    const cut<real> joint = tamis::cut_of(rule, scores<real>{all}, w);
    for (std::size_t i = 0; i < values.rows(); ++i) {
        write_mask(joint, scores<real>{all.subspan(i * columns, columns)}, out.row(i));
    }
}

} // namespace detail

/// Each row by itself. Workspace: selection_bytes(s, columns).
template <selector S, element T>
void select_rows(const S& s, block<T> values, mask_block_span out, workspace w) {
    detail::need_masks_of(values, out);
    for (std::size_t i = 0; i < values.rows(); ++i) {
        select_row(s, values.row(i), i, out.row(i), w);
    }
}

/// Bytes of workspace for rows in parallel: those of select, for each that may run at the same time.
template <selector S, executor E>
constexpr std::size_t rows_selection_bytes(const S& s, std::size_t columns, const E& threads) {
    return workspace_bytes_of<std::byte>(selection_bytes(s, columns)) * width_of(threads);
}

/// The same in parallel: a run of rows for each that `threads` may run at the same time. The masks do not depend on
/// it. Workspace: rows_selection_bytes(s, columns, threads).
template <selector S, element T, executor E>
void select_rows(const S& s, block<T> values, mask_block_span out, workspace w, const E& threads) {
    detail::need_masks_of(values, out);
    const std::size_t bytes = workspace_bytes_of<std::byte>(selection_bytes(s, values.columns()));
    const std::size_t parts = (std::min)(values.rows(), width_of(threads));
    const auto memory = w.take<std::byte>(bytes * parts);
    detail::run_each(threads, parts, [&](std::size_t part) {
        const workspace own{memory.subspan(part * bytes, bytes)};
        for (std::size_t i = values.rows() * part / parts; i < values.rows() * (part + 1) / parts; ++i) {
            select_row(s, values.row(i), i, out.row(i), own);
        }
    });
}

/// One cut for the whole block, by a rule on |v| or a score with a rule (whose places are the columns).
/// Workspace: selection_bytes(s, rows * columns).
template <class S, element T>
void select_joint(const S& s, block<T> values, mask_block_span out, workspace w) {
    detail::need_masks_of(values, out);
    if constexpr (rule<S>) {
        detail::select_joint_scored(magnitude{}, s, values, out, w);
    } else {
        static_assert(
            requires { s.score_part(), s.rule_part(); },
            "tamis::select_joint: a joint mask has one cut, so it takes a rule or a tamis::scored; combine "
            "masks of several scores row by row instead");
        detail::select_joint_scored(s.score_part(), s.rule_part(), values, out, w);
    }
}

/// The same as owning objects.
template <selector S, element T>
mask_block select_rows(const S& s, block<T> values) {
    mask_block result{values.rows(), values.columns()};
    owned_workspace memory{selection_bytes(s, values.columns())};
    select_rows(s, values, result.span(), memory);
    return result;
}
template <selector S, element T>
mask_block select_joint(const S& s, block<T> values) {
    mask_block result{values.rows(), values.columns()};
    owned_workspace memory{selection_bytes(s, values.rows() * values.columns())};
    select_joint(s, values, result.span(), memory);
    return result;
}

TAMIS_END
