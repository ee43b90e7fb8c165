#pragma once

#include "input/tasks.hpp"
#include "input/windows.hpp"
#include "model/activation.hpp"
#include "model/checkpoint.hpp"
#include "model/tokenizer.hpp"
#include "remarks.hpp"

#include <string>
#include <vector>

namespace app {

/// A model and everything that it is measured with.
struct subject {
    std::string name;  ///< for people: the checkpoint's file name, or "embedded swiglu"
    std::string label; ///< for folders: "swiglu"; empty for a model of the user's
    checkpoint model;
    activation sigma;
    std::vector<story> stories; ///< or their windows
    std::vector<task> tasks;
    std::string text_name, text_hash; ///< of the stories that are used
    remarks notes{};                  ///< on all of these
    text_use use{};
    bool keep_tokens = false; ///< each token's loss is kept, for per_token.csv

    std::size_t layers() const { return model.layers.size(); }
    std::size_t predictions() const {
        std::size_t count = 0;
        for (const story& s : stories) {
            count += s.predictions();
        }
        return count;
    }
};

} // namespace app
