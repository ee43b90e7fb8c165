#include <tamis/exec/callback.hpp>

#include <doctest/doctest.h>

#include <vector>

// An engine's threads behind a C function: what it is given is handed through, and without one the calling thread does all.

namespace {

struct counted_pool {
    std::size_t calls = 0;
    static void run(void* context, std::size_t count, tamis::callback::task t, void* argument) {
        ++static_cast<counted_pool*>(context)->calls;
        for (std::size_t i = count; i-- != 0;) { // in an order of its own
            t(argument, i);
        }
    }
};

} // namespace

TEST_CASE("an executor of a C function runs each task once") {
    static_assert(tamis::executor<tamis::callback>);
    counted_pool pool;
    for (const tamis::callback::function function :
         {&counted_pool::run, static_cast<tamis::callback::function>(nullptr)}) {
        const tamis::callback threads{3, function, &pool};
        std::vector<int> seen(5);
        threads.run(seen.size(), [&](std::size_t i) { ++seen[i]; });
        CHECK(seen == std::vector<int>(5, 1));
        CHECK(threads.width() == (function == nullptr ? 1 : 3));
    }
    CHECK(pool.calls == 1);
    CHECK(tamis::callback{0, &counted_pool::run, &pool}.width() == 1);
}
