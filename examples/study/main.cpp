#include "commands/commands.hpp"
#include "error.hpp"
#include "options.hpp"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <new>
#include <string>

namespace {

/// The one line that a failure leaves.
int fail(std::string why) {
    std::replace(why.begin(), why.end(), '\n', ' ');
    std::fprintf(stderr, "tamis-study: %s\n", why.c_str());
    return 2;
}

} // namespace

int main(int argc, char** argv) {
    try {
        const auto commands = app::all_commands();
        if (const auto work = app::parse_options(argc, argv, commands)) {
            work();
        }
        if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
            return fail("standard output: cannot be written");
        }
        return 0;
    } catch (const app::error& e) {
        return fail(e.what());
    } catch (const std::bad_alloc&) {
        return fail("not enough memory");
    } catch (const std::exception& e) {
        return fail(app::line("unexpected: ", e.what()));
    }
}
