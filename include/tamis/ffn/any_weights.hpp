#pragma once

#include <tamis/ffn/activate.hpp>
#include <tamis/ffn/any_matrix.hpp>
#include <tamis/ffn/weights.hpp>

#include <cstdio>
#include <variant>

TAMIS_BEGIN

/// Gatings to choose from at run time.
template <class... Gs>
struct gatings {
    static_assert((gating<Gs> && ...),
                  "tamis::gatings: each is a gating or an activation, as glu_ffn takes them");
};

/// The weights of a gated FFN, or of an ungated one, whose formats and layouts are known at run time.
struct any_glu_weights {
    /// Views of the three matrices, with biases if there are any.
    any_glu_weights(any_matrix gate_matrix, any_matrix up_matrix, any_matrix down_matrix,
                    glu_biases all_biases = {})
        : gate{gate_matrix}, up{up_matrix}, down{down_matrix}, biases{all_biases} {}
    /// Of weights whose types are known.
    template <class Gate, class Up, class Down>
    any_glu_weights(const glu_weights<Gate, Up, Down>& w)
        : gate{w.gate}, up{w.up}, down{w.down}, biases{w.biases} {}

    /// The matrices, borrowed.
    any_matrix gate, up, down;
    /// Of gate, up and down; empty where there is none.
    glu_biases biases;
};
/// The weights of an ungated FFN by what a file says of them.
struct any_plain_weights {
    any_plain_weights(any_matrix up_matrix, any_matrix down_matrix,
                      detail::kept_span<float> up_bias_or_none = {},
                      detail::kept_span<float> down_bias_or_none = {})
        : up{up_matrix}, down{down_matrix}, up_bias{up_bias_or_none}, down_bias{down_bias_or_none} {}
    /// Of weights whose types are known.
    template <class Up, class Down>
    any_plain_weights(const plain_weights<Up, Down>& w)
        : up{w.up}, down{w.down}, up_bias{w.up_bias}, down_bias{w.down_bias} {}

    /// The matrices, borrowed.
    any_matrix up, down;
    /// One an output, borrowed; empty where there is none.
    std::span<const float> up_bias, down_bias;
};

namespace detail {

/// The gating that was chosen, as an FFN takes one.
template <class... Gs>
class chosen_gating {
  public:
    explicit chosen_gating(const std::variant<Gs...>& held) : held_{&held} {}

    void activate(std::span<float> gates) const {
        ask([&](const auto& g) { detail::activate(g, gates); });
    }
    void activate_up(std::span<float> up) const {
        ask([&](const auto& g) { detail::activate_up(g, up); });
    }
    bool needs_all_gates() const {
        bool all = false;
        ask([&]<class G>(const G&) { all = takes_whole<G>; });
        return all;
    }
    bool is_activation() const {
        bool alone = false;
        ask([&]<class G>(const G&) { alone = !takes_whole<G> && !changes_up<G>; });
        return alone;
    }
    float operator()(float z) const {
        activate({&z, 1});
        return z;
    }

  private:
    template <class Call>
    void ask(Call&& call) const {
        const auto one = [&](const auto* g) { return g != nullptr && (call(*g), true); };
        (void)(one(std::get_if<Gs>(held_)) || ...);
    }
    const std::variant<Gs...>* held_;
};

/// The kinds of refusal that are compile-time sentences elsewhere.
inline void need_to_save(bool saves, const char* where, const char* because) {
    if (!saves) {
        char text[256];
        std::snprintf(
            text, sizeof text,
            "tamis::any_ffn: the mask at %s saves nothing: %s. Repack them (tamis::repack), or ask for masks "
            "alone: masks_only(...)",
            where, because);
        fail(text);
    }
}

} // namespace detail

TAMIS_END
