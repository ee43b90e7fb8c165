#include "options.hpp"

#include "error.hpp"
#include "settings.hpp"

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
    std::optional<std::string> sigma, rope_base, norm_eps, questions, threads, windows, draws, seed;

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
        app.add_option("--activation", sigma, "silu (default), gelu or relu")
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
        app.add_option("--stories", o.stories, "only stories A .. B-1 of the text")
            ->type_name("A:B")
            ->group(model);
        app.add_option(
               "--windows", windows,
               "of stories longer than the model's context read all: disjoint windows, or one every N tokens")
            ->type_name("disjoint|N")
            ->group(model);
        app.add_option("--tasks", o.tasks,
                       "multiple-choice questions: task, context, answer's index, choices; by tabs")
            ->type_name("FILE")
            ->group(model);
        app.add_option("--questions", questions, "only the first N questions of each task")
            ->type_name("N")
            ->group(model);
        const char* results = "Results";
        app.add_option("--out", o.out, "folder for report.md, report.json, tables as CSV, pictures as SVG")
            ->type_name("DIR")
            ->group(results);
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
        if (c.checkpoint) {
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
    fresh_group(app, *commands.front());
    const auto of_front = app.get_options();
    std::vector<CLI::App*> parsers;
    for (const auto& c : commands) {
        CLI::App* sub = app.add_subcommand(c->name(), c->help());
        sub->fallthrough(); // the options above may stand behind the command, too
        fresh_group(*sub, *c);
        sub->footer(c->lesson());
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
