#pragma once

#include <tamis/detail/lifetimebound.hpp>
#include <tamis/select_block.hpp>

TAMIS_BEGIN

/// Masks that were made elsewhere (by a predictor, a router, another engine, for the last token) as a selector: it writes them,
/// whatever the values are, zeros among the active ones too. One mask for all tokens, or a block with a mask for each token of
/// a call. They are borrowed: what lies there when a call begins is what counts, so that one FFN serves all tokens
/// with masks that change; where threads have masks of their own, each makes its FFN, which costs nothing.
///     at_gate(given{mask} & top_p{0.9})       // active under both
///     at_neurons(given{mask})                 // and known before: see policy.hpp
/// A mask over another number of entries is refused with both, as is a block of fewer masks than tokens.
class given : public selects<given> {
  public:
    /// One mask, for every token.
    explicit given(mask_view one TAMIS_LIFETIMEBOUND) : words_{one.words()}, size_{one.size()} {}
    /// A mask a token.
    explicit given(const mask_block_span& rows)
        : words_{words_of(rows)}, size_{rows.columns()}, rows_{rows.rows()}, each_{mask_words(size_)} {}
    /// A mask a token.
    explicit given(const mask_block& rows TAMIS_LIFETIMEBOUND)
        : words_{words_of(rows)}, size_{rows.columns()}, rows_{rows.rows()}, each_{mask_words(size_)} {}
    given(const mask&&) = delete;       // tamis: the mask is borrowed: give it a name
    given(const mask_block&&) = delete; // tamis: the masks are borrowed: give them a name

    template <class View>
    void select(View, mask_span out, workspace) const {
        give(0, out);
    }
    template <class View>
    void select_row(View, std::size_t row, mask_span out, workspace) const {
        give(row, out);
    }
    static constexpr std::size_t selection_bytes(std::size_t) { return 0; }

    /// The mask of a token: what at_neurons asks for.
    void give(std::size_t row, mask_span out) const {
        detail::need("tamis::given: a mask over %zu entries is needed, got one over %zu", out.size(), size_);
        if (row >= rows_) {
            fail_sizes("tamis::given: masks for %zu tokens at least are needed, got %zu", row + 1, rows_);
        }
        detail::copy_n(words_.data() + row * each_, out.words().size(), out.words().data());
    }

    /// How many entries a mask is over.
    std::size_t size() const { return size_; }

  private:
    template <class Block>
    static std::span<const std::uint64_t> words_of(const Block& b) {
        return b.rows() == 0 ? std::span<const std::uint64_t>{}
                             : std::span<const std::uint64_t>{b.row(0).words().data(),
                                                              b.rows() * mask_words(b.columns())};
    }

    std::span<const std::uint64_t> words_;
    std::size_t size_;
    std::size_t rows_ = ~std::size_t{0}; // one for all: of every token
    std::size_t each_ = 0;               // words to the next
};

namespace detail {

/// Whether masks are known without values.
template <class S>
concept gives_masks = requires(const S& s, std::size_t token, mask_span out) { s.give(token, out); };

} // namespace detail

TAMIS_END
