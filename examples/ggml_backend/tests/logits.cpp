// logits MODEL OUT [tokens=32] [threads=2] [prompt=8] [observe=0] [contexts=1] [loads=1] [lora=FILE] [beside=FILE] [check=0]:
// decodes the same tokens with whatever backends are loaded (a prompt, then one by one) and writes all logits. `observe` asks for every
// node, `contexts` run at the same time in threads, `loads` loads and unloads the backend of GGML_BACKEND_PATH and the model so often,
// `beside` is another model that is loaded before and serves at the same time, `check` has the loader check all tensors.
#include <ggml-backend.h>
#include <llama.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace {

int option(int argc, char** argv, const char* name, int otherwise) {
    for (int i = 3; i < argc; ++i) {
        if (std::strncmp(argv[i], name, std::strlen(name)) == 0 && argv[i][std::strlen(name)] == '=') {
            return std::atoi(argv[i] + std::strlen(name) + 1);
        }
    }
    return otherwise;
}
const char* file_option(int argc, char** argv, const char* name) {
    const std::size_t n = std::strlen(name);
    for (int i = 3; i < argc; ++i) {
        if (std::strncmp(argv[i], name, n) == 0 && argv[i][n] == '=') {
            return argv[i] + n + 1;
        }
    }
    return nullptr;
}
bool see(ggml_tensor*, bool, void*) { return true; }

std::vector<float> run(llama_model* model, llama_adapter_lora* lora, int tokens, int threads, int prompt,
                       bool observe) {
    llama_context_params p = llama_context_default_params();
    p.n_ctx = 512;
    p.n_threads = p.n_threads_batch = threads;
    p.cb_eval = observe ? see : nullptr;
    llama_context* c = llama_init_from_model(model, p);
    if (lora != nullptr) {
        float one = 1;
        llama_set_adapters_lora(c, &lora, 1, &one);
    }
    const int vocabulary = llama_vocab_n_tokens(llama_model_get_vocab(model));
    std::vector<float> all;
    const auto decode = [&](int first, int count) {
        std::vector<llama_token> t;
        for (int i = first; i < first + count; ++i) {
            t.push_back((7 * i + 13) % vocabulary);
        }
        if (llama_decode(c, llama_batch_get_one(t.data(), count)) != 0) {
            std::fprintf(stderr, "logits: decoding failed\n");
            std::exit(1);
        }
        const float* l = llama_get_logits_ith(c, -1);
        all.insert(all.end(), l, l + vocabulary);
    };
    decode(0, prompt);
    for (int i = prompt; i < tokens; ++i) {
        decode(i, 1);
    }
    llama_free(c);
    return all;
}

} // namespace

int main(int argc, char** argv) {
    llama_log_set(
        [](ggml_log_level level, const char* text, void*) {
            if (level == GGML_LOG_LEVEL_ERROR) std::fputs(text, stderr);
        },
        nullptr);
    ggml_backend_load_all();
    const int loads = option(argc, argv, "loads", 1);
    const int contexts = option(argc, argv, "contexts", 1);
    const char* path = std::getenv("GGML_BACKEND_PATH");
    std::vector<float> result;
    llama_model_params how = llama_model_default_params();
    how.check_tensors = option(argc, argv, "check", 0) != 0;
    const char* beside = file_option(argc, argv, "beside");
    llama_model* other = beside != nullptr ? llama_model_load_from_file(beside, how) : nullptr;
    for (int load = 0; load < loads; ++load) {
        llama_model* model = llama_model_load_from_file(argv[1], how);
        if (model == nullptr) {
            return 1;
        }
        llama_adapter_lora* lora = nullptr;
        if (const char* file = file_option(argc, argv, "lora");
            file != nullptr && (lora = llama_adapter_lora_init(model, file)) == nullptr) {
            return 1;
        }
        std::vector<std::vector<float>> results(static_cast<std::size_t>(contexts));
        std::vector<std::thread> all;
        for (auto& r : results) {
            all.emplace_back([&] {
                r = run(model, lora, option(argc, argv, "tokens", 32), option(argc, argv, "threads", 2),
                        option(argc, argv, "prompt", 8), option(argc, argv, "observe", 0) != 0);
            });
        }
        if (other != nullptr) {
            run(other, nullptr, 8, 1, 4, false);
        }
        for (std::thread& t : all) {
            t.join();
        }
        for (const auto& r : results) {
            if (r != results[0] || (load != 0 && r != result)) {
                std::fprintf(stderr, "logits: contexts or loads differ\n");
                return 1;
            }
        }
        result = results[0];
        llama_model_free(model);
        if (loads > 1 && path != nullptr) {
            ggml_backend_unload(ggml_backend_reg_by_name("TAMIS"));
            if (load + 1 < loads) ggml_backend_load(path);
        }
    }
    llama_model_free(other);
    std::ofstream{argv[2], std::ios::binary}.write(reinterpret_cast<const char*>(result.data()),
                                                   static_cast<std::streamsize>(result.size() *
                                                                                sizeof(float)));
}
