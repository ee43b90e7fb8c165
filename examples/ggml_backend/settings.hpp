#pragma once

#include "kernels.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tamis_ggml {

/// What the user asked for, from the environment:
///     TAMIS_PLAN=thresholds.json                        a calibration file (docs/calibration.md)
///     TAMIS_RULE=top_p=0.9@input,intermediate           rules for all layers; several are separated by ;
///     TAMIS_STATS=1                                     what was masked and read, on stderr at the end
///     TAMIS_ALL=1                                       weights, too, that take more bytes laid out than stored
///     TAMIS_TURNS=1                                     every other token by the host's own kernels: how long both took, at the end
///     TAMIS_PROMPT=1                                    masks for prompts, too (to measure what a plan costs)
/// Neither of the first two, or rules that mask zeros alone (threshold=0): exact zeros, where a ReLU makes them.
struct settings {
    std::string source, model; // where the rules are from, and the model that they are for (empty: any)
    std::size_t layers = 0;    // of that model; 0: any
    bool asked = false;        // whether there is a rule that masks more than zeros
    bool statistics = false, prompts = false, all = false, turns = false;
    struct owned_rule {
        std::string name;
        double value = 0;
        std::vector<float> values;
    };
    std::map<std::pair<std::size_t, place>, owned_rule> of_layer;
    owned_rule of_all[places];

    /// The rule of a layer at a place; empty where there is none.
    rule at(std::size_t layer, place where) const;
    bool has_rule(std::size_t layer) const { return shape_of(layer).any; }
    /// Rules that need the whole FFN in one call, or take all of its weights anyway. One at the intermediate alone leaves gate and up
    /// in the layout that the host is quickest with.
    bool wants_whole_ffn(std::size_t layer) const { return shape_of(layer).whole; }

    /// Both of all layers that have rules of their own, and of others: they are asked for at every token.
    struct shape {
        bool any = false, whole = false;
    };
    std::vector<shape> shape_of_layer{};
    shape shape_of_others{};
    void find_shapes();

  private:
    shape shape_of(std::size_t layer) const {
        return layer < shape_of_layer.size() ? shape_of_layer[layer] : shape_of_others;
    }
};

/// Read at the first call. What is wrong ends the program with one line that names the field.
const settings& asked();

/// Says a sentence on stderr, once.
void say(const std::string& sentence);
/// Says it and ends the program.
[[noreturn]] void stop(const std::string& sentence);

} // namespace tamis_ggml
