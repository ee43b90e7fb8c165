#include "options.hpp"

#include "error.hpp"
#include "input/inputs.hpp"
#include "output/table.hpp"
#include "settings.hpp"
#include "suggest.hpp"

#include <tamis/version.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <string>
#include <thread>

namespace app {
namespace {

CLI::App& app_of(void* parser) { return *static_cast<CLI::App*>(parser); }

/// The options of every command, as strings where they are to be checked.
struct raw_common {
    common_options o;
    std::optional<std::string> sigma, rope_base, norm_eps, questions, threads, windows, draws, seed, context;

    void add_to(CLI::App& app) {
        const char* model = "The model and what it is measured with";
        app.set_version_flag("--version", line("tamis-study ", TAMIS_VERSION_MAJOR, '.', TAMIS_VERSION_MINOR,
                                               '.', TAMIS_VERSION_PATCH));
        app.add_option("--checkpoint", o.checkpoint, "a model in llama2.c's format, version 0")
            ->type_name("FILE")
            ->group(model);
        app.add_option("--tokenizer", o.tokenizer, "its tokenizer, llama2.c's format")
            ->type_name("FILE")
            ->group(model);
        app.add_option("--gguf", o.gguf,
                       "any model with gated FFNs that llama.cpp loads; it has its own tokenizer")
            ->type_name("FILE")
            ->group(model);
        app.add_option("--context", context, "tokens of a window (default: 512); with --gguf")
            ->type_name("N")
            ->group(model);
        app.add_flag(
               "--repack", o.repack,
               "with --gguf: weights rearranged for this CPU, as llama.cpp does by default: faster, rounded otherwise")
            ->group(model);
        app.add_option("--activation", sigma, "silu (default), gelu, relu or gelu_tanh")
            ->type_name("NAME")
            ->group(model);
        app.add_option("--rope-base", rope_base, "of the positions' angles, above 0 (default: 10000)")
            ->type_name("X")
            ->group(model);
        app.add_option("--norm-eps", norm_eps, "the epsilon of the RMS norms, above 0 (default: 1e-05)")
            ->type_name("X")
            ->group(model);
        app.add_option("--embedded", o.embedded, "only one of the embedded models: swiglu or reglu")
            ->type_name("NAME")
            ->group(model);
        app.add_option("--text", o.text, "stories to predict, separated by <|endoftext|>; -: standard input")
            ->type_name("FILE")
            ->group(model);
        app.add_option("--stories", o.stories,
                       line("only stories A .. B-1 of the text (embedded: the first ", embedded_stories, ")"))
            ->type_name("A:B")
            ->group(model);
        app.add_option(
               "--windows", windows,
               "of stories longer than the model's context read all: disjoint windows, or one every N tokens; "
               "chunks: as llama.cpp's perplexity (--gguf: what a text without separators gets)")
            ->type_name("chunks|disjoint|N")
            ->group(model);
        app.add_option("--tasks", o.tasks,
                       "multiple-choice questions: task, context, answer's index, choices; by tabs")
            ->type_name("FILE")
            ->group(model);
        app.add_option("--questions", questions,
                       line("only the first N questions of each task (embedded: ", embedded_questions, ")"))
            ->type_name("N")
            ->group(model);
        const char* results = "Results";
        app.add_option("--out", o.out,
                       "folder for report.md, report.json, tables as CSV and LaTeX, pictures as SVG and PDF")
            ->type_name("DIR")
            ->group(results);
        app.add_flag("--details", o.details, "print the whole report, not a screen of it")->group(results);
        app.add_flag("--json", o.json, "print the results as JSON")->group(results);
        app.add_flag("--csv", o.csv, "print the main table as CSV")->group(results);
        app.add_option("--threads", threads, "default: as many as the machine has; no figure depends on it")
            ->type_name("N")
            ->group(results);
        app.add_option("--draws", draws,
                       "of the stories, for 90 % intervals: the paired bootstrap (default: 1000; 0: none)")
            ->type_name("N")
            ->group(results);
        app.add_option("--seed", seed, "of these draws (default: 1)")->type_name("N")->group(results);
        app.add_flag("--per-token", o.per_token, "also per_token.csv, each token's loss in each row (large)")
            ->group(results);
        app.add_flag("--progress", o.plain_progress,
                     "say each step in a line, even where there is no terminal")
            ->group(results);
    }
    common_options checked() const {
        common_options c = o;
        if (c.gguf) {
            const char* const other = c.checkpoint  ? "--checkpoint"
                                      : c.tokenizer ? "--tokenizer"
                                      : sigma       ? "--activation"
                                      : rope_base   ? "--rope-base"
                                      : norm_eps    ? "--norm-eps"
                                      : c.embedded  ? "--embedded"
                                                    : nullptr;
            if (other != nullptr) {
                throw error(other, " does not go with --gguf, whose file says all of the model");
            }
            if (!c.text) {
                throw error("--text is needed with --gguf");
            }
        } else if (c.repack) {
            throw error("--repack needs --gguf: it rearranges a GGUF model's weights");
        } else if (context) {
            throw error("--context needs --gguf: other models have the context of their file");
        }
        if (context) {
            c.context = parse_count(*context, "--context", 1'000'000);
            if (*c.context < 8) {
                throw error("--context ", *context, ": 8 tokens are the least");
            }
        }
        if (c.gguf) {
        } else if (c.checkpoint) {
            if (!c.tokenizer) {
                throw error("--tokenizer is needed with --checkpoint");
            }
            if (!c.text) {
                throw error("--text is needed with --checkpoint");
            }
            if (c.embedded) {
                throw error(
                    "--embedded chooses one of the embedded models; it does not go with --checkpoint");
            }
        } else if (c.tokenizer || sigma || rope_base || norm_eps) {
            throw error(c.tokenizer ? "--tokenizer"
                        : sigma     ? "--activation"
                        : rope_base ? "--rope-base"
                                    : "--norm-eps",
                        " needs --checkpoint: the embedded models have their own");
        }
        if (c.json && c.csv) {
            throw error("--json and --csv: one of them at a time");
        }
        if (sigma) {
            c.sigma = parse_activation(*sigma);
        }
        if (rope_base) {
            c.rope_base = parse_positive(*rope_base, "--rope-base");
        }
        if (norm_eps) {
            c.norm_eps = parse_positive(*norm_eps, "--norm-eps");
        }
        if (questions) {
            c.questions = parse_count(*questions, "--questions", 1'000'000);
        }
        if (draws) {
            c.sure.draws = *draws == "0" ? 0 : parse_count(*draws, "--draws", 1'000'000);
        }
        if (seed) {
            c.sure.seed = parse_count(*seed, "--seed", 1'000'000'000);
        }
        if (windows) {
            c.windows = windowing::parse(*windows);
        }
        c.threads = threads ? parse_count(*threads, "--threads", 1024)
                            : std::max(1u, std::thread::hardware_concurrency());
        return c;
    }
};

/// A word as a shell takes it.
std::string for_a_shell(const std::string& word) {
    if (!word.empty() &&
        word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "-_=+.,:/@%") == std::string::npos) {
        return word;
    }
    std::string text = "'";
    for (const char c : word) {
        text += c == '\'' ? "'\\''" : std::string(1, c);
    }
    return text + "'";
}

/// "--checkpoint, --tokenizer, ...": the options of every command.
std::string names_of(const std::vector<CLI::Option*>& options) {
    std::string names;
    for (const CLI::Option* const o : options) {
        if (const std::string name = o->get_name(); name.find("--help") == std::string::npos) {
            names += (names.empty() ? "" : ", ") + name;
        }
    }
    return names;
}
/// What --help of a command says behind its options: the lesson, what the words mean that its options take, what is left to
/// defaults, and which options all commands have.
std::string footer_of(const command& c, const CLI::App& own, const std::string& common) {
    std::string text = c.lesson();
    std::replace(text.begin(), text.end(), '\n', ' ');
    text = wrapped(text, 100);
    text.pop_back(); // its last line's end
    if (own.get_option_no_throw("--sites") != nullptr) {
        text +=
            "\n\nSites: input is the FFN's x, gate is sigma(W_gate x), up is W_up x, intermediate is their product. "
            "all_inputs:\nthe input, and the intermediate of what that leaves: everything that a matrix of the FFN "
            "is given.";
    }
    if (own.get_option_no_throw("--rule") != nullptr) {
        text += "\n\nRules, what their value is, and which are tried unless --values says otherwise:";
        for (const rule_family& f : rule_families()) {
            const std::string name = f.name;
            text +=
                line("\n  ", name, std::string(15 - std::min<std::size_t>(15, name.size()), ' '), f.meaning,
                     f.most == 1 ? ", 0 .. 1" : ", 0 or more", "\n", std::string(17, ' '), f.default_values);
        }
    }
    text += line("\n\nWithout --checkpoint both embedded models are measured, on the first ",
                 embedded_stories, " stories of their text and the first\n", embedded_questions,
                 " questions of each task, unless --stories and --questions say otherwise.");
    return text + "\n\n" +
           wrapped("All commands take " + common + "; tamis-study --help says what they are.", 100);
}

/// What was meant by words that are no option and no command.
std::string guess_at(const std::vector<std::string>& words, const CLI::App& app,
                     const std::vector<std::unique_ptr<command>>& commands,
                     const std::vector<CLI::App*>& parsers) {
    std::vector<std::string> options, names;
    const auto take = [&](const CLI::App& from) {
        for (const CLI::Option* const o : from.get_options()) {
            for (const std::string& name : o->get_lnames()) {
                options.push_back("--" + name);
            }
        }
    };
    take(app);
    for (std::size_t i = 0; i < parsers.size(); ++i) {
        take(*parsers[i]);
        names.emplace_back(commands[i]->name());
    }
    for (const std::string& whole : words) {
        const std::string word = whole.substr(0, whole.find('='));
        for (std::size_t i = 0; i < parsers.size(); ++i) {
            if (word.starts_with("--") && parsers[i]->get_option_no_throw(word) != nullptr) {
                return "; " + word + " is an option of " + commands[i]->name();
            }
        }
        const std::string meant = did_you_mean(word, word.starts_with("-") ? options : names);
        if (!meant.empty()) {
            return meant;
        }
    }
    return {};
}

} // namespace

void option_adder::add(const char* name, std::string& value, const char* help, const char* type) const {
    app_of(parser_).add_option(name, value, help)->type_name(type);
}
void option_adder::add(const char* name, std::optional<std::string>& value, const char* help,
                       const char* type) const {
    app_of(parser_).add_option(name, value, help)->type_name(type);
}
void option_adder::flag(const char* name, bool& value, const char* help) const {
    app_of(parser_).add_flag(name, value, help);
}

std::function<void()> parse_options(int argc, char** argv,
                                    const std::vector<std::unique_ptr<command>>& commands) {
    raw_common common;
    CLI::App app{
        "Measures what activation sparsity does to a language model: which entries of its feed-forward layers\n"
        "can be left out, where, by which rule, and what that costs. Without --checkpoint it measures two small\n"
        "models of its own, SwiGLU and ReGLU twins. Without a command it sweeps.\n"};
    common.add_to(app);
    const auto fresh_group = [](CLI::App& a, command& c) {
        a.option_defaults()->group(std::string{"Of the command "} + c.name());
        c.add_options(option_adder{&a});
    };
    const std::size_t common_count = app.get_options().size();
    const std::string common_names = names_of(app.get_options());
    for (int i = 0; i < argc; ++i) {
        const std::string word = i == 0 ? "tamis-study" : argv[i];
        common.o.command_line += (i == 0 ? "" : " ") + for_a_shell(word);
    }
    fresh_group(app, *commands.front());
    const auto of_front = app.get_options();
    std::vector<CLI::App*> parsers;
    for (const auto& c : commands) {
        CLI::App* sub = app.add_subcommand(c->name(), c->help());
        sub->fallthrough(); // the options above may stand behind the command, too
        fresh_group(*sub, *c);
        sub->footer(footer_of(*c, *sub, common_names));
        parsers.push_back(sub);
    }
    app.require_subcommand(0, 1);
    app.footer("tamis-study COMMAND --help says more about one command.");
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        std::fputs(app.help().c_str(), stdout);
        return {};
    } catch (const CLI::CallForVersion& e) {
        std::puts(e.what());
        return {};
    } catch (const CLI::ExtrasError& e) {
        throw error(e.what(), guess_at(app.remaining(true), app, commands, parsers),
                    " (--help lists the options)");
    } catch (const CLI::ParseError& e) {
        throw error(e.what(), " (--help lists the options)");
    }
    command* chosen = commands.front().get();
    for (std::size_t i = 0; i < parsers.size(); ++i) {
        chosen = parsers[i]->parsed() ? commands[i].get() : chosen;
    }
    parsers.push_back(&app);
    for (CLI::App* const parser : parsers) {
        for (const CLI::Option* const option : parser->get_options()) {
            const std::string type = option->get_type_name();
            const auto& given = option->results();
            if ((type == "FILE" || type == "DIR") &&
                std::find(given.begin(), given.end(), "") != given.end()) {
                throw error(option->get_name(), " \"\": the name of a ", type == "DIR" ? "folder" : "file",
                            " is needed");
            }
        }
    }
    for (std::size_t i = common_count; chosen != commands.front().get() && i < of_front.size(); ++i) {
        if (of_front[i]->count() > 0) {
            throw error(of_front[i]->get_name(), ": an option of ", commands.front()->name(), ", not of ",
                        chosen->name(), " (whose own options go behind it)");
        }
    }
    common_options o = common.checked();
    chosen->check();
    o.notes.merge(chosen->notes);
    return [chosen, o] { chosen->run(o); };
}

} // namespace app
