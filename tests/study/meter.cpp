#include <tamis/study/meter.hpp>

#include "study/support_ffn.hpp"
#include "support/message.hpp"

#include <tamis/study/meter/frequency.hpp>
#include <tamis/study/meter/outliers.hpp>
#include <tamis/study/meter/sparsity.hpp>
#include <tamis/study/meter/stability.hpp>

#include <doctest/doctest.h>

namespace meter_test {

using tamis::site;
using namespace tamis::study; // NOLINT: all that is tested is there

namespace {

using several = meters<sparsity_meter, frequency_meter, frequency_meter, stability_meter>;

several fresh() {
    return several{sparsity_meter{}, frequency_meter{site::input}, frequency_meter{site::intermediate},
                   stability_meter{site::intermediate}};
}

static_assert(sequential_meter<several> && has_state<several>);
static_assert(layer_observer<per_layer<several>> && layer_observer<no_layer_observer>);

} // namespace

TEST_CASE("meters: all see the same, and each is found by its type or place") {
    const auto all = random_sightings(site::intermediate, 90, 12, 1);
    const several m = fed(fresh(), all);
    CHECK(to_words(m.get<sparsity_meter>()) == to_words(fed(sparsity_meter{}, all)));
    CHECK(m.get<1>().tokens() == 0);
    CHECK(to_words(m.get<2>()) == to_words(fed(frequency_meter{site::intermediate}, all)));
    CHECK(m.get<stability_meter>().pairs() == 11);
    several again = m;
    again.begin();
    again(all[0]);
    CHECK(again.get<3>().pairs() == 11);
    CHECK(again.get<0>().tokens(site::intermediate) == 13);
}

TEST_CASE("meters: merge part by part") {
    const meters both{sparsity_meter{}, frequency_meter{site::gate}};
    CHECK(merges_exactly(both, random_sightings(site::gate, 65, 16, 2)));
    const meters twins{frequency_meter{site::gate}, frequency_meter{site::up}};
    CHECK(merges_exactly(twins, random_sightings(site::up, 65, 16, 3)));
}

TEST_CASE("per_layer: a meter a layer, and one of all") {
    per_layer<sparsity_meter> m{3};
    m(0, masked(site::up, "10"));
    m(2, masked(site::up, "0000"));
    m(2, masked(site::up, "1111"));
    CHECK(m.size() == 3);
    CHECK(m[0].sparsity(site::up) == 0.5);
    CHECK(m[1].tokens(site::up) == 0);
    CHECK(m[2].sparsity(site::up) == 0.5);
    CHECK(m.merged().pooled(site::up) == sparsity_meter::counts{10, 5});
    per_layer<sparsity_meter> other{3};
    other(1, masked(site::up, "000"));
    m.merge(other);
    CHECK(m[1].sparsity(site::up) == 1);
    CHECK(m.merged().tokens(site::up) == 4);
}

TEST_CASE("per_layer: meters that differ, and begin for those that want it") {
    std::vector<stability_meter> sites{stability_meter{site::gate}, stability_meter{site::up}};
    per_layer<stability_meter> m{sites};
    m.begin();
    for (int sequence = 0; sequence < 2; ++sequence) {
        for (std::size_t layer = 0; layer < 2; ++layer) {
            m(layer, masked(site::gate, "10"));
            m(layer, masked(site::gate, "10"));
        }
        m.begin();
    }
    CHECK(m[0].pairs() == 2);
    CHECK(m[1].pairs() == 0);
    per_layer<sparsity_meter> plain{1};
    plain.begin(); // nothing to do
}

TEST_CASE("the same counts through glu_ffn and through masker and hooked_ffn") {
    const problem_of_tokens problem{31, 77, 9, true, 5};
    for_constants<subset_count>([&]<class Subset>(Subset) {
        if constexpr (!has_gate_and_up(Subset::value)) {
            CAPTURE(Subset::value);
            several by_glu = fresh();
            run_glu<Subset::value>(problem, tamis::silu{}, by_glu);
            several by_hooks = fresh();
            run_hooked(problem, plan_of<Subset::value>(), tamis::silu{}, by_hooks);
            CHECK(to_words(by_hooks) == to_words(by_glu));
            CHECK((by_hooks.get<0>().tokens(site::input) == 9) == has_site(Subset::value, site::input));
        }
    });
}

TEST_CASE("the outliers of a dense model are the same, whoever runs it") {
    const problem_of_tokens problem{31, 77, 9, false, 6};
    outliers_meter by_glu;
    run_glu<0>(problem, tamis::relu{}, by_glu);
    outliers_meter by_hooks;
    run_hooked(problem, plan{}, tamis::relu{}, by_hooks);
    CHECK(by_hooks.at(site::input) == by_glu.at(site::input));
    CHECK(by_hooks.at(site::gate) == by_glu.at(site::gate));
    CHECK(by_hooks.at(site::intermediate) == by_glu.at(site::intermediate));
    CHECK(by_hooks.at(site::intermediate).tokens == 9);
}

#if defined(__cpp_exceptions)
TEST_CASE("per_layer: another number of layers is refused") {
    per_layer<sparsity_meter> m{3};
    CHECK(message_of([&] { m.merge(per_layer<sparsity_meter>{2}); }).find("3 layers can not take one of 2") !=
          std::string::npos);
}
#endif

} // namespace meter_test
