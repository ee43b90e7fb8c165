#include <tamis/shard/sharded.hpp>

#include "support/message.hpp"
#include "support/sharded_spans.hpp"
#include "support/show.hpp"
#include "support/thread_ranks.hpp"

#include <tamis/ffn/glu_ffn.hpp>
#include <tamis/format/f32.hpp>
#include <tamis/rule/combine.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <cmath>

using namespace tamis;

static_assert(messenger<thread_ranks::one> && communicator<alone> && !messenger<alone>);
static_assert(rule<sharded<top_p, alone>> && rule<sharded<max_p, alone>>);

TEST_CASE("an even division leaves sizes that differ by one at most") {
    for (const std::size_t n : {0u, 1u, 3u, 7u, 14336u}) {
        for (const std::size_t ranks : {1u, 2u, 3u, 8u}) {
            std::size_t next = 0;
            for (std::size_t r = 0; r < ranks; ++r) {
                const auto own = even_shard(n, r, ranks);
                CHECK(own.first == next);
                CHECK((own.size() == n / ranks || own.size() == n / ranks + 1));
                next = own.last;
            }
            CHECK(next == n);
        }
    }
}

TEST_CASE("one rank alone has the rule's own masks") {
    CHECK(wrong_masks<float>(alone{}, 60, 300, 1) == 0);
    CHECK(wrong_masks<double>(alone{}, 60, 300, 2) == 0);
}

TEST_CASE("infinities and NaN over ranks: as in one place, whatever k and p") {
    const std::vector<float> v{1.0f, inf_of<float>, 0.0f, nan_of<float>, 2.0f, negative_inf_of<float>, 3.0f};
    const alone ranks;
    for (std::size_t k = 0; k <= v.size() + 1; ++k) {
        CAPTURE(k);
        CHECK(show(sharded{top_k{k}, ranks}(v)) == show(top_k{k}(v)));
    }
    for (const double p : {0.0, 0.5, 1.0}) {
        CHECK(show(sharded{top_p{p}, ranks}(v)) == show(top_p{p}(v)));
        CHECK(show(sharded{max_p{p}, ranks}(v)) == show(max_p{p}(v)));
    }
}

TEST_CASE("a sum over ranks that reaches p exactly is enough") {
    const alone ranks;
    const std::vector<float> v{1.0f, 2.0f, 1.0f};
    CHECK(show(sharded{top_p{0.5}, ranks}(v)) == "010");
    CHECK(show(sharded{top_p{0x1.0000000000001p-1}, ranks}(v)) == "111");
    CHECK(show(sharded{tail_budget{2.0}, ranks}(v)) == "010");
    CHECK(show(sharded{tail_budget{0x1.fffffffffffffp0}, ranks}(v)) == "111");
}

TEST_CASE("masks over ranks are those of one place") {
    for (const std::size_t size : {2u, 3u, 4u}) {
        std::atomic<std::size_t> wrong{0};
        thread_ranks{size}.run([&](const thread_ranks::one& ranks) {
            wrong += wrong_masks<float>(ranks, 45, 200, 10 + size);
            wrong += wrong_masks<double>(ranks, 34, 200, 20 + size);
        });
        CHECK(wrong == 0);
    }
}

TEST_CASE("a rule takes as many reductions whatever the scores are") {
    const auto operations = [](auto rule, std::size_t n, shape s) {
        engine random(5);
        const auto all = generate<float>(s, n, random);
        thread_ranks ranks{2};
        ranks.run([&](const thread_ranks::one& one) {
            const auto own = even_shard(n, one.rank(), one.size());
            select(sharded{rule, one}, std::span{all}.subspan(own.first, own.size()));
        });
        CHECK(ranks.bytes < 16 * 1024);
        return ranks.operations;
    };
    for (const shape s : {shape::normal, shape::levels, shape::geometric}) {
        for (const std::size_t n : {50u, 3000u}) {
            CHECK(operations(top_p{0.9}, n, s) == 4);
            CHECK(operations(top_k{10}, n, s) == 4);
            CHECK(operations(tail_budget{1.0}, n, s) == 4);
            CHECK(operations(max_p{0.1}, n, s) == 1);
            CHECK(operations(threshold{0.1}, n, s) == 0);
        }
    }
}

TEST_CASE("rules over ranks join as rules do") {
    const std::array<float, 8> all{4, 1, -0.5f, 0.3f, 0.2f, 0, 3, 2};
    thread_ranks{3}.run([&](const thread_ranks::one& ranks) {
        const auto own = even_shard(all.size(), ranks.rank(), ranks.size());
        const auto part = std::span{all}.subspan(own.first, own.size());
        const mask both = select(sharded{top_p{0.9}, ranks} & sharded{top_k{2}, ranks}, part);
        const mask whole = select(top_p{0.9} & top_k{2}, all);
        for (std::size_t i = 0; i < own.size(); ++i) {
            CHECK(both[i] == whole[own.first + i]);
        }
    });
}

#if defined(__cpp_exceptions)
TEST_CASE("ranks that ask for different things are refused on all of them") {
    const std::array<float, 4> all{4, 1, 0.5f, 0.3f};
    std::atomic<int> refused{0};
    thread_ranks{3}.run([&](const thread_ranks::one& ranks) {
        const double p = ranks.rank() == 1 ? 0.8 : 0.9;
        refused += message_of([&] {
                       select(sharded{top_p{p}, ranks}, all);
                   }).find("the same rule") != std::string::npos;
        refused += message_of([&] {
                       select(sharded{max_p{p}, ranks}, all);
                   }).find("the same rule") != std::string::npos;
    });
    CHECK(refused == 6);
}
#endif

TEST_CASE("an FFN whose neurons are shared out: the same masks, the same y but for the order of a sum") {
    constexpr std::size_t h = 24, d = 50;
    engine random(3);
    const auto gate = generate<float>(shape::normal, d * h, random);
    const auto up = generate<float>(shape::normal, d * h, random);
    const auto down = generate<float>(shape::normal, d * h, random); // a row a neuron
    const auto x = generate<float>(shape::normal, h, random);
    const auto part_of = [&](const std::vector<float>& all, shard_range own) {
        return matrix<f32, neuron_major>{all.data() + own.first * h, own.size(), h};
    };
    const auto make = [&](shard_range own, auto rule) {
        return glu_ffn{glu_weights{part_of(gate, own), part_of(up, own), part_of(down, own)}, silu{},
                       at_intermediate(rule)};
    };
    std::vector<float> expected(h);
    mask whole{d};
    {
        const auto ffn = make({0, d}, top_p{0.8});
        owned_workspace memory{ffn.workspace_bytes()};
        ffn(x, expected, memory, [&](const sighting& s) {
            if (s.where == site::intermediate) {
                for (std::size_t i = 0; i < d; ++i) {
                    whole.set(i, s.mask[i]);
                }
            }
        });
    }
    for (const std::size_t size : {1u, 2u, 4u}) {
        thread_ranks{size}.run([&](const thread_ranks::one& ranks) {
            const shard_range own = size == 4 && ranks.rank() > 1 // two of four have none
                                        ? shard_range{d, d}
                                        : even_shard(d, ranks.rank(), size == 4 ? 2 : size);
            const auto ffn = make(own, sharded{top_p{0.8}, ranks});
            std::vector<float> y(h);
            owned_workspace memory{ffn.workspace_bytes()};
            ffn(x, y, memory, [&](const sighting& s) {
                for (std::size_t i = 0; s.where == site::intermediate && i < own.size(); ++i) {
                    CHECK(s.mask[i] == whole[own.first + i]);
                }
            });
            ranks.sum(std::span{y});
            for (std::size_t j = 0; j < h; ++j) {
                CHECK(std::abs(y[j] - expected[j]) <= 1e-4f * (1 + std::abs(expected[j])));
            }
        });
    }
}
