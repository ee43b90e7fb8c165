#include "model/checkpoint.hpp"

#include "support.hpp"

#include <doctest/doctest.h>

using namespace study_test;

namespace {

std::string load_error(const bytes& file) {
    return error_of([&] { app::load_checkpoint(file.as("m.bin")); });
}

} // namespace

TEST_CASE("a checkpoint's arrays lie one behind the other, to the last byte") {
    const bytes file = make_checkpoint();
    const auto model = app::load_checkpoint(file.as("m.bin"));
    CHECK(model.config.dim == 16);
    CHECK(model.config.hidden_dim == 40);
    CHECK(model.config.kv_dim() == 8);
    CHECK(model.layers.size() == 2);
    const auto* first = reinterpret_cast<const float*>(file.data.data() + 28);
    CHECK(model.embedding.data() == first);
    CHECK(model.layers[0].rms_att.data() == first + 290 * 16);
    CHECK(model.layers[1].rms_att.data() == first + 290 * 16 + 16);
    CHECK(model.layers[0].wq.data() == first + 290 * 16 + 2 * 16);
    CHECK(model.layers[0].w_down.size() == 16 * 40);
    CHECK(model.layers[1].w_up.data() + 40 * 16 == model.rms_final.data());
    CHECK(model.classifier.data() == model.embedding.data());
}

TEST_CASE("a negative vocabulary says that the classifier is apart, at the end") {
    const bytes file = make_checkpoint({.vocab_size = -290});
    const auto model = app::load_checkpoint(file.as("m.bin"));
    CHECK(model.config.vocab_size == 290);
    CHECK(reinterpret_cast<const std::byte*>(model.classifier.data() + 290 * 16) ==
          file.data.data() + file.data.size());
}

TEST_CASE("a file of another size is refused with both sizes") {
    bytes file = make_checkpoint();
    const std::string size = std::to_string(file.data.size());
    file.data.pop_back();
    CHECK(has(load_error(file), "m.bin: truncated: its header asks for " + size + " bytes"));
    file.data.resize(file.data.size() + 2);
    CHECK(has(load_error(file), "m.bin: trailing bytes"));
    file.data.resize(10);
    CHECK(has(load_error(file), "m.bin: truncated: header field n_layers needs 4 bytes at byte 8"));
    file.data.clear();
    CHECK(has(load_error(file), "m.bin: truncated"));
}

TEST_CASE("a foreign file is refused by the first header field that cannot be") {
    CHECK(has(load_error(bytes{}.add_text("#!/bin/sh and some more text")),
              "not a llama2.c v0 checkpoint: header field dim"));
    CHECK(has(load_error(bytes{}.add(0x616b3432).add_text(std::string(300, 'x'))), "version 1 or later"));
    CHECK(has(load_error(make_checkpoint({.n_heads = 3, .n_kv_heads = 1})), "does not give n_heads = 3"));
    CHECK(has(load_error(make_checkpoint({.n_kv_heads = 3})), "no multiple of n_kv_heads = 3"));
    CHECK(has(load_error(make_checkpoint({.n_heads = 16, .n_kv_heads = 16})), "even size"));
    bytes file = make_checkpoint();
    file.data[4] = file.data[5] = file.data[6] = file.data[7] = std::byte{0xff};
    CHECK(has(load_error(file), "hidden_dim = -1 at byte 4"));
}
