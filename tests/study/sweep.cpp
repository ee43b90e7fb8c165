#include <tamis/study/exact_total.hpp>
#include <tamis/study/sweep.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace sweep_test {

using namespace tamis;
using namespace tamis::study;

namespace {

/// Which parts it is of, and a sum whose rounding would show an order.
struct seen {
    std::multiset<std::size_t> parts;
    exact_total sum;

    void merge(const seen& other) {
        parts.insert(other.parts.begin(), other.parts.end());
        sum.merge(other.sum);
    }
};
static_assert(mergeable_result<seen> && !mergeable_result<int>);

/// Threads that are made for a call. What a task throws comes out of no thread: sweep has to catch it.
struct some_threads {
    std::size_t count;

    std::size_t width() const { return count; }
    template <class Task>
    void run(std::size_t tasks, Task&& task) const {
        std::vector<std::thread> all;
        for (std::size_t t = 0; t < tasks; ++t) {
            all.emplace_back([&, t] { task(t); });
        }
        for (auto& one : all) {
            one.join();
        }
    }
};
static_assert(executor<some_threads>);

constexpr auto look = [](std::size_t trial, std::size_t part, seen& r) {
    r.parts.insert(part);
    r.sum.add(1.0 / static_cast<double>(1 + trial + 7 * part));
};
constexpr auto make_look = [] { return look; };
constexpr auto ignore_finished = [](std::size_t, const seen&) {};
constexpr auto ignore_progress = [](const sweep_progress&) {};

} // namespace

TEST_CASE("sweep: every trial meets every part once, whatever the threads") {
    for (const std::size_t threads : {1u, 2u, 3u, 16u}) {
        for (const auto& size : {std::pair{1u, 1u}, {1u, 100u}, {7u, 1u}, {5u, 33u}, {3u, 1000u}}) {
            const std::size_t trials = size.first, parts = size.second; // clang 14 captures no bindings
            CAPTURE(threads);
            CAPTURE(parts);
            const auto results = sweep(trials, parts, seen{}, some_threads{threads}, make_look,
                                       ignore_finished, ignore_progress);
            REQUIRE(results.size() == trials);
            for (std::size_t trial = 0; trial < trials; ++trial) {
                exact_total plain;
                REQUIRE(results[trial].parts.size() == parts);
                for (std::size_t part = 0; part < parts; ++part) {
                    CHECK(results[trial].parts.count(part) == 1);
                    plain.add(1.0 / static_cast<double>(1 + trial + 7 * part));
                }
                CHECK(results[trial].sum == plain); // to the bit
            }
        }
    }
}

TEST_CASE("sweep: finished trials come in their order, whole, by one thread at a time") {
    for (const std::size_t threads : {1u, 4u}) {
        std::vector<std::size_t> order;
        std::atomic<int> inside{0};
        bool alone = true;
        sweep(
            20, 13, seen{}, some_threads{threads},
            [] {
                return [](std::size_t trial, std::size_t part, seen& r) {
                    if (trial % 3 == 0) { // the others overtake
                        std::this_thread::sleep_for(std::chrono::microseconds{200});
                    }
                    look(trial, part, r);
                };
            },
            [&](std::size_t trial, const seen& r) {
                alone = alone && inside.fetch_add(1) == 0;
                order.push_back(trial);
                CHECK(r.parts.size() == 13);
                inside.fetch_sub(1);
            },
            ignore_progress);
        CHECK(alone);
        REQUIRE(order.size() == 20);
        for (std::size_t i = 0; i < order.size(); ++i) {
            CHECK(order[i] == i);
        }
    }
}

TEST_CASE("sweep: progress rises to the number of pairs") {
    for (const std::size_t threads : {1u, 4u}) {
        std::size_t last = 0;
        bool rises = true;
        sweep(6, 50, seen{}, some_threads{threads}, make_look, ignore_finished, [&](const sweep_progress& p) {
            rises = rises && p.done > last && p.all == 300;
            last = p.done;
        });
        CHECK(rises);
        CHECK(last == 300);
    }
}

TEST_CASE("sweep: a worker a thread, each with memory of its own") {
    std::mutex guard;
    std::set<std::thread::id> makers;
    std::size_t made = 0;
    std::atomic<std::size_t> moved = 0;
    sweep(
        2, 100, seen{}, some_threads{3},
        [&] {
            {
                const std::lock_guard lock{guard};
                makers.insert(std::this_thread::get_id());
                ++made;
            }
            return
                [&moved, calls = 0, maker = std::this_thread::get_id()](std::size_t trial, std::size_t part,
                                                                        seen& r) mutable {
                    ++calls; // would be a race if it were shared
                    look(trial, part, r);
                    moved += maker != std::this_thread::get_id() ? 1u : 0u;
                };
        },
        ignore_finished, ignore_progress);
    CHECK(moved == 0);
    CHECK(made == 3);
    CHECK(makers.size() == 3);
}

TEST_CASE("sweep: sums begin at the fresh result") {
    seen fresh;
    fresh.sum.add(0.0); // counts
    const auto results = sweep(1, 4, fresh, serial{}, make_look, ignore_finished, ignore_progress);
    CHECK(results[0].parts.size() == 4);
    CHECK(results[0].sum.count() > 4);
}

TEST_CASE("sweep: no trial gives no result, no part gives fresh ones; nothing is called") {
    std::size_t calls = 0;
    const auto count = [&](auto&&...) { ++calls; };
    const auto worker = [&] { return [&](std::size_t, std::size_t, seen&) { ++calls; }; };
    for (const std::size_t threads : {1u, 4u}) {
        CHECK(sweep(0, 10, seen{}, some_threads{threads}, worker, count, count).empty());
        CHECK(sweep(0, 0, seen{}, some_threads{threads}, worker, count, count).empty());
        const auto results = sweep(3, 0, seen{}, some_threads{threads}, worker, count, count);
        CHECK(results.size() == 3);
        CHECK(results[0].parts.empty());
    }
    CHECK(calls == 0);
}

TEST_CASE("sweep: an executor of no width works on one") {
    const auto results = sweep(2, 5, seen{}, some_threads{0}, make_look, ignore_finished, ignore_progress);
    CHECK(results[1].parts.size() == 5);
}

#if defined(__cpp_exceptions)
TEST_CASE("sweep: the first exception of a worker ends it and comes out") {
    for (const std::size_t threads : {1u, 4u}) {
        std::atomic<std::size_t> calls{0};
        std::atomic<bool> thrown{false};
        std::vector<std::size_t> order;
        std::string why;
        try {
            sweep(
                1000, 10, seen{}, some_threads{threads},
                [&] {
                    return [&](std::size_t trial, std::size_t part, seen& r) {
                        ++calls;
                        if (thrown) { // time enough for the news to spread
                            std::this_thread::sleep_for(std::chrono::milliseconds{1});
                        }
                        if (trial == 3 && part == 5) {
                            thrown = true;
                            throw std::runtime_error{"no more"};
                        }
                        look(trial, part, r);
                    };
                },
                [&](std::size_t trial, const seen&) { order.push_back(trial); }, ignore_progress);
        } catch (const std::runtime_error& e) {
            why = e.what();
        }
        CHECK(why == "no more");
        CHECK(calls < 9000); // of 10000, on however busy a machine
        for (std::size_t i = 0; i < order.size(); ++i) {
            CHECK(order[i] == i);
        }
        CHECK(order.size() <= 3); // trial 3 never was finished, and none behind it
    }
}

TEST_CASE("sweep: what making a worker, finished or progress throws comes out as well") {
    for (const std::size_t threads : {1u, 4u}) {
        const auto throws = [](auto&&...) { throw std::runtime_error{"no"}; };
        CHECK_THROWS_AS(sweep(
                            5, 5, seen{}, some_threads{threads},
                            [] {
                                throw std::runtime_error{"no"};
                                return look;
                            },
                            ignore_finished, ignore_progress),
                        std::runtime_error);
        CHECK_THROWS_AS(sweep(5, 5, seen{}, some_threads{threads}, make_look, throws, ignore_progress),
                        std::runtime_error);
        CHECK_THROWS_AS(sweep(5, 5, seen{}, some_threads{threads}, make_look, ignore_finished, throws),
                        std::runtime_error);
    }
}
#endif

} // namespace sweep_test
