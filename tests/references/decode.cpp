#include <tamis/format/from_int4.hpp>
#include <tamis/format/iq4_nl.hpp>
#include <tamis/format/mxfp4.hpp>
#include <tamis/format/q2_k.hpp>
#include <tamis/format/q3_k.hpp>
#include <tamis/format/q4_0.hpp>
#include <tamis/format/q4_1.hpp>
#include <tamis/format/q4_k.hpp>
#include <tamis/format/q5_0.hpp>
#include <tamis/format/q5_1.hpp>
#include <tamis/format/q5_k.hpp>
#include <tamis/format/q6_k.hpp>
#include <tamis/format/q8_0.hpp>
#include <tamis/format/tq2_0.hpp>
#include <tamis/kernel/unpack.hpp>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

// decode_formats nbits GROUP OUTPUTS INPUTS: MatMulNBits' b, float scales and zero points behind each other on stdin, the weights as
// floats on stdout. decode_formats read FORMAT: bytes of a row on stdin, its weights as floats on stdout, by `unpack`; they are those of `at`, or
// it fails. decode_formats pack FORMAT: floats on stdin, a row's bytes on stdout. With `flushed` behind, denormals are flushed.

namespace {

std::vector<std::byte> all_of_stdin() {
    std::vector<std::byte> all;
    std::byte some[1 << 16];
    for (std::size_t n; (n = std::fread(some, 1, sizeof some, stdin)) != 0;) {
        all.insert(all.end(), some, some + n);
    }
    return all;
}
template <class T>
int write(const std::vector<T>& all) {
    return std::fwrite(all.data(), sizeof(T), all.size(), stdout) == all.size() ? 0 : 1;
}

bool same_number(float a, float b) {
    return tamis::magnitude_bits(a) > tamis::infinity_bits<float>
               ? tamis::magnitude_bits(b) > tamis::infinity_bits<float>
               : std::memcmp(&a, &b, sizeof a) == 0;
}

template <class F>
int read() {
    const auto bytes = all_of_stdin();
    const std::size_t blocks = bytes.size() / F::row_bytes(F::block);
    std::vector<float> weights(blocks * F::block);
    const tamis::matrix<F, tamis::neuron_major> row{bytes.data(), 1, weights.size()};
    tamis::unpack(row, 0, 0, weights.size(), weights.data());
    for (std::size_t i = 0; i < weights.size(); ++i) {
        if (!same_number(weights[i], row.at(0, i))) {
            std::fprintf(stderr, "%s: weight %zu is unpacked as another than at() gives\n", F::name, i);
            return 1;
        }
    }
    return write(weights);
}
template <class F>
int pack() {
    if constexpr (tamis::packable_format<F>) {
        const auto bytes = all_of_stdin();
        std::vector<float> weights(bytes.size() / sizeof(float));
        std::memcpy(weights.data(), bytes.data(), bytes.size());
        std::vector<std::byte> row(F::row_bytes(weights.size()));
        F::pack(weights, row.data());
        return write(row);
    }
    return 2;
}

template <std::size_t Group>
int read_nbits(std::size_t outputs, std::size_t inputs) {
    const auto bytes = all_of_stdin();
    const std::size_t groups = (inputs + Group - 1) / Group;
    std::vector<float> scales(outputs * groups);
    const std::size_t codes = outputs * groups * (Group / 2);
    std::memcpy(scales.data(), bytes.data() + codes, scales.size() * sizeof(float));
    const auto* const all = reinterpret_cast<const std::uint8_t*>(bytes.data());
    const tamis::matmul_nbits_tensors<float> from{all, scales.data(),
                                                  all + codes + scales.size() * sizeof(float), outputs,
                                                  inputs};
    std::vector<std::byte> memory(outputs * tamis::int4_groups<Group>::row_bytes(inputs));
    const auto m = tamis::repack_matmul_nbits<Group, tamis::neuron_major>(from, memory);
    std::vector<float> weights(outputs * inputs);
    for (std::size_t o = 0; o < outputs; ++o) {
        tamis::unpack(m, o, 0, inputs, weights.data() + o * inputs);
    }
    return write(weights);
}

template <class... F>
int run(std::string_view what, std::string_view format) {
    int result = 2;
    (void)((format == F::name && (result = what == "pack" ? pack<F>() : read<F>(), true)) || ...);
    return result;
}

} // namespace

int main(int count, char** words) {
    if (count < 3) {
        std::fprintf(stderr, "decode_formats read|pack FORMAT [flushed]\n");
        return 2;
    }
    if (count == 5 && std::string_view{words[1]} == "nbits") {
        const auto outputs = static_cast<std::size_t>(std::atoi(words[3]));
        const auto inputs = static_cast<std::size_t>(std::atoi(words[4]));
        return std::string_view{words[2]} == "32" ? read_nbits<32>(outputs, inputs)
                                                  : read_nbits<128>(outputs, inputs);
    }
#if defined(__SSE2__)
    if (count > 3) {
        _mm_setcsr(_mm_getcsr() | 0x8040u);
    }
#endif
    using namespace tamis;
    return run<q4_0, q4_1, q5_0, q5_1, q8_0, q2_k, q3_k, q4_k, q5_k, q6_k, iq4_nl, mxfp4, tq2_0>(words[1],
                                                                                                 words[2]);
}
