// Any compiler's way to the targets: tests_fuzz COUNT SEED FILE...: each file as it is, and COUNT inputs that a target's files are
// damaged to, in an address space of 1 GiB. The same inputs everywhere, for one seed.
//
//     tests_fuzz 10000 1 tests/fuzz/corpus/*

#include "fuzz/target.hpp"

#include <fstream>
#include <iterator>
#include <random>
#include <utility>
#include <vector>

#if defined(__linux__)
#include <sys/resource.h>
#endif
#if defined(__SANITIZE_ADDRESS__)
#define TAMIS_FUZZ_SHADOW 1 // its shadow takes more addresses than are there
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TAMIS_FUZZ_SHADOW 1
#endif
#endif

namespace {

using bytes = std::vector<std::uint8_t>;
using engine = std::mt19937_64;

std::size_t below(engine& random, std::size_t bound) { return static_cast<std::size_t>(random() % bound); }

/// What damage does: bits, bytes and words that are others, numbers that are near or extreme, pieces that are lost, repeated or
/// of another file, and an end that is not there.
void damage(bytes& b, const bytes& other, engine& random) {
    const std::size_t at =
        b.size() < 2 ? 0 : 1 + below(random, b.size() - 1); // the first byte chooses the target
    const auto place = b.begin() + static_cast<std::ptrdiff_t>(at);
    const std::size_t most = b.size() - at;
    constexpr std::uint64_t extreme[] = {0,
                                         1,
                                         0x7f,
                                         0x80,
                                         0xff,
                                         0x7fff,
                                         0x7fffffff,
                                         0x80000000,
                                         0xffffffff,
                                         0x7f800000,
                                         0x7fc00000,
                                         0x7fffffffffffffff,
                                         0x8000000000000000,
                                         ~std::uint64_t{0}};
    switch (below(random, 10)) {
        case 0:
            if (most != 0) {
                *place = static_cast<std::uint8_t>(*place ^ (1u << below(random, 8)));
            }
            break;
        case 1:
            if (most != 0) {
                *place = static_cast<std::uint8_t>(random());
            }
            break;
        case 2:
        case 3: { // a number, in its place or a little off
            const std::uint64_t value = extreme[below(random, std::size(extreme))];
            const std::size_t size = std::size_t{1} << below(random, 4);
            if (most >= size) {
                std::memcpy(&*place, &value, size);
            }
            break;
        }
        case 4:
            if (most >= 4) {
                std::uint32_t value;
                std::memcpy(&value, &*place, sizeof value);
                value += static_cast<std::uint32_t>(below(random, 5)) - 2;
                std::memcpy(&*place, &value, sizeof value);
            }
            break;
        case 5: b.resize(b.size() - std::min(most, 1 + below(random, 64))); break;
        case 6: // lost
            b.erase(place, place + static_cast<std::ptrdiff_t>(std::min(most, 1 + below(random, 40))));
            break;
        case 7: { // repeated
            const bytes piece(place,
                              place + static_cast<std::ptrdiff_t>(std::min(most, 1 + below(random, 40))));
            b.insert(place, piece.begin(), piece.end());
            break;
        }
        case 8: { // of another
            const std::size_t from = other.size() < 2 ? other.size() : 1 + below(random, other.size() - 1);
            const std::size_t count = std::min(other.size() - from, 1 + below(random, 60));
            b.insert(place, other.begin() + static_cast<std::ptrdiff_t>(from),
                     other.begin() + static_cast<std::ptrdiff_t>(from + count));
            break;
        }
        default: { // what means something in texts
            constexpr const char* words[] = {"\t",  "\n",   ",",     "\"",
                                             "{",   "[[[[", "1e999", "-1",
                                             "nan", "inf",  "0x",    "\xc3",
                                             "\r",  " .",   "=",     "99999999999999999999"};
            const std::string word = words[below(random, std::size(words))];
            b.insert(place, word.begin(), word.end());
        }
    }
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        std::fputs("tests_fuzz COUNT SEED FILE...\n", stderr);
        return 2;
    }
#if defined(__linux__) && !defined(TAMIS_FUZZ_SHADOW)
    const rlimit limit{rlim_t{1} << 30, rlim_t{1} << 30};
    setrlimit(RLIMIT_AS, &limit);
#endif
    const auto count = static_cast<std::size_t>(std::strtoul(argv[1], nullptr, 10));
    const std::uint64_t seed = std::strtoull(argv[2], nullptr, 10);
    std::vector<bytes> files;
    for (int i = 3; i < argc; ++i) {
        std::ifstream file{argv[i], std::ios::binary};
        files.emplace_back(std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{});
        fuzz::need(fuzz::run(files.back()), "a file of the corpus that is no target's");
    }
    for (const fuzz::target& t : fuzz::targets) {
        std::vector<const bytes*> seeds;
        for (const bytes& f : files) {
            if (static_cast<char>(f[0]) == t.key) {
                seeds.push_back(&f);
            }
        }
        if (seeds.empty()) {
            continue;
        }
        engine random{seed ^ static_cast<unsigned char>(t.key)};
        for (std::size_t i = 0; i < count; ++i) {
            bytes b = *seeds[below(random, seeds.size())];
            const bytes& other = *seeds[below(random, seeds.size())];
            for (std::size_t k = 1 + below(random, 4); k > 0; --k) {
                damage(b, other, random);
            }
            if (FILE* last = std::getenv("TAMIS_FUZZ_LAST") != nullptr
                                 ? std::fopen(std::getenv("TAMIS_FUZZ_LAST"), "wb")
                                 : nullptr) { // what it was, if this is where it ends
                std::fwrite(b.data(), 1, b.size(), last);
                std::fclose(last);
            }
            fuzz::run(b);
        }
        std::printf("%s: %zu files, %zu inputs\n", t.name, seeds.size(), count);
        std::fflush(stdout);
    }
    return 0;
}
