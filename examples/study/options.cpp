#include "options.hpp"

#include "error.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <string>
#include <thread>

namespace study {
namespace {

std::size_t parse_count(const std::string& text, const char* option, std::size_t most) {
    const bool digits =
        !text.empty() && text.size() < 10 && text.find_first_not_of("0123456789") == std::string::npos;
    const std::size_t count = digits ? std::stoul(text) : 0;
    if (count < 1 || count > most) {
        throw error(option, " \"", text, "\": a whole number from 1 to ", most, " is needed");
    }
    return count;
}

} // namespace

std::optional<options> parse_options(int argc, char** argv) {
    options o;
    std::string sites = "input,gate,up,intermediate,all_inputs", rule = "top_p";
    std::optional<std::string> sigma, values, questions, threads;

    CLI::App app{
        "Measures what activation sparsity does to a model: a sweep of a rule over the sites of the FFN.\n"
        "Without --checkpoint it measures two small models of its own, SwiGLU and ReGLU twins.\n"};
    app.add_option("--checkpoint", o.checkpoint, "a model in llama2.c's format, version 0")
        ->type_name("FILE");
    app.add_option("--tokenizer", o.tokenizer, "its tokenizer, llama2.c's format")->type_name("FILE");
    app.add_option("--text", o.text, "stories to predict, separated by <|endoftext|>")->type_name("FILE");
    app.add_option("--tasks", o.tasks,
                   "multiple-choice questions: task, context, answer's index, choices; by tabs")
        ->type_name("FILE");
    app.add_option("--stories", o.stories, "only stories A .. B-1 of the text")->type_name("A:B");
    app.add_option("--questions", questions, "only the first N questions of each task")->type_name("N");
    app.add_option("--activation", sigma, "silu (default), gelu or relu")->type_name("NAME");
    app.add_option("--sites", sites, "out of input,gate,up,intermediate,all_inputs (default: all)")
        ->type_name("LIST");
    app.add_option("--rule", rule, "top_p (default), top_k, max_p or threshold")->type_name("NAME");
    app.add_option("--values", values, "the rule's parameters, such as 0.99,0.9")->type_name("LIST");
    app.add_option("--out", o.out, "folder for results.csv, report.md and sweep.svg")->type_name("DIR");
    app.add_option("--threads", threads, "default: as many as the machine has")->type_name("N");
    app.add_flag("--progress", o.plain_progress, "say each step in a line, even where there is no terminal");
    app.add_subcommand("sweep", "what happens without a command, too")->fallthrough();
    app.require_subcommand(0, 1);
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        std::fputs(app.help().c_str(), stdout);
        return std::nullopt;
    } catch (const CLI::ParseError& e) {
        throw error(e.what(), " (--help lists the options)");
    }

    if (o.checkpoint) {
        if (!o.tokenizer) {
            throw error("--tokenizer is needed with --checkpoint");
        }
        if (!o.text) {
            throw error("--text is needed with --checkpoint");
        }
    } else if (o.tokenizer || sigma) {
        throw error(o.tokenizer ? "--tokenizer" : "--activation",
                    " needs --checkpoint: the embedded models have their own");
    }
    if (sigma) {
        o.sigma = parse_name<activation>(activation_names, *sigma, "--activation", "activation");
    }
    o.sites = parse_sites(sites);
    o.rule = parse_name<rule_choice>(rule_names, rule, "--rule", "rule");
    o.values = parse_values(values.value_or(domain(o.rule).default_values), o.rule);
    if (questions) {
        o.questions = parse_count(*questions, "--questions", 1'000'000);
    }
    o.threads = threads ? parse_count(*threads, "--threads", 1024)
                        : std::max(1u, std::thread::hardware_concurrency());
    return o;
}

} // namespace study
