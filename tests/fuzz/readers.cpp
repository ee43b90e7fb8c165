// What reads files: any bytes are an error that says what is wrong, or a result that can be used.

#include "fuzz/target.hpp"

#include "../examples/ggml_backend/weight_name.hpp"
#include "input/tasks.hpp"
#include "input/text.hpp"
#include "model/checkpoint.hpp"
#include "model/node_name.hpp"
#include "model/tokenizer.hpp"

#include <tamis/study/calibrate/calibration_json.hpp>
#include <tamis/study/meter/effective_rank.hpp>
#include <tamis/study/meter/frequency.hpp>
#include <tamis/study/meter/outliers.hpp>
#include <tamis/study/meter/sparsity.hpp>
#include <tamis/study/meter/stability.hpp>
#include <tamis/study/meter/top_contexts.hpp>
#include <tamis/study/state.hpp>

#include <exception>
#include <new>
#include <string>

namespace {

app::source source_of(const fuzz::input& in) { return {"FILE", std::as_bytes(in.rest())}; }

/// Refusals are sentences; nothing else is thrown.
template <class Read>
void refused_or(const char* begin, Read&& read) {
    try {
        read();
    } catch (const std::bad_alloc&) {
        fuzz::wrong("more memory was asked for than there is");
    } catch (const app::error& e) {
        fuzz::need(std::string{e.what()}.find(begin) != std::string::npos,
                   "an error that does not say of what");
    } catch (const std::invalid_argument& e) {
        fuzz::need(std::string{e.what()}.find("tamis") == 0, "an error of another library's");
    }
}

/// The tokenizer of 261 tokens that texts are read with here.
const app::tokenizer& little_tokenizer() {
    static const std::vector<std::byte> bytes = [] {
        std::vector<std::byte> b;
        const auto add = [&](const void* p, std::size_t n) {
            b.insert(b.end(), static_cast<const std::byte*>(p), static_cast<const std::byte*>(p) + n);
        };
        const std::int32_t longest = 6;
        add(&longest, 4);
        for (int id = 0; id < 261; ++id) {
            const float score = static_cast<float>(-id);
            char name[8];
            std::snprintf(name, sizeof name, "<0x%02X>", static_cast<unsigned>(id - 3) & 0xff);
            const std::string piece = id == 0     ? "<unk>"
                                      : id == 1   ? "<s>"
                                      : id == 2   ? "</s>"
                                      : id < 259  ? name
                                      : id == 259 ? " "
                                                  : "th";
            const auto length = static_cast<std::int32_t>(piece.size());
            add(&score, 4);
            add(&length, 4);
            add(piece.data(), piece.size());
        }
        return b;
    }();
    static const app::tokenizer one{{"little", bytes}, 261};
    return one;
}

template <class Meter, class Use>
void check_words(Meter m, const std::vector<std::uint64_t>& words, Use use) {
    const auto before = tamis::study::to_words(m);
    try {
        tamis::study::from_words(m, words);
    } catch (const std::invalid_argument& e) {
        fuzz::need(std::string{e.what()}.find("tamis::study::from_words: ") == 0,
                   "words refused, but not by name");
        fuzz::need(tamis::study::to_words(m) == before, "words refused, and the meter changed");
        return;
    }
    fuzz::need(tamis::study::to_words(m) == words, "words taken, and others came back");
    Meter other{m};
    try {
        other.merge(m);
    } catch (const std::invalid_argument&) {
    }
    use(std::as_const(m));
}

} // namespace

void fuzz::checkpoint(input in) {
    const std::vector<std::byte> aligned(source_of(in).bytes.begin(),
                                         source_of(in).bytes.end()); // as a file's are
    refused_or("FILE", [&] {
        const app::checkpoint model = app::load_checkpoint({"FILE", aligned});
        double sum = 0;
        for (const auto& layer : model.layers) {
            sum += static_cast<double>(layer.w_down.front()) + static_cast<double>(layer.w_up.back());
        }
        need(sum == sum && model.classifier.size() == model.config.vocab_size * model.config.dim,
             "a checkpoint that is none");
    });
}

void fuzz::tokenizer(input in) {
    refused_or("FILE", [&] {
        const std::size_t vocabulary = 255 + in.below(64);
        const app::tokenizer tokens{source_of(in), vocabulary};
        const auto ids = tokens.encode("the cat \xc3\xa9\xff", [&](std::size_t, std::string_view c) {
            if (!tokens.has_unknown()) {
                throw app::error("FILE: ", tokens.lack_of(c));
            }
        });
        for (const auto id : ids) {
            need(id >= 0 && static_cast<std::size_t>(id) < tokens.vocab_size(), "a token that is not there");
        }
        (void)tokens.decode(ids);
    });
}

void fuzz::tasks(input in) {
    refused_or("", [&] {
        app::remarks notes;
        for (const app::task& t : app::load_tasks(source_of(in), little_tokenizer(), 64, notes)) {
            for (const app::question& q : t.questions) {
                need(q.answer < q.choices.size(), "an answer that is none of the choices");
                for (const auto& c : q.choices) {
                    need(c.run < q.runs.size() && c.tokens.size() > q.shared && c.tokens.size() <= 65,
                         "a choice of no run");
                }
            }
            need(app::chance_of(t) <= 0.5, "a chance above one in two");
        }
    });
}

void fuzz::plain_text(input in) {
    refused_or("", [&] {
        const std::size_t context = 2 + in.below(40);
        const app::windowing how{};
        app::remarks notes;
        const std::string text = app::plain_text(source_of(in), notes);
        need(text.find('\r') == std::string::npos, "a carriage return is left");
        const auto read =
            app::encode_text(text, "FILE", nullptr, "--stories", little_tokenizer(), context, how, notes);
        for (const auto& w : read.windows) {
            need(w.size() <= context, "a window longer than the context");
        }
    });
}

void fuzz::calibration(input in) {
    const std::string text = in.text();
    const auto reading = tamis::study::read_calibration(text);
    if (!reading) {
        need(reading.error.find("tamis calibration: ") == 0 && reading.error.size() < 2000,
             "a calibration refused without a sentence");
        return;
    }
    const std::string written = tamis::study::to_text(*reading.value);
    const auto again = tamis::study::read_calibration(written);
    need(static_cast<bool>(again) && tamis::study::to_text(*again.value) == written,
         "a calibration does not come back as it was written");
}

void fuzz::meter_words(input in) {
    const auto which = in.take<std::uint8_t>();
    std::vector<std::uint64_t> words;
    while (in.rest().size() >= 8) {
        words.push_back(in.take<std::uint64_t>());
    }
    using namespace tamis::study;
    using tamis::site;
    switch (which % 6) {
        case 0:
            return check_words(sparsity_meter{}, words, [](const auto& m) {
                need(m.sparsity(site::gate) >= 0, "a sparsity below 0");
            });
        case 1:
            return check_words(frequency_meter{site::gate}, words, [](const auto& m) {
                need(m.sorted().size() == m.active().size(), "frequencies that are not the neurons'");
            });
        case 2:
            return check_words(stability_meter{site::up}, words,
                               [](const auto& m) { need(m.mean_jaccard() >= 0, "a Jaccard below 0"); });
        case 3:
            return check_words(outliers_meter{}, words,
                               [](const auto& m) { (void)m.at(site::input).share_of_largest.mean(); });
        case 4:
            return check_words(effective_rank_meter{site::up}, words, [](const auto& m) {
                if (m.features() < 64) {
                    (void)m.effective_rank();
                }
            });
        default: return check_words(top_contexts{5, 3, site::gate}, words, [](const auto&) {});
    }
}

/// Names of weights and nodes, which come from files of others: what is taken out of one is what stands in it.
void fuzz::names(input in) {
    const std::string text = in.text();
    if (const auto name = tamis_ggml::name_of_weight(text)) {
        constexpr const char* kinds[] = {"gate", "up", "down"};
        std::string again = "blk." + std::to_string(name->layer) + ".ffn_" + kinds[name->which] +
                            (name->experts ? "_exps" : "") + ".weight";
        const std::size_t digits = text.find('.', 4) - 4, zeros = digits - std::to_string(name->layer).size();
        again.insert(4, std::string(zeros, '0'));
        need(again == text && name->layer < 1000000, "a weight's name that is another");
    }
    const long layer = app::layer_of(text);
    const std::size_t dash = text.rfind('-');
    const std::string behind = dash == std::string::npos ? "" : text.substr(dash + 1);
    const bool digits =
        !behind.empty() && behind.size() <= 6 && behind.find_first_not_of("0123456789") == std::string::npos;
    need(digits ? layer == std::strtol(behind.c_str(), nullptr, 10) : layer == -1,
         "a node's layer that is another");
}
