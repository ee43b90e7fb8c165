#include <tamis/exec/team.hpp>

#include "exec/support.hpp"
#include "support/message.hpp"

#include <array>
#include <atomic>
#include <barrier>
#include <thread>

namespace {

/// Threads that live through many calls, each entered by all of them, as an engine's do: a barrier ends a call.
template <class Call>
void as_engine(tamis::team& crew, std::size_t nth, std::size_t calls, Call&& call) {
    std::barrier node{static_cast<std::ptrdiff_t>(nth)};
    const auto work = [&](std::size_t ith) {
        for (std::size_t k = 0; k < calls; ++k) {
            crew.enter(ith, nth, [&](const tamis::team::members& threads) { call(threads, k); });
            node.arrive_and_wait();
        }
    };
    std::vector<std::thread> others;
    for (std::size_t i = 1; i < nth; ++i) {
        others.emplace_back(work, i);
    }
    work(0);
    for (std::thread& t : others) {
        t.join();
    }
}

} // namespace

TEST_CASE("an engine's threads that all enter") {
    tamis::team crew{8};
    CHECK(crew.most() == 8);
    for (const std::size_t nth : {8u, 1u, 2u, 3u}) { // those of one team may be fewer, and more again
        CAPTURE(nth);
        CHECK(crew.of(nth).width() == nth);
        as_engine(crew, nth, 1, [&](const tamis::team::members& threads, std::size_t) {
            CHECK(threads.width() == nth);
            check_executor(threads);
        });
    }
}

TEST_CASE("steps with fewer parts than threads, and calls without any") {
    for (const std::size_t nth : {2u, 3u, 8u}) {
        CAPTURE(nth);
        tamis::team crew{nth};
        std::size_t sum = 0;
        as_engine(crew, nth, 200, [&](const tamis::team::members& threads, std::size_t call) {
            for (std::size_t count = 0; count < call % 5; ++count) {
                std::vector<std::size_t> parts(count);
                threads.run(count, [&](std::size_t i) { parts[i] = i + 1; });
                for (const std::size_t p : parts) {
                    sum += p;
                }
            }
        });
        CHECK(sum == 40 * (1 + (1 + 3) + (1 + 3 + 6))); // counts to 1, 2 and 3, in calls that end there
    }
}

TEST_CASE("each part of a step is done once, whoever takes it") {
    // Steps as short as can be, so that threads meet at every ticket; until the others have had their share of them.
    constexpr std::size_t parts = 8;
    tamis::team crew{3};
    std::array<std::atomic<unsigned>, parts> times{};
    std::atomic<std::size_t> by_others{0};
    std::size_t steps = 0, wrong = 0;
    as_engine(crew, 3, 1, [&](const tamis::team::members& threads, std::size_t) {
        const auto first = std::this_thread::get_id();
        for (; steps < 40000 && by_others < 20000; ++steps) {
            threads.run(parts, [&](std::size_t i) {
                times[i].fetch_add(1, std::memory_order_relaxed);
                by_others.fetch_add(std::this_thread::get_id() != first ? 1 : 0, std::memory_order_relaxed);
            });
            for (const auto& t : times) {
                wrong += t.load(std::memory_order_relaxed) != steps + 1 ? 1u : 0u;
            }
        }
    });
    CHECK(wrong == 0);
}

TEST_CASE("nobody waits for a thread that comes late") {
    tamis::team crew{3};
    std::atomic<int> done{0};
    for (int call = 0; call < 3; ++call) { // thread 0 alone, though three are announced
        crew.enter(0, 3, [&](const tamis::team::members& threads) {
            threads.run(5, [&](std::size_t) { ++done; });
        });
    }
    CHECK(done == 15);
    for (int call = 0; call < 3; ++call) { // the others find it over
        crew.enter(1, 3, [](const tamis::team::members&) {});
        crew.enter(2, 3, [](const tamis::team::members&) {});
    }
}

#if defined(__cpp_exceptions)
TEST_CASE("a team says what is wrong with a number") {
    tamis::team crew{2};
    const auto nothing = [](const tamis::team::members&) {};
    CHECK(message_of([&] { crew.enter(0, 3, nothing); }) ==
          "tamis::team: it is for at most 2 threads, but 3 enter");
    CHECK(message_of([&] { crew.enter(2, 2, nothing); }) ==
          "tamis::team: of 2 threads, one is number 2; they count from 0");
    CHECK(message_of([] { tamis::team{-1}; }).find("got -1") != std::string::npos);
    CHECK(tamis::team{0}.most() == 1);
}
#endif
