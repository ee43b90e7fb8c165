// Calls the units that are named on the command line; all of TAMIS_TEST_UNITS are in the program. Compiled for the
// oldest processor, and without a test framework, so that it runs on an emulated one:
//     run all base v3      run masks base v3 (without the FFN)
#include "unit.hpp"

#include <cstdio>
#include <cstring>

#define X(name)                     \
    TAMIS_TEST_DECLARE_MASKS(name); \
    TAMIS_TEST_DECLARE_FFN(name);
TAMIS_TEST_UNITS
#undef X

namespace {

struct unit {
    const char* name;
    decltype(&TAMIS_TEST_MASKS(base)) masks;
    decltype(&TAMIS_TEST_FFN(base)) ffn;
};
#define X(name) {#name, &TAMIS_TEST_MASKS(name), &TAMIS_TEST_FFN(name)},
const unit units[] = {TAMIS_TEST_UNITS};
#undef X

/// The masks of what is made here, there.
bool runs_masks(const unit& one) {
    tamis::mask made{100};
    made.set(70, true);
    const std::uint64_t hash = one.masks(made);
    static const std::uint64_t first = hash;
    if (hash != first) {
        std::printf("%s: other masks, %016llx and %016llx\n", one.name, static_cast<unsigned long long>(hash),
                    static_cast<unsigned long long>(first));
    }
    return hash == first;
}

bool runs_ffn(const unit& one) {
    float x[64];
    float y[64];
    for (int i = 0; i < 64; ++i) {
        x[i] = static_cast<float>(i % 7 - 3);
        y[i] = -1e30f;
    }
    tamis::owned_workspace memory{1 << 20};
    tamis::traffic read;
    const tamis::mask active = one.ffn(std::span{x}, std::span{y}, memory, read);
    const bool good =
        active.size() == 128 && active.count() > 0 && y[63] != -1e30f && read.bytes_read <= read.bytes_dense;
    if (!good) {
        std::printf("%s: the FFN's results are wrong\n", one.name);
    }
    return good;
}

} // namespace

int main(int argc, char** argv) {
    int wrong = argc < 3 ? 1 : 0;
    for (int i = 2; i < argc; ++i) {
        bool known = false;
        for (const unit& one : units) {
            if (std::strcmp(one.name, argv[i]) == 0) {
                known = true;
                const bool good = runs_masks(one) && (std::strcmp(argv[1], "all") != 0 || runs_ffn(one));
                wrong += good ? 0 : 1;
            }
        }
        wrong += known ? 0 : 1;
    }
    std::printf("%d wrong\n", wrong);
    return wrong == 0 ? 0 : 1;
}
