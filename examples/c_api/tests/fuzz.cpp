#include "tamis.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <random>
#include <string>
#include <vector>

// Random calls: fuzz [calls] [seed]. Sizes, nulls, names that there are not, NaN, strides, overlaps, addresses of any alignment,
// sizes that overflow. Each gives TAMIS_OK, or a code and a text. What is passed as memory is there (a C interface can not tell
// otherwise), or its size is more than memory has. Meant for builds with -fsanitize=address,undefined.

namespace {

std::size_t allocations = 0;
void* counted(void* p) {
    ++allocations;
    return p != nullptr ? p : throw std::bad_alloc{};
}

} // namespace

[[gnu::noinline]] void* operator new(std::size_t n) { return counted(std::malloc(n + 1)); }
[[gnu::noinline]] void* operator new(std::size_t n, std::align_val_t a) {
    const auto alignment = static_cast<std::size_t>(a);
    return counted(n > ~std::size_t{0} / 2
                       ? nullptr
                       : std::aligned_alloc(alignment, n / alignment * alignment + alignment));
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

namespace {

std::mt19937_64 engine;
std::size_t below(std::size_t n) { return n == 0 ? 0 : engine() % n; }
bool rarely() { return below(24) == 0; }

// All memory that is passed: inputs with any bits in the front, what is written behind.
constexpr std::size_t front = 1 << 20, behind = 1 << 20;
alignas(64) std::array<unsigned char, front + behind + 4096> arena;

/// A size that is right, or by chance none, or more than memory has.
std::size_t size(std::size_t right) {
    static constexpr std::size_t odd[]{0,
                                       ~std::size_t{0},
                                       ~std::size_t{0} / 2,
                                       std::size_t{1} << 62,
                                       (std::size_t{1} << 61) + 1,
                                       std::size_t{1} << 50,
                                       ~std::size_t{0} - 63};
    return rarely() ? odd[below(std::size(odd))] : right;
}
/// Inputs: anywhere in the front; `alignment` as it has to be, or by chance not.
template <class T>
const T* input(std::size_t alignment = alignof(T)) {
    if (rarely()) {
        return nullptr;
    }
    const std::size_t at = below(front / 2);
    return reinterpret_cast<const T*>(arena.data() + (rarely() ? at : at / alignment * alignment));
}
/// Outputs: one of a few places behind, so that they overlap at times.
template <class T>
T* output(std::size_t alignment = alignof(T)) {
    if (rarely()) {
        return nullptr;
    }
    const std::size_t at = below(4) * (behind / 8) + (rarely() ? below(5000) : 0);
    return reinterpret_cast<T*>(arena.data() + front + (rarely() ? at : at / alignment * alignment));
}
constexpr std::size_t room = behind / 2; // of each output

const char* text_of(const std::vector<const char*>& right) {
    static std::string made;
    if (rarely()) {
        return nullptr;
    }
    made = right[below(right.size())];
    if (rarely()) {
        made = made.substr(0, below(made.size() + 1)) + static_cast<char>(1 + below(255)) +
               right[below(right.size())];
    }
    return made.c_str();
}
const std::vector<const char*> rules{"top_p=0.9",
                                     "top_k=5",
                                     "top_k_fraction=.5",
                                     "max_p=.1",
                                     "threshold=.02",
                                     "nonzero",
                                     "tail_budget=1.5",
                                     "power(2):top_p=.9",
                                     "weighted:top_k=4",
                                     "cett=.1",
                                     "channel_thresholds",
                                     "centred(.5):top_p=.7",
                                     "guarded(64):top_p=.9",
                                     "at_least(3):threshold=1e9",
                                     "at_most(3):nonzero",
                                     "grouped_sum(16):top_p=.5",
                                     "grouped_norm(7):top_k=2",
                                     "(top_p=.5 | top_k=3) & threshold=1e-3",
                                     "top_p=1e",
                                     "(((((((((((((((((((((((((((((((nonzero",
                                     "top_k=99999999999999999999",
                                     ""};
const std::vector<const char*> site_rules{"top_p=.9@input",
                                          "top_p=.9",
                                          "cett=.1",
                                          "top_p=.5@gate",
                                          "nonzero@gate",
                                          "top_p=.9@input,intermediate",
                                          "max_p=.1@up;nonzero",
                                          "weighted:top_p=.5@input",
                                          "top_p=.9@nowhere",
                                          ";;@@,",
                                          "top_k=3@gate,up,gate"};
const std::vector<const char*> gatings{"silu",
                                       "gelu",
                                       "gelu_tanh",
                                       "relu",
                                       "relu2",
                                       "linear",
                                       "clipped_swiglu",
                                       "clipped_swiglu(1.7,7)",
                                       "nan",
                                       "limited_silu(7)",
                                       "sparse_gelu(.9)",
                                       "xielu(.5,.5)",
                                       "limited_silu(-1)",
                                       "xielu(",
                                       "sparse_gelu(.9,sample)"};

std::vector<tamis_rule*> made_rules(8);
std::vector<tamis_layer*> made_layers(12);
std::vector<tamis_plan*> made_plans(4);
/// One of them, null if there is none yet; by chance something else that is a handle.
template <class Handle>
Handle* handle(const std::vector<Handle*>& all) {
    void* other = nullptr;
    switch (rarely() ? below(3) : 9) {
        case 0: other = made_rules[0]; break;
        case 1: other = made_layers[0]; break;
        case 2: other = arena.data() + below(256) * 8; break;
        default: return all[below(all.size())];
    }
    return static_cast<Handle*>(other);
}

tamis_matrix matrix(std::size_t rows, std::size_t columns, std::size_t layout) {
    const char* format = below(3) == 0 ? tamis_format(below(32)) : "f32";
    std::size_t row = 0;
    if (format == nullptr || tamis_format_bytes(format, columns, &row, nullptr) != TAMIS_OK) {
        format = rarely() ? "q4_9" : "f32";
        row = columns * 4;
    }
    const std::size_t stride = below(2) == 0 ? 0 : size(row + below(40) - (rarely() ? 8 : 0));
    return {rarely() ? nullptr : format,
            rarely() ? static_cast<int>(below(9)) - 4 : static_cast<int>(layout),
            input<unsigned char>(),
            size(rows),
            size(columns),
            stride};
}

void run_in_turn(void* context, std::size_t count, void (*task)(void*, std::size_t), void* argument) {
    for (std::size_t i = 0; i < count; ++i) {
        task(argument, static_cast<bool>(*static_cast<int*>(context)) ? count - 1 - i : i);
    }
}
int backwards = 1;
tamis_threads threads() { return {size(below(5)), below(2) == 0 ? nullptr : run_in_turn, &backwards}; }
void see(void* context, const tamis_sighting* s) {
    for (std::size_t i = 0; i < s->count; ++i) {
        *static_cast<std::uint64_t*>(context) +=
            (s->values[i] == 0 ? 1u : 0u) + (s->words != nullptr ? s->words[i / 64] >> (i % 64) & 1 : 0);
    }
}

char error[TAMIS_ERROR_BYTES];
std::uint64_t told = 0;
std::size_t ran = 0, masked = 0, packed_so_far = 0;
std::size_t results[8];

bool keep(tamis_result r) {
    results[r]++;
    if (r != TAMIS_OK && (r > TAMIS_NO_MEMORY || std::strlen(error) < 10)) {
        std::printf("code %d: '%s'\n", r, error);
        std::exit(1);
    }
    return r == TAMIS_OK;
}
/// The same of a call that allocates nothing if it succeeds.
template <class Call>
bool keep_call(Call&& call) {
    const std::size_t before = allocations;
    const tamis_result r = call();
    if (r == TAMIS_OK && allocations != before) {
        std::printf("a call has allocated\n");
        std::exit(1);
    }
    return keep(r);
}
template <class Handle, class Free>
void put(std::vector<Handle*>& all, Handle* made, Free free_it) {
    Handle*& place = all[below(all.size())];
    free_it(place);
    place = made;
}

void make_layer() {
    static constexpr std::size_t widths[]{0, 1, 16, 32, 64, 96, 256};
    const std::size_t h = widths[below(std::size(widths))];
    const std::size_t d = below(3) == 0 ? widths[below(std::size(widths))] : below(150);
    tamis_layer* made = nullptr;
    if (below(3) == 0) {
        const bool by_inputs = below(2) == 0;
        const tamis_matrix w = by_inputs ? matrix(h, d, TAMIS_INPUT_MAJOR) : matrix(d, h, TAMIS_OUTPUT_MAJOR);
        const float* const bias = below(2) == 0 ? nullptr : input<float>();
        const char* const rule = below(2) == 0 ? nullptr : text_of(rules);
        const float* const numbers = below(2) == 0 ? nullptr : input<float>();
        if (keep(tamis_linear_new(rarely() ? nullptr : &w, bias, rule, numbers, static_cast<int>(below(2)),
                                  rarely() ? nullptr : &made, error))) {
            put(made_layers, made, tamis_layer_free);
        }
        return;
    }
    tamis_ffn_parts p;
    std::memset(&p, 0, sizeof p);
    p.size = rarely() ? below(400) : sizeof p;
    const bool up_inputs = below(2) == 0;
    const bool down_neurons = below(3) != 0;
    if (below(4) != 0) {
        p.gate = up_inputs ? matrix(h, d, TAMIS_INPUT_MAJOR) : matrix(d, h, TAMIS_NEURON_MAJOR);
    }
    p.up = up_inputs ? matrix(h, d, TAMIS_INPUT_MAJOR) : matrix(d, h, TAMIS_NEURON_MAJOR);
    p.down = down_neurons ? matrix(d, h, TAMIS_NEURON_MAJOR) : matrix(h, d, TAMIS_OUTPUT_MAJOR);
    p.gate_bias = below(2) == 0 ? nullptr : input<float>();
    p.up_bias = below(2) == 0 ? nullptr : input<float>();
    p.down_bias = below(2) == 0 ? nullptr : input<float>();
    const char* const gating = text_of(gatings);
    const std::string of_gating = gating == nullptr ? "" : gating; // text_of has one place
    p.gating = gating == nullptr ? nullptr : of_gating.c_str();
    p.masks_only = static_cast<int>(below(2));
    if (below(5) == 0) {
        p.plan = handle(made_plans);
        p.layer = size(below(3));
    } else if (below(3) != 0) {
        p.rules = text_of(site_rules);
    }
    for (const float*& numbers : p.numbers) {
        numbers = below(3) == 0 ? input<float>() : nullptr;
    }
    if (below(4) == 0) {
        p.neurons = input<std::uint64_t>();
        p.neuron_masks = size(below(4));
    }
    if (keep(tamis_ffn_new(rarely() ? nullptr : &p, rarely() ? nullptr : &made, error))) {
        put(made_layers, made, tamis_layer_free);
    }
}

void run_layer() {
    const tamis_layer* const layer = handle(made_layers);
    tamis_call c;
    std::memset(&c, 0, sizeof c);
    c.size = rarely() ? below(300) : sizeof c;
    c.type = rarely() ? static_cast<int>(below(9)) - 2 : static_cast<int>(below(2) * 2 + below(2) * below(2));
    c.x = input<float>();
    c.y = output<float>();
    c.tokens = size(below(7));
    std::size_t inputs = 0;
    std::size_t outputs = 0;
    keep(tamis_layer_sizes(layer, &inputs, &outputs, nullptr, error));
    c.x_stride = below(2) == 0 ? 0 : size(inputs + below(9) - (rarely() ? 4 : 0));
    c.y_stride = below(2) == 0 ? 0 : size(outputs + below(9) - (rarely() ? 4 : 0));
    c.tokens_at_a_time = below(3) == 0 ? size(below(7)) : 0;
    c.threads = threads();
    std::size_t bytes = 0;
    keep(tamis_layer_workspace(layer, c.tokens, c.threads.width, &bytes, error));
    c.workspace = output<unsigned char>();
    c.workspace_bytes = bytes <= room ? bytes - (rarely() && bytes > 9 ? 9 : 0) : room;
    tamis_counts counts{};
    c.counts = below(2) == 0 ? &counts : nullptr;
    c.observer = below(3) == 0 ? see : nullptr;
    c.observer_context = &told;
    ran += keep_call([&] { return tamis_layer_run(layer, rarely() ? nullptr : &c, error); }) ? 1 : 0;
}

void mask() {
    const tamis_rule* const rule = handle(made_rules);
    const auto type = rarely() ? static_cast<int>(below(12)) - 4 : static_cast<int>(below(5));
    const std::size_t rows = size(below(4));
    const std::size_t columns = size(below(400));
    const std::size_t step = size(below(8) == 0 ? below(5) : 1);
    const std::size_t stride = size(below(700));
    std::size_t bytes = 0;
    keep(tamis_rule_workspace(rule, type, columns, rarely() ? nullptr : &bytes, error));
    std::uint64_t active = 0;
    const std::size_t words = rarely() ? below(9) : size(40);
    const bool made = keep_call([&] {
        return tamis_rule_mask(rule, type, input<double>(), rows, columns, stride, step,
                               output<std::uint64_t>(), words, output<unsigned char>(),
                               bytes <= room ? bytes : room, below(2) == 0 ? &active : nullptr, error);
    });
    masked += made && rows * columns != 0 ? 1 : 0;
}

void make_rule() {
    tamis_rule* made = nullptr;
    if (keep(tamis_rule_new(text_of(rules), below(2) == 0 ? input<float>() : nullptr,
                            below(2) == 0 ? 0 : size(below(400)), rarely() ? nullptr : &made, error))) {
        put(made_rules, made, tamis_rule_free);
    }
}

void pack() {
    const tamis_matrix m = matrix(below(200), below(3) == 0 ? 256 : below(9) * 32, below(3));
    const char* const format =
        below(4) == 0 ? text_of({"q8_0", "bf16", "q4_k", "x"}) : tamis_format(below(4));
    const auto layout = static_cast<int>(below(3)) - (rarely() ? 1 : 0);
    std::size_t bytes = 0;
    keep(tamis_pack_bytes(rarely() ? nullptr : &m, format, layout, &bytes, error));
    tamis_matrix packed;
    const tamis_threads t = threads();
    packed_so_far +=
        keep(tamis_pack(&m, format, layout, output<unsigned char>(), bytes <= room ? bytes : room,
                        below(2) == 0 ? &t : nullptr, rarely() ? nullptr : &packed, error))
            ? 1
            : 0;
}

void make_plan() {
    static const std::string right =
        R"({"format":"tamis-calibration","version":2,"model":"m","source":"s","kind":"k","target":0.2,"tokens":9,"layers":2,"rules":[)"
        R"({"layer":0,"site":"intermediate","rule":"cett","value":0.1},{"layer":1,"site":"intermediate","rule":"top_k","value":5},)"
        R"({"layer":0,"site":"gate","rule":"channel_thresholds","values":[1,2,3]},{"layer":1,"site":"gate","rule":"top_p","value":0.5}]})";
    std::string text = right;
    for (std::size_t i = below(4); i-- > 0;) {
        text[below(text.size())] = static_cast<char>(below(256));
    }
    tamis_plan* made = nullptr;
    if (keep(tamis_plan_new(rarely() ? nullptr : text.data(), rarely() ? below(text.size()) : text.size(),
                            rarely() ? nullptr : &made, error))) {
        put(made_plans, made, tamis_plan_free);
    }
}

/// What is read as floats and weights: any bits, small numbers mostly.
void fill(std::size_t from, std::size_t bytes) {
    for (std::size_t i = from / 4; i < (from + bytes) / 4; ++i) {
        const std::uint64_t bits = engine();
        auto value = static_cast<std::uint32_t>(bits);
        if (bits >> 60 != 0) {
            const float f = static_cast<float>(value % 2048) / 1024.0f;
            std::memcpy(&value, &f, sizeof value);
        }
        std::memcpy(arena.data() + i * 4, &value, sizeof value);
    }
}

} // namespace

int main(int count, char** arguments) {
    const std::size_t calls = count > 1 ? std::strtoull(arguments[1], nullptr, 10) : 100000;
    engine.seed(count > 2 ? std::strtoull(arguments[2], nullptr, 10) : 1);
    fill(0, front);
    const auto made = [&] {
        std::size_t sum = 0;
        for (const std::size_t r : results) {
            sum += r;
        }
        return sum;
    };
    while (made() < calls) {
        switch (below(16)) {
            case 0: make_layer(); break;
            case 1:
            case 2: make_rule(); break;
            case 3: pack(); break;
            case 4: make_plan(); break;
            case 5:
                if (rarely()) {
                    fill(below(front / 2), 4096);
                }
                break;
            case 6:
            case 7:
            case 8:
            case 9: run_layer(); break;
            default: mask(); break;
        }
        error[0] = 0;
    }
    for (tamis_layer* l : made_layers) {
        tamis_layer_free(l);
    }
    for (tamis_rule* r : made_rules) {
        tamis_rule_free(r);
    }
    for (tamis_plan* p : made_plans) {
        tamis_plan_free(p);
    }
    std::printf(
        "%zu calls: %zu right, %zu wrong, %zu too small, %zu without memory; %zu layers ran, %zu masks and %zu packed matrices were made; "
        "observers saw %llu\n",
        made(), results[TAMIS_OK], results[TAMIS_WRONG], results[TAMIS_TOO_SMALL], results[TAMIS_NO_MEMORY],
        ran, masked, packed_so_far, static_cast<unsigned long long>(told));
    return 0;
}
