#pragma once

#include "input/windows.hpp"
#include "measure/confidence.hpp"
#include "model/activation.hpp"
#include "remarks.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace app {

/// What every command is told: the model, its text and tasks, and where results go.
struct common_options {
    std::optional<std::string> checkpoint, tokenizer, text, tasks, stories, out, embedded, gguf;
    std::optional<std::size_t> context; ///< of a GGUF model's windows
    std::optional<activation> sigma;
    std::optional<float> rope_base, norm_eps; ///< what a llama2.c file does not say
    std::optional<std::size_t> questions;     ///< of each task
    windowing windows;
    confidence sure{};      ///< of intervals
    bool per_token = false; ///< per_token.csv is wanted
    std::size_t threads = 1;
    bool repack = false; ///< a GGUF model's weights, for this CPU
    bool json = false, csv = false, plain_progress = false, details = false;
    std::string command_line; ///< as it was typed, quoted for a shell
    remarks notes{};          ///< on the options, the command's too
};

/// Adds a command's own options to the command line. They are strings, checked by the command once all is read.
class option_adder {
  public:
    explicit option_adder(void* parser) : parser_{parser} {}
    void add(const char* name, std::string& value, const char* help, const char* type) const;
    void add(const char* name, std::optional<std::string>& value, const char* help, const char* type) const;
    void flag(const char* name, bool& value, const char* help) const;

  private:
    void* parser_; ///< CLI11's; only options.cpp knows it, since it takes seconds to compile
};

/// One of the program's commands: a class with its options as members.
class command {
  public:
    virtual ~command() = default;
    virtual const char* name() const = 0;
    virtual const char* help() const = 0;   ///< one line, for the list of commands
    virtual const char* lesson() const = 0; ///< a paragraph, for --help behind the command
    virtual void add_options(const option_adder& to) = 0;
    virtual void check() {} ///< of its own options, before any file is opened
    virtual void run(const common_options& o) = 0;

    remarks notes; ///< on its own options, from check()
};

/// The command line, checked: what is to be run. Empty when it only asked for help (which is then printed). A line without
/// a command is one for commands.front().
std::function<void()> parse_options(int argc, char** argv,
                                    const std::vector<std::unique_ptr<command>>& commands);

} // namespace app
