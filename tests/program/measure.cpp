#include "support.hpp"
#include "sweep.hpp"
#include "tables.hpp"
#include "text.hpp"

#include <doctest/doctest.h>
#include <array>
#include <mutex>
#include <set>

using namespace study_test;
using study::rule_choice;
using study::site_choice;

namespace {

constexpr std::array all_sites{site_choice::input, site_choice::gate, site_choice::up,
                               site_choice::intermediate, site_choice::all_inputs};

/// A made-up model with stories and questions; owns the bytes that the model is a view of.
struct little_study {
    bytes file = make_checkpoint(), vocabulary = make_tokenizer();
    study::subject s;

    explicit little_study(study::activation sigma = study::activation::silu) {
        const study::tokenizer tokens{vocabulary.as("t"), 290};
        std::vector<std::string> stories;
        std::mt19937 random{5};
        for (int i = 0; i < 23; ++i) {
            std::string story = "the";
            for (auto n = random() % 30; n > 0; --n) {
                story += pieces()[random() % pieces().size()];
            }
            stories.push_back(story);
        }
        const std::vector<std::string_view> views(stories.begin(), stories.end());
        s = {"little",
             "",
             study::load_checkpoint(file.as("m")),
             sigma,
             study::encode_stories(views, tokens, 64),
             {}};
        s.tasks = study::load_tasks(
            bytes{}.add_text("a\tthe\t0\t cat\t and\na\tthe cat\t1\t on\t at\nb\te\t0\t a\t b\n").as("q"),
            tokens, 64);
    }
    study::measurement run(const study::ffn_choice& choice, std::size_t threads = 1) const {
        return study::measure(s, choice, threads, [](std::size_t, std::size_t) {});
    }
};

study::ffn_choice at(site_choice site, rule_choice rule, double value) {
    return study::ffn_setting{site, rule, {value, "v"}};
}

} // namespace

TEST_CASE("no figure depends on the number of threads") {
    const little_study little;
    for (const auto& choice : {study::ffn_choice{}, at(site_choice::all_inputs, rule_choice::top_p, 0.8)}) {
        const auto one = little.run(choice, 1);
        for (const std::size_t threads : {2u, 3u, 64u}) {
            const auto many = little.run(choice, threads);
            CHECK(many.text.loss == one.text.loss); // to the last bit
            CHECK(study::results_csv({many}) == study::results_csv({one}));
            CHECK(study::tasks_csv({many}) == study::tasks_csv({one}));
        }
    }
}

TEST_CASE("a rule that keeps everything changes nothing, at any site and activation") {
    for (const auto sigma : {study::activation::silu, study::activation::gelu, study::activation::relu}) {
        const little_study little{sigma};
        const auto dense = little.run({});
        CHECK(dense.counts.entries == 0);
        CHECK(dense.counts.bytes_read == dense.counts.bytes_dense);
        for (const auto site : all_sites) {
            for (const auto& choice :
                 {at(site, rule_choice::top_p, 1), at(site, rule_choice::top_k, 1),
                  at(site, rule_choice::max_p, 0), at(site, rule_choice::threshold, 0)}) {
                const auto row = little.run(choice);
                CHECK(row.text.loss == doctest::Approx(dense.text.loss).epsilon(1e-5));
                CHECK(row.text.hits == dense.text.hits);
                CHECK(row.tasks[0].right == dense.tasks[0].right);
            }
        }
    }
}

TEST_CASE("sparsity counts entries of the masks, by width for all_inputs; bytes count weights") {
    const little_study little;
    std::size_t tokens = 0;
    for (const auto& story : little.s.stories) {
        tokens += story.size() - 1;
    }
    const std::size_t h = 16, d = 40, layers = 2;
    const auto quarter = [&](site_choice site) {
        return little.run(at(site, rule_choice::top_k, 0.25)).counts;
    };
    CHECK(quarter(site_choice::input).entries == tokens * layers * h);
    CHECK(quarter(site_choice::gate).entries == tokens * layers * d);
    CHECK(quarter(site_choice::all_inputs).entries == tokens * layers * (h + d));
    for (const auto site : all_sites) {
        CHECK(quarter(site).bytes_dense == tokens * layers * 3 * h * d * sizeof(float));
        CHECK(quarter(site).mask_sparsity() == doctest::Approx(0.75));
    }
    CHECK(quarter(site_choice::input).bytes_skipped() == doctest::Approx(0.75 * 2 / 3)); // of gate and up
    CHECK(quarter(site_choice::gate).bytes_skipped() == doctest::Approx(0.75 * 2 / 3));  // of up and down
    CHECK(quarter(site_choice::up).bytes_skipped() == doctest::Approx(0.75 * 2 / 3));    // of gate and down
    CHECK(quarter(site_choice::intermediate).bytes_skipped() == doctest::Approx(0.75 / 3)); // of down
    CHECK(quarter(site_choice::all_inputs).bytes_skipped() == doctest::Approx(0.75));       // of all three
}

TEST_CASE("each site's mask is over that site's values: ReLU's zeros are at gate and intermediate") {
    const little_study little{study::activation::relu};
    const auto zeros = [&](site_choice site) {
        return little.run(at(site, rule_choice::threshold, 0)).counts.mask_sparsity();
    };
    CHECK(zeros(site_choice::input) == 0);
    CHECK(zeros(site_choice::up) == 0);
    CHECK(zeros(site_choice::gate) > 0.2);
    CHECK(zeros(site_choice::intermediate) == zeros(site_choice::gate));
    CHECK(zeros(site_choice::all_inputs) == doctest::Approx(zeros(site_choice::gate) * 40 / (40 + 16)));
}

TEST_CASE("progress is reported once a story and question") {
    const little_study little;
    std::mutex guard;
    std::set<std::size_t> seen;
    study::measure(little.s, {}, 3, [&](std::size_t done, std::size_t all) {
        const std::lock_guard lock{guard};
        CHECK(all == 26);
        seen.insert(done);
    });
    CHECK(seen.size() == 26);
    CHECK(*seen.rbegin() == 26);
}

TEST_CASE("results.csv has the columns and the dense row first") {
    const little_study little;
    const std::string csv =
        study::results_csv({little.run({}), little.run(at(site_choice::up, rule_choice::max_p, 0.1))});
    CHECK(csv.starts_with("site,rule,value,tokens,nll,ppl,top1,mask_sparsity,bytes_skipped\ndense,-,-,"));
    CHECK(has(csv, "\nup,max_p,v,"));
    CHECK(std::count(csv.begin(), csv.end(), '\n') == 3);
    CHECK(std::count(csv.begin(), csv.end(), ',') == 3 * 8);
}
