#pragma once

#include "support.hpp"

#include <cstring>
#include <map>

// Where the arrays of make_checkpoint lie, to put numbers into them.

namespace study_test {

/// The float at which an array begins behind the header, and how many a layer has, of the default header.
struct array_place {
    std::size_t first, size;
};
inline std::map<std::string, array_place> arrays_of_checkpoint() {
    std::map<std::string, array_place> all;
    std::size_t next = 0;
    const auto put = [&](const char* name, std::size_t size, std::size_t layers) {
        all[name] = {next, size};
        next += size * layers;
    };
    put("embedding", 290 * 16, 1);
    put("rms_att", 16, 2);
    put("wq", 256, 2);
    put("wk", 128, 2);
    put("wv", 128, 2);
    put("wo", 256, 2);
    put("rms_ffn", 16, 2);
    put("w_gate", 640, 2);
    put("w_down", 640, 2);
    put("w_up", 640, 2);
    put("rms_final", 16, 1);
    put("rope", 256, 1);
    put("classifier", 290 * 16, 1);
    return all;
}
inline void set_weight(bytes& checkpoint, const std::string& array, std::size_t layer, std::size_t index,
                       float value) {
    const array_place at = arrays_of_checkpoint().at(array);
    std::memcpy(checkpoint.data.data() + 28 + sizeof(float) * (at.first + layer * at.size + index), &value,
                sizeof value);
}
/// All weights of an array of a layer.
inline void fill_weights(bytes& checkpoint, const std::string& array, std::size_t layer, float value) {
    for (std::size_t i = 0; i < arrays_of_checkpoint().at(array).size; ++i) {
        set_weight(checkpoint, array, layer, i, value);
    }
}

} // namespace study_test
