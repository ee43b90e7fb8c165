#pragma once

#include <tamis/ffn/site.hpp>
#include <tamis/mask/mask.hpp>

#include <concepts>

TAMIS_BEGIN_SHARED

/// What an observer is shown at a site, once a token, in the order in which the FFN takes them: input, gate, up,
/// intermediate; with a policy at up and none at gate, up comes before gate (but where the gating takes all gates at once).
struct sighting {
    /// Where.
    site where;
    /// The site's values before its mask; entries that an earlier mask left out are zero.
    std::span<const float> values;
    /// The site's mask. Without a policy at the site: empty (size 0), and everything goes on.
    mask_view mask;
    /// Whether there is a policy at the site, so that the mask means something.
    bool has_policy;
    /// The token's place in the block; 0 for a single token.
    std::size_t token;
};

TAMIS_END

TAMIS_BEGIN

/// Called with every sighting; all measurement goes through it. Values and mask are valid during the call alone.
template <class O>
concept observer = requires(O& o, const sighting& s) { o(s); };

/// The observer of those who measure nothing: no code is made for it.
struct no_observer {
    constexpr void operator()(const sighting&) const {}
};

TAMIS_END

TAMIS_BEGIN_SHARED

/// What a call read of the weights, and what masks and sharing saved of a dense call's bytes, each by itself:
///     bytes_dense = bytes_read + bytes_skipped() + bytes_shared
struct traffic {
    /// Bytes of weights that were read.
    std::uint64_t bytes_read = 0;
    /// What a dense FFN reads for these tokens one by one: all weights once a token.
    std::uint64_t bytes_dense = 0;
    /// What such an FFN need not read where tokens share readings as they did in this call: all weights for each token but
    /// the first of a group. So bytes_dense - bytes_shared is the dense FFN with the same sharing.
    std::uint64_t bytes_shared = 0;

    /// What the masks saved beyond that; 0 where a predictor's own bytes outweigh it.
    TAMIS_KEYED constexpr std::uint64_t bytes_skipped() const {
        const std::uint64_t all = bytes_dense - bytes_shared;
        return all < bytes_read ? 0 : all - bytes_read;
    }
    /// Of both calls.
    TAMIS_KEYED constexpr traffic& operator+=(const traffic& other) {
        bytes_read += other.bytes_read;
        bytes_dense += other.bytes_dense;
        bytes_shared += other.bytes_shared;
        return *this;
    }
};

TAMIS_END

TAMIS_BEGIN

namespace detail {

/// That of tokens that share readings, before anything was read.
constexpr traffic traffic_of_group(std::uint64_t bytes_of_weights, std::size_t tokens) {
    return {0, tokens * bytes_of_weights, (tokens - 1) * bytes_of_weights};
}

} // namespace detail

TAMIS_END
