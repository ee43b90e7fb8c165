// version LIBRARY: a host whose version of ggml's interface nobody knows: the library has to leave itself out, with a sentence.
#include <ggml-backend.h>

#include <cstdio>

int main(int, char** argv) {
    ggml_backend_load_all();
    int* version = reinterpret_cast<int*>(ggml_backend_reg_by_name("CPU")); // the first field of a registry
    const int known = *version;
    *version = 99;
    const bool loaded = ggml_backend_load(argv[1]) != nullptr;
    *version = known;
    std::printf("%s\n", loaded ? "loaded" : "left out");
    return loaded ? 1 : 0;
}
