#include "model_file.hpp"

#include <gguf.h>

#include <filesystem>
#include <mutex>

namespace tamis_ggml {
namespace {

/// The GGUF files that this process has open.
std::vector<std::string> open_models() {
    std::vector<std::string> found;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/fd", none}) {
        const std::filesystem::path file = std::filesystem::read_symlink(entry.path(), none);
        if (!none && file.extension() == ".gguf") {
            found.push_back(file.string());
        }
    }
    return found;
}

struct model_head {
    std::string name, file;
    std::size_t layers = 0;
};
model_head head_of(const std::string& file) {
    model_head head{{}, std::filesystem::path{file}.stem().string()};
    gguf_context* g = gguf_init_from_file(file.c_str(), {true, nullptr});
    if (g == nullptr) {
        return head;
    }
    const auto text = [&](const char* key) {
        const auto at = gguf_find_key(g, key);
        return at >= 0 && gguf_get_kv_type(g, at) == GGUF_TYPE_STRING ? std::string{gguf_get_val_str(g, at)}
                                                                      : std::string{};
    };
    head.name = text("general.name");
    const auto at = gguf_find_key(g, (text("general.architecture") + ".block_count").c_str());
    if (at >= 0 && gguf_get_kv_type(g, at) == GGUF_TYPE_UINT32) {
        head.layers = gguf_get_val_u32(g, at);
    }
    gguf_free(g);
    return head;
}

bool is_plans_model(const settings& s, const std::string& file) {
    const model_head head = head_of(file);
    if (s.model != head.name && s.model != head.file) {
        say(s.source + ": 'model' is '" + s.model + "', but this one is '" +
            (head.name.empty() ? head.file : head.name) + "': it runs dense");
        return false;
    }
    if (head.layers != 0 && s.layers != head.layers) {
        stop(s.source + ": 'layers' is " + std::to_string(s.layers) + ", but '" + s.model + "' has " +
             std::to_string(head.layers));
    }
    return true;
}

} // namespace

bool is_the_plans_model(const settings& s) {
    if (s.model.empty()) {
        return true;
    }
    static std::mutex one_at_a_time;
    static std::string file; // asked for each weight: the answer is kept
    static bool answer = true;
    const std::lock_guard lock{one_at_a_time};
    const std::vector<std::string> open = open_models();
    if (open.empty()) {
        return true;
    }
    if (open.back() != file) {
        file = open.back();
        answer = is_plans_model(s, file);
    }
    return answer;
}

} // namespace tamis_ggml
