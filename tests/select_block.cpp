#include <tamis/rule/guarded.hpp>
#include <tamis/rule/selectors.hpp>
#include <tamis/rule/top_k.hpp>
#include <tamis/rule/top_p.hpp>
#include <tamis/score/weighted.hpp>
#include <tamis/select_block.hpp>

#include "support/generate.hpp"
#include "support/message.hpp"
#include "support/show.hpp"

#include <doctest/doctest.h>
#include <thread>
#include <vector>

using namespace tamis;

namespace {

struct idle_pool {
    static std::size_t width() { return 0; }
    void run(std::size_t count, auto&& task) const {
        for (std::size_t i = 0; i < count; ++i) {
            task(i);
        }
    }
};

} // namespace

TEST_CASE("rows have a cut each, a joint mask one for all") {
    std::vector<float> values{4, 1, 2, 40, 10, 20};
    const block tokens{values.data(), 2, 3};
    const mask_block rows = select_rows(top_k{1}, tokens);
    CHECK(show(rows.row(0)) == "100");
    CHECK(show(rows.row(1)) == "100");
    const mask_block joint = select_joint(top_k{3}, tokens);
    CHECK(show(joint.row(0)) == "000");
    CHECK(show(joint.row(1)) == "111");
}

TEST_CASE_TEMPLATE("at every width: rows are the rows' masks, a joint mask is that of the flattened block", T,
                   float, double) {
    engine random{61};
    const top_p rule{0.8};
    for (std::size_t columns = 0; columns < 150; columns += 3) {
        const std::size_t row_count = columns % 5;
        const std::size_t stride = columns + columns % 4;
        const auto memory = generate<T>(shapes[columns % shapes.size()], row_count * stride + 1, random);
        const block tokens{memory.data(), row_count, columns, stride};
        std::vector<T> flat;
        for (std::size_t i = 0; i < row_count; ++i) {
            flat.insert(flat.end(), tokens.row(i).begin(), tokens.row(i).end());
        }
        const mask_block rows = select_rows(rule, tokens);
        const mask_block joint = select_joint(rule, tokens);
        const mask of_flat = rule(flat);
        CAPTURE(columns);
        for (std::size_t i = 0; i < row_count; ++i) {
            CHECK(mask{rows.row(i)} == rule(tokens.row(i)));
            CHECK(show(joint.row(i)) == show(of_flat).substr(i * columns, columns));
            CHECK(is_clear_behind(joint.row(i)));
        }
    }
}

TEST_CASE("the query's bytes are enough, and no mask word but the block's is written") {
    engine random{62};
    const auto values = generate<double>(shape::normal, 5 * 70, random);
    const block tokens{values.data(), 5, 70};
    const guarded rule{100, top_p{0.9}};
    std::vector<std::uint64_t> words(12, 0xa5a5a5a5a5a5a5a5ull);
    const mask_block_span out{std::span{words}.subspan(1), 5, 70};
    owned_workspace for_rows{selection_bytes(rule, 70)};
    select_rows(rule, tokens, out, for_rows);
    CHECK(mask{out.row(4)} == rule(tokens.row(4)));
    owned_workspace for_all{selection_bytes(rule, 350)};
    select_joint(rule, tokens, out, for_all);
    CHECK(words.front() == 0xa5a5a5a5a5a5a5a5ull);
    CHECK(words.back() == 0xa5a5a5a5a5a5a5a5ull);
}

TEST_CASE("rows take selectors of every kind, joint masks a score with a rule") {
    const std::vector<float> weights{1, 1, 8};
    std::vector<float> values{4, 1, 2, 40, 10, 1};
    const block<const float> tokens{values.data(), 2, 3};
    const scored heavy{weighted{weights}, top_k{1}};
    CHECK(show(select_rows(heavy | top_k{1}, tokens).row(0)) == "101");
    CHECK(show(select_joint(heavy, tokens).row(0)) == "000");
    CHECK(show(select_joint(heavy, tokens).row(1)) == "100");
    const scored two{weighted{weights}, top_k{2}};
    CHECK(show(select_joint(two, tokens).row(0)) == "001");
}

#if defined(__cpp_exceptions)
TEST_CASE("masks of another shape are refused with both numbers") {
    const std::vector<float> values(12);
    const block tokens{values.data(), 3, 4};
    mask_block two{2, 4};
    mask_block wide{3, 5};
    owned_workspace memory{selection_bytes(top_k{1}, 12)};
    CHECK(message_of([&] { select_rows(top_k{1}, tokens, two.span(), memory); }) ==
          "tamis: masks for 3 rows are needed, got 2");
    CHECK(message_of([&] { select_joint(top_k{1}, tokens, wide.span(), memory); }) ==
          "tamis: masks over 4 columns are needed, got 5");
    std::vector<std::uint64_t> words(3);
    CHECK(message_of([&] {
              mask_block_span{words, 2, 65};
          }) == "tamis::mask_block_span: needs 4 words (rows * mask_words(columns)), got 3");
    CHECK_THROWS_AS(mask_block_span(words, std::size_t{1} << 58, 64 * 64), std::invalid_argument);
    CHECK(mask_block_span(words, std::size_t{1} << 58, 0).rows() == std::size_t{1} << 58);
    CHECK(mask_block_span(words, 3, 64).row(2).size() == 64);
}
#endif

TEST_CASE("rows in parallel are the rows' masks, whatever the number of threads") {
    engine random{62};
    for (const std::size_t width : {1u, 2u, 3u, 8u}) {
        const executor_of threads{width, [](std::size_t count, const auto& task) {
                                      std::vector<std::thread> all;
                                      for (std::size_t i = 0; i < count; ++i) {
                                          all.emplace_back([&task, i] { task(i); });
                                      }
                                      for (std::thread& thread : all) {
                                          thread.join();
                                      }
                                  }};
        static_assert(executor<std::remove_const_t<decltype(threads)>>);
        for (const std::size_t rows : {0u, 1u, 2u, 7u, 16u}) {
            for (const std::size_t columns : {1u, 65u, 600u}) {
                const auto memory = generate<float>(shape::heavy_tailed, rows * columns, random);
                const block tokens{memory.data(), rows, columns};
                const guarded rule{64, top_p{0.9}};
                const mask_block expected = select_rows(rule, tokens);
                mask_block masks{rows, columns};
                owned_workspace scratch{rows_selection_bytes(rule, columns, threads)};
                select_rows(rule, tokens, masks.span(), scratch, threads);
                mask_block alone{rows, columns};
                select_rows(rule, tokens, alone.span(), scratch, serial{});
                CAPTURE(width);
                CAPTURE(rows);
                for (std::size_t i = 0; i < rows; ++i) {
                    CHECK(mask{masks.row(i)} == mask{expected.row(i)});
                    CHECK(mask{alone.row(i)} == mask{expected.row(i)});
                }
            }
        }
    }
}

TEST_CASE("an executor that says it has no thread runs what it is given all the same") {
    std::vector<float> values{4, 1, 2, 1, 3, 2};
    const block tokens{values.data(), 2, 3};
    mask_block masks{2, 3};
    owned_workspace scratch{rows_selection_bytes(top_k{1}, 3, idle_pool{})};
    select_rows(top_k{1}, tokens, masks.span(), scratch, idle_pool{});
    CHECK(show(masks.row(0)) == "100");
    CHECK(show(masks.row(1)) == "010");
}

TEST_CASE("blocks of nothing: no rows, no columns, neither") {
    const executor_of threads{0, [](std::size_t count, auto&& task) {
                                  for (std::size_t i = 0; i < count; ++i) {
                                      task(i);
                                  }
                              }};
    for (const std::size_t rows : {0u, 3u}) {
        for (const std::size_t columns : {0u, 5u}) {
            if (rows * columns != 0) {
                continue;
            }
            const block<const float> tokens{nullptr, rows, columns};
            CHECK(select_rows(top_p{0.9}, tokens).rows() == rows);
            CHECK(select_joint(guarded{64, top_p{0.9}}, tokens).columns() == columns);
            CHECK(select_joint(top_p_power(0.9, 2), tokens).rows() == rows);
            mask_block masks{rows, columns};
            owned_workspace scratch{rows_selection_bytes(top_k{2}, columns, threads)};
            select_rows(top_k{2}, tokens, masks.span(), scratch, threads);
            for (std::size_t i = 0; i < rows; ++i) {
                CHECK(masks.row(i).size() == 0);
                CHECK(masks.row(i).sparsity() == 0.0);
            }
        }
    }
}
