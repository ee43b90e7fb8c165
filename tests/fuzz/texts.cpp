// What settings, graphs and other languages hand over: rules, sites and gatings as text, and the tensors of MatMulNBits with the sizes
// that a model's file says.

#include "fuzz/target.hpp"

#include <tamis/ffn/text_gating.hpp>
#include <tamis/format/from_nbits.hpp>
#include <tamis/study/calibrate/rules_as_text.hpp>
#include <tamis/text_rule.hpp>

#include <bit>
#include <cmath>
#include <new>
#include <optional>
#include <stdexcept>
#include <vector>

namespace {

void is_sentence(const std::string& error, const char* begin) {
    fuzz::need(error.find(begin) == 0 && error.size() < 2000, "a text refused without a sentence");
}

/// False where it was refused by a sentence of tamis.
template <class Run>
bool not_refused(Run&& run) {
    try {
        run();
        return true;
    } catch (const std::bad_alloc&) {
        fuzz::wrong("more memory was asked for than there is");
    } catch (const std::invalid_argument& e) {
        fuzz::need(std::string{e.what()}.find("tamis") == 0, "an error of another library's");
        return false;
    }
}

using fuzzed_gatings = tamis::gatings<tamis::silu, tamis::gelu, tamis::relu2, tamis::clipped_swiglu,
                                      tamis::limited_silu, tamis::sparse_gelu, tamis::xielu>;

} // namespace

/// How many values, whether there are numbers, and a rule: what is read selects within the memory that it says, twice the same.
void fuzz::rule_text(input in) {
    const std::size_t n = in.below(200);
    const bool has_numbers = in.take<std::uint8_t>() % 2 != 0;
    std::vector<float> values(n), numbers(has_numbers ? n : 0);
    std::uint64_t state = n;
    const auto next = [&] { return (state = state * 6364136223846793005u + 1442695040888963407u) >> 40; };
    for (float& v : values) {
        v = next() % 16 == 0 ? 0.0f : static_cast<float>(next() % 64) / 8 - 4; // ties and zeros
    }
    for (float& w : numbers) {
        w = static_cast<float>(next() % 32) / 16;
    }
    const auto reading = tamis::read_rule(in.text(), numbers);
    need(static_cast<bool>(reading) == reading.error.empty(), "a rule and an error, or neither");
    if (!reading) {
        return is_sentence(reading.error, "tamis rule '");
    }
    std::vector<std::uint64_t> first(tamis::mask_words(n)), second(tamis::mask_words(n));
    not_refused([&] {
        for (auto* words : {&first, &second}) {
            std::vector<std::byte> bytes(reading.value->selection_bytes(n)); // no more than is said
            tamis::select(*reading.value, values, tamis::mask_span{*words, n}, tamis::workspace{bytes});
        }
    });
    need(first == second, "two masks of the same values");
}

/// A rule@site,site;rule@... and the rules of a calibration by hand: every rule that is found stands in the text.
void fuzz::site_text(input in) {
    const std::string text = in.text();
    const tamis::site_rules rules = tamis::read_site_rules(text);
    if (!rules.error.empty()) {
        return is_sentence(rules.error, "tamis");
    }
    for (std::size_t i = 0; i < 4; ++i) {
        need(text.find(rules[static_cast<tamis::site>(i)]) != std::string::npos, "a rule that nobody wrote");
    }
    const auto calibrated = tamis::study::read_calibrated_rules(text);
    need(calibrated.error.size() < 2000, "an error without end");
}

void fuzz::gating_text(input in) {
    not_refused([&] {
        const auto reading = tamis::read_gating(fuzzed_gatings{}, in.text());
        need(reading.value.has_value() == reading.error.empty(), "a gating and an error, or neither");
        if (!reading.value) {
            is_sentence(reading.error, "tamis: there is no gating '");
        }
    });
}

/// Sizes, and tensors that have what is left of the input, over and over: refused, or rows of scale * (code - zero).
void fuzz::nbits(input in) {
    const auto kind = in.take<std::uint8_t>();
    const auto size = [&] { return kind & 1 ? in.take<std::uint64_t>() : in.take<std::uint8_t>(); };
    tamis::nbits_tensors t{};
    t.outputs = static_cast<std::size_t>(size());
    t.inputs = static_cast<std::size_t>(size());
    t.bits = in.take<std::uint8_t>();
    t.block = static_cast<std::size_t>(size());
    const auto first = static_cast<std::size_t>(size()), count = static_cast<std::size_t>(size());
    // As long as they have to be where that is little, else as the input says.
    const bool fits = t.outputs < 256 && t.inputs < 256 && t.block < 1024 && t.block != 0 && t.bits <= 8;
    const std::size_t blocks = fits ? t.outputs * t.blocks() : in.below(300);
    const std::size_t zero_bytes = fits ? t.outputs * ((t.blocks() * t.bits + 7) / 8) : in.below(300);
    std::vector<std::uint8_t> codes((fits ? blocks * (t.block * t.bits / 8) : in.below(300)) + (kind >> 7)),
        zeros(zero_bytes);
    std::vector<float> scales(blocks), numbers(blocks);
    const auto all = in.rest();
    const auto fill = [&](auto& to, std::size_t at, auto&& of) {
        for (std::size_t i = 0; i < to.size() && !all.empty(); ++i) {
            to[i] = of(all[(at + i) % all.size()]);
        }
    };
    const auto same = [](std::uint8_t b) { return b; };
    fill(codes, 0, same);
    fill(zeros, 3, same);
    fill(scales, 5, [](std::uint8_t b) { return std::bit_cast<float>(std::uint32_t{b} << 24 | 0x123400u); });
    fill(numbers, 7, [&](std::uint8_t b) {
        return static_cast<float>(b % (kind & 8 ? 255 : 5)) / (kind & 16 ? 2.0f : 1.0f);
    });
    t.codes = codes;
    t.scales = {"scales", "f32", scales.data(), scales.size()};
    if (kind & 2) {
        t.zero_points = zeros;
    } else if (kind & 4) {
        t.zero_numbers = {"zero points", "f32", numbers.data(), numbers.size()};
    }
    std::vector<std::byte> memory(std::size_t{1} << 18);
    std::optional<tamis::any_matrix> m;
    if (!not_refused(
            [&] { m = tamis::repack_nbits(t, tamis::weight_layout::neuron_major, first, count, memory); })) {
        return;
    }
    need(m->rows() == count && m->columns() == t.inputs, "rows of another number");
    if (count == 0 || t.inputs == 0) {
        return;
    }
    need(fits, "sizes that nothing was there for were taken");
    tamis::with_format<tamis::nbits_formats>(m->format(), [&]<class F>(F) {
        for (std::size_t o = 0; o < count; ++o) {
            for (std::size_t i = 0; i < t.inputs; ++i) {
                const std::size_t b = i / t.block, place = (first + o) * t.blocks() + b;
                const auto code_of = [&](const std::uint8_t* bytes, std::size_t k) {
                    return bytes[k * t.bits / 8] >> (k * t.bits % 8) & ((1 << t.bits) - 1);
                };
                const int code = code_of(codes.data() + place * (t.block * t.bits / 8), i % t.block);
                const int zero =
                    kind & 2   ? code_of(zeros.data() + (first + o) * ((t.blocks() * t.bits + 7) / 8), b)
                    : kind & 4 ? static_cast<int>(numbers[place])
                               : 1 << (t.bits - 1);
                const float expected = scales[place] * static_cast<float>(code - zero);
                const float got = F::at(memory.data() + o * F::row_bytes(t.inputs), i);
                need(got == expected || (std::isnan(got) && std::isnan(expected)),
                     "a weight that is another");
            }
        }
    });
}
