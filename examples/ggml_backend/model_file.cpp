#include "model_file.hpp"

#include <gguf.h>

#include <filesystem>
#include <functional>
#include <map>
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
    std::map<std::string, ggml_type, std::less<>> tensors;
};
model_head head_of(const std::string& file) {
    model_head head{{}, std::filesystem::path{file}.stem().string(), 0, {}};
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
    for (std::int64_t i = 0; i < gguf_get_n_tensors(g); ++i) {
        head.tensors.emplace(gguf_get_tensor_name(g, i), gguf_get_tensor_type(g, i));
    }
    gguf_free(g);
    return head;
}

std::mutex one_at_a_time;
std::string file_in_hand; // the last that was found open

/// Of the file that is being loaded, asked for at each weight: what was read of it is kept. Null where it can not be found.
const model_head* head_in_hand() {
    static model_head head;
    const std::vector<std::string> open = open_models();
    if (open.empty()) {
        return nullptr;
    }
    if (open.back() != file_in_hand) {
        file_in_hand = open.back();
        head = head_of(file_in_hand);
    }
    return &head;
}

} // namespace

bool is_the_plans_model(const settings& s) {
    if (s.model.empty()) {
        return true;
    }
    const std::lock_guard lock{one_at_a_time};
    const model_head* const head = head_in_hand();
    if (head == nullptr) { // it is closed when it is loaded
        if (file_in_hand.empty()) {
            say(s.source + ": 'model' is '" + s.model +
                "', which can not be checked: /proc/self/fd names no open .gguf; the plan is taken");
        }
        return true;
    }
    if (s.model != head->name && s.model != head->file && s.model != head->file + ".gguf") {
        say(s.source + ": 'model' is '" + s.model + "', but this one is '" +
            (head->name.empty() ? head->file : head->name) + "': it runs dense");
        return false;
    }
    if (head->layers != 0 && s.layers != head->layers) {
        stop(s.source + ": 'layers' is " + std::to_string(s.layers) + ", but '" + s.model + "' has " +
             std::to_string(head->layers));
    }
    return true;
}

std::optional<ggml_type> type_in_model(const std::string& tensor) {
    const std::lock_guard lock{one_at_a_time};
    const model_head* const head = head_in_hand();
    if (head == nullptr) {
        return {};
    }
    const auto found = head->tensors.find(tensor);
    return found != head->tensors.end() ? std::optional{found->second} : std::nullopt;
}
bool model_has(const std::string& tensor) {
    const std::lock_guard lock{one_at_a_time};
    const model_head* const head = head_in_hand();
    return head == nullptr || head->tensors.empty() || head->tensors.contains(tensor);
}

} // namespace tamis_ggml
