#include "commands/origin.hpp"

#include "error.hpp"
#include "input/inputs.hpp"
#include "model/embedded.hpp"
#include "model/engine.hpp"
#include "model/sha256.hpp"

#include <tamis/version.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <ctime>
#include <string>
#include <utility>

namespace app {
namespace {

/// What the program was compiled for, which is what ran.
const char* instruction_set() {
#if defined(__AVX512BW__)
    return "x86-64 with AVX-512";
#elif defined(__AVX2__)
    return "x86-64 with AVX2";
#elif defined(__AVX__)
    return "x86-64 with AVX";
#elif defined(__x86_64__) || defined(_M_X64)
    return "x86-64 with SSE2";
#elif defined(__aarch64__)
    return "aarch64 with NEON";
#elif defined(__riscv)
    return "RISC-V";
#else
    return "no SIMD that is known here";
#endif
}
std::string now() {
    const std::time_t time = std::time(nullptr);
    char text[32] = "";
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&time));
    return text;
}
std::string hash_of_file(const std::string& path) {
    if (path == "-") {
        return sha256(static_cast<source>(file::standard_input()).bytes);
    }
    const file bytes{path};
    return sha256(static_cast<source>(bytes).bytes);
}
std::string weights_of(const common_options& o, const subject& s) {
    if (o.checkpoint || o.gguf) {
        return hash_of_file(o.gguf ? *o.gguf : *o.checkpoint);
    }
    for (const auto& twin : embedded_models()) {
        if (s.label == twin.label) {
            return sha256(twin.checkpoint.bytes);
        }
    }
    return {};
}
/// "0:75", or "all".
std::string range_of(const common_options& o) {
    const std::string range = o.stories ? *o.stories : o.text ? ":" : line(":", embedded_stories);
    return range == ":" ? "all" : (range.starts_with(':') ? "0" : "") + range;
}

/// Whether two ranges as range_of has them hold a story in common; what is no range holds none.
bool overlap(const std::string& a, const std::string& b) {
    constexpr auto parse = [](const std::string& range) {
        std::pair<std::uint64_t, std::uint64_t> ends{0, range == "all" ? UINT64_MAX : 0};
        const std::size_t colon = range.find(':');
        if (colon != std::string::npos) {
            const char* const end = range.data() + range.size();
            std::from_chars(range.data(), end, ends.first);
            ends.second = UINT64_MAX; // of "5:"
            std::from_chars(range.data() + colon + 1, end, ends.second);
        }
        return ends;
    };
    const auto x = parse(a), y = parse(b);
    return std::max(x.first, y.first) < std::min(x.second, y.second);
}

/// Of intervals, where there are any.
template <class Options>
void add_draws(provenance& made, const Options& o) {
    if constexpr (requires { o.sure.seed; }) {
        made.add("seed", std::to_string(o.sure.seed));
        made.add("draws", std::to_string(o.sure.draws));
    }
}

} // namespace

provenance provenance_of(const common_options& o) {
    provenance made;
    made.add("command", o.command_line);
    made.add("program",
             line("tamis-study ", TAMIS_VERSION_MAJOR, '.', TAMIS_VERSION_MINOR, '.', TAMIS_VERSION_PATCH));
    made.add("date", now());
    made.add("instruction_set", instruction_set());
    made.add("threads", std::to_string(o.threads));
    add_draws(made, o);
    return made;
}

provenance provenance_of(const common_options& o, const subject& s) {
    provenance made = provenance_of(o);
    made.add("model", s.name);
    made.add("model_sha256", weights_of(o, s));
    made.add("activation", name(s.sigma));
    if (s.model.runs_in) {
        made.add("engine", "llama.cpp: " + s.model.runs_in->describe());
        made.add("context", std::to_string(s.model.config.seq_len));
    } else {
        made.add("tokenizer_sha256",
                 o.tokenizer ? hash_of_file(*o.tokenizer) : sha256(embedded_tokenizer().bytes));
        made.add("rope_base", line(s.model.config.rope_base));
        made.add("norm_eps", line(s.model.config.norm_eps));
    }
    made.add("text", s.text_name);
    made.add("text_sha256", o.text ? hash_of_file(*o.text) : sha256(embedded_text().bytes));
    made.add("stories", range_of(o));
    made.add("tokens_hash", s.text_hash);
    made.add("predictions", std::to_string(s.predictions()));
    if (!s.tasks.empty()) {
        made.add("tasks_sha256", o.tasks ? hash_of_file(*o.tasks) : sha256(embedded_tasks().bytes));
        std::string counts;
        for (const auto& t : s.tasks) {
            counts += line(counts.empty() ? "" : ", ", t.name, ": ", t.questions.size());
        }
        made.add("questions", counts);
    }
    return made;
}

void note_origin(remarks& notes, const tamis::study::calibration& c, const std::string& path,
                 const common_options& o, const subject& s) {
    if (!c.weights.empty() && c.weights != "sha256:" + weights_of(o, s)) {
        notes.add(path, ": its thresholds were found for other weights (", c.model, ", ",
                  c.weights.substr(0, 15), "...) than those of ", s.name);
    }
    if (c.source.ends_with(", hash " + s.text_hash)) {
        notes.add(path,
                  ": its thresholds were chosen on this very text, so that they may do worse on others");
    } else if (c.source.starts_with("text " + s.text_name + ", stories ") &&
               overlap(c.stories, range_of(o))) {
        notes.add(path, ": its thresholds were chosen on stories ", c.stories, " of ", s.text_name,
                  ", of which some are measured here: they may do worse on others");
    }
}

void say_origin(tamis::study::calibration& c, const common_options& o, const subject& s) {
    c.source = "text " + s.text_name + ", stories " + range_of(o) + ", hash " + s.text_hash;
    c.weights = "sha256:" + weights_of(o, s);
    c.stories = range_of(o);
}

} // namespace app
