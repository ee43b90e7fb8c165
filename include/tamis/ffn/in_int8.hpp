#pragma once

#include <tamis/ffn/ffn_in.hpp>
#include <tamis/ffn/int8_product.hpp>

TAMIS_BEGIN

/// An FFN (glu_ffn, plain_ffn, packed_ffn's, any_ffn) or a projection whose products are made of eight-bit integers, as ggml makes
/// its own by default:
///
///     const auto quick = in_int8{ffn};       // borrows ffn; of a temporary it is the owner
///     owned_workspace memory{quick.workspace_bytes()};
///     quick(x, y, memory, threads, observer);
///
/// What a matrix is multiplied with (x, the intermediate) is rounded to bytes in blocks of 32 with a float scale each: by at most
/// 1/254 of a block's largest magnitude. Products with codes of weights and their sums over a block are then exact. This fits
/// formats whose weights are integers times a scale (int8_products<F> tells which, and in which form it pays on this target); all
/// others are multiplied as ever, in the same FFN. In sums of rows for several tokens weights may be rounded to bytes once more
/// (docs/formats.md): a token's y then depends on the others by that much. Entries that round to zero in their block are active
/// nowhere: of matrices whose rows are inputs (input_major, W_down neuron_major) these rows are not read, and not counted as read.
/// Those entries are the same on every machine. Where a block of 32 has an infinite or NaN entry, all that it is multiplied into is
/// NaN, or what the floats give. Masks, observers and the rest are as the FFN's.
template <class Held>
class in_int8 : public detail::ffn_in<detail::by_int8, Held, in_int8<Held>> {
    using base = detail::ffn_in<detail::by_int8, Held, in_int8>;

  public:
    /// Borrows an FFN that has a name, keeps one that has none.
    explicit in_int8(Held&& ffn TAMIS_LIFETIMEBOUND) : base{std::forward<Held>(ffn)} {}
};
template <class Ffn>
in_int8(Ffn&&) -> in_int8<Ffn>;

TAMIS_END
