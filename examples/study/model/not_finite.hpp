#pragma once

#include "error.hpp"

#include <tamis/ffn/site.hpp>
#include <tamis/study/figure.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace app {

namespace study = tamis::study;

/// Where in a layer a forward pass is looked at.
enum class place : std::uint64_t { attention, behind_attention, input, gate, up, intermediate, behind_ffn };
constexpr place place_of(tamis::site where) {
    switch (where) {
        case tamis::site::input: return place::input;
        case tamis::site::gate: return place::gate;
        case tamis::site::up: return place::up;
        case tamis::site::intermediate: break;
    }
    return place::intermediate;
}

/// Values of forward passes that became NaN or infinite: the weights are finite (load_checkpoint), so a float, or a format that
/// activations were rounded to, was too small. Counted where a token first has them; what is computed from it is lost, too.
struct not_finite {
    static constexpr std::uint64_t places = 7, none = std::numeric_limits<std::uint64_t>::max();

    std::uint64_t values = 0, tokens = 0;
    std::uint64_t first = none; ///< layer * places + place: the earliest in the model's order

    void merge(const not_finite& other) {
        values += other.values;
        tokens += other.tokens;
        first = std::min(first, other.first);
    }
    template <class Archive>
    void state(Archive& a) {
        a(values, tokens, first);
    }
    /// "12 values of 3 tokens became infinite or NaN, the first in layer 1 at gate"; empty when there is none.
    std::string text(std::size_t layers) const {
        static constexpr const char* names[]{
            "in attention",    "in the residual stream behind attention", "at input", "at gate", "at up",
            "at intermediate", "in the residual stream behind the FFN"};
        if (values == 0) {
            return {};
        }
        const std::string where = first / places >= layers
                                      ? std::string{"in the logits"}
                                      : line("in layer ", first / places, ' ', names[first % places]);
        return line(values, values == 1 ? " value of " : " values of ", tokens,
                    tokens == 1 ? " token" : " tokens", " became infinite or NaN, the first ", where);
    }
};

/// Watches one thread's forward passes. A token is lost when a value of its own is not finite, or when it attends to a lost one.
class lost_tokens {
  public:
    /// A pass over so many tokens begins.
    void begin(std::size_t tokens) {
        lost_.assign(tokens, 0);
        any_ = false;
    }
    /// Rows of tokens, each `stride` behind the last.
    void look(std::size_t layer, place where, const float* values, std::size_t columns, std::size_t stride) {
        for (std::size_t t = 0; t < lost_.size(); ++t) {
            const float* const row = values + t * stride;
            std::uint32_t worst = 0;
            for (std::size_t i = 0; i < columns; ++i) {
                worst = std::max(worst, tamis::magnitude_bits(row[i]));
            }
            if (worst >= tamis::infinity_bits<float> && lost_[t] == 0) {
                lost_[t] = 1;
                any_ = true;
                found_.values += study::count_not_finite(std::span{row, columns});
                ++found_.tokens;
                found_.first =
                    std::min(found_.first, layer * not_finite::places + static_cast<std::uint64_t>(where));
            }
        }
    }
    /// Behind attention: whoever sees a lost token is lost.
    void attended() {
        bool before = false;
        for (char& one : lost_) {
            before = before || one != 0;
            one = before ? 1 : 0;
        }
    }
    bool any() const { return any_; }
    bool is_lost(std::size_t t) const { return lost_[t] != 0; }

    /// What was found since the last call.
    not_finite take() {
        const not_finite all = found_;
        found_ = {};
        return all;
    }

  private:
    std::vector<char> lost_; // bools that are written one by one
    bool any_ = false;
    not_finite found_;
};

} // namespace app
