#include <tamis/study/exact_total.hpp>
#include <tamis/study/sweep_over.hpp>

#include "support/message.hpp"
#include "support/thread_ranks.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>

namespace sweep_over_test {

using namespace tamis;
using namespace tamis::study;

namespace {

struct told_parts {
    std::uint64_t count = 0;
    exact_total sum;

    void merge(const told_parts& other) {
        count += other.count;
        sum.merge(other.sum);
    }
    template <class Archive>
    void state(Archive& a) {
        a(count, sum);
    }
};

constexpr auto tell = [](std::size_t trial, std::size_t part, told_parts& r) {
    ++r.count;
    r.sum.add(1.0 / static_cast<double>(1 + trial + 7 * part));
};
constexpr auto finished_unseen = [](std::size_t, const told_parts&) {};
constexpr auto progress_unseen = [](const sweep_progress&) {};

} // namespace

TEST_CASE("a sweep over ranks has a sweep's results, on every rank") {
    const auto expected = sweep(
        5, 13, told_parts{}, serial{}, [] { return tell; }, finished_unseen, progress_unseen);
    for (const std::size_t size : {1u, 2u, 4u}) {
        std::vector<std::size_t> order;
        std::size_t last_done = 0;
        thread_ranks{size}.run([&](const thread_ranks::one& ranks) {
            const auto got = sweep_over(
                ranks, 5, 13, told_parts{}, [] { return tell; },
                [&](std::size_t trial, const told_parts& r) {
                    order.push_back(trial); // on rank 0 alone
                    CHECK(r.count == 13);
                },
                [&](const sweep_progress& p) { last_done = p.done; });
            REQUIRE(got.size() == expected.size());
            for (std::size_t i = 0; i < got.size(); ++i) {
                CHECK(got[i].count == 13);
                CHECK(got[i].sum.mean() == expected[i].sum.mean());
            }
        });
        CHECK(order == std::vector<std::size_t>{0, 1, 2, 3, 4});
        CHECK(last_done == 65);
    }
    thread_ranks{3}.run([](const thread_ranks::one& ranks) { // nothing to do
        CHECK(sweep_over(
                  ranks, 0, 13, told_parts{}, [] { return tell; }, finished_unseen, progress_unseen)
                  .empty());
        CHECK(sweep_over(
                  ranks, 2, 0, told_parts{}, [] { return tell; }, finished_unseen, progress_unseen)[1]
                  .count == 0);
    });
}

TEST_CASE("a rank that is slow gets less to do") {
    std::atomic<int> done_by[2]{};
    thread_ranks{2}.run([&](const thread_ranks::one& ranks) {
        const auto work = [&](std::size_t, std::size_t, told_parts& r) {
            ++r.count;
            ++done_by[ranks.rank()];
            std::this_thread::sleep_for(std::chrono::milliseconds(ranks.rank() == 1 ? 8 : 1));
        };
        sweep_over(
            ranks, 1, 40, told_parts{}, [&] { return work; }, finished_unseen, progress_unseen);
    });
    CHECK(done_by[0] + done_by[1] == 40);
    CHECK(done_by[0] > done_by[1]);
}

#if defined(__cpp_exceptions)
TEST_CASE("an exception of any rank comes out of all, and none hangs") {
    for (const std::size_t at_fault : {0u, 1u, 2u}) {
        for (const bool in_making : {false, true}) {
            std::atomic<int> heard{0};
            thread_ranks{3}.run([&](const thread_ranks::one& ranks) {
                const auto make = [&] {
                    if (in_making && ranks.rank() == at_fault) {
                        throw std::runtime_error("no such model");
                    }
                    return [&](std::size_t, std::size_t, told_parts& r) {
                        ++r.count;
                        std::this_thread::sleep_for(std::chrono::milliseconds(1));
                        if (ranks.rank() == at_fault) {
                            throw std::runtime_error("no such model");
                        }
                    };
                };
                heard += message_of([&] {
                             sweep_over(ranks, 2, 20, told_parts{}, make, finished_unseen, progress_unseen);
                         }) == "no such model";
            });
            CHECK(heard == 3);
        }
    }
}

TEST_CASE("ranks whose sweeps differ are refused") {
    std::atomic<int> refused{0};
    thread_ranks{2}.run([&](const thread_ranks::one& ranks) {
        refused += message_of([&] {
                       sweep_over(
                           ranks, 2, 3 + ranks.rank(), told_parts{}, [] { return tell; }, finished_unseen,
                           progress_unseen);
                   }).find("same numbers") != std::string::npos;
    });
    CHECK(refused == 2);
}
#endif

} // namespace sweep_over_test
