#include <tamis/study/meter/cett.hpp>

#include "study/support_ffn.hpp"
#include "support/message.hpp"

#include <doctest/doctest.h>

#include <cmath>

using tamis::site;
using tamis::study::cett_meter;

namespace {

using by_neurons = tamis::matrix<tamis::f32, tamis::neuron_major>;
static_assert(tamis::study::meter<cett_meter<by_neurons>> && tamis::study::has_state<cett_meter<by_neurons>>);

/// The definition, output by output.
double plain_cett(const dense& down, std::span<const float> values, tamis::mask_view mask) {
    double of_dropped = 0;
    double of_all = 0;
    for (std::size_t j = 0; j < down.outputs; ++j) {
        double dropped = 0;
        double all = 0;
        for (std::size_t i = 0; i < values.size(); ++i) {
            const double part = double{down.at(j, i)} * double{values[i]};
            all += part;
            dropped += mask[i] ? 0.0 : part;
        }
        of_dropped += dropped * dropped;
        of_all += all * all;
    }
    return of_all == 0 ? 0 : std::sqrt(of_dropped / of_all);
}

dense random_down(std::size_t width, std::size_t neurons, std::uint64_t seed) {
    engine random{seed};
    return random_dense(width, neurons, random);
}

owned_sighting at(site where, std::vector<float> values, tamis::mask mask, std::size_t token = 0) {
    return {where, std::move(values), std::move(mask), true, token};
}

} // namespace

TEST_CASE("cett: by hand, at the intermediate") {
    const auto down = store_down<tamis::f32, tamis::neuron_major>({2, 3, {3, 0, 1, 0, 4, 1}});
    cett_meter m{down.view()};
    CHECK(m.mean() == 0);
    m(at(site::intermediate, {1, 1, 0}, mask_of("100"))); // (0, 4) of (3, 4)
    CHECK(m.mean() == doctest::Approx(0.8).epsilon(1e-15));
    m(at(site::intermediate, {1, 1, 0}, mask_of("110"))); // only a zero is dropped
    CHECK(m.mean() == doctest::Approx(0.4).epsilon(1e-15));
    CHECK(m.greatest() == doctest::Approx(0.8).epsilon(1e-15));
    m(at(site::intermediate, {1, 2, -1}, mask_of("000")));
    CHECK(m.greatest() == 1);
    CHECK(m.tokens() == 3);
    m(at(site::up, {1, 2, -1}, mask_of("000")));
    m(at(site::gate, {1, 2, -1}, mask_of("000")));
    const std::vector<float> values{1, 2, 3};
    m(tamis::sighting{site::intermediate, values, {}, false, 0});
    CHECK(m.tokens() == 3);
}

TEST_CASE("cett: a whole of zero is no error") {
    const auto down = store_down<tamis::f32, tamis::neuron_major>({1, 3, {1, 1, 1}});
    cett_meter m{down.view()};
    m(at(site::intermediate, {0, 0, 0}, mask_of("000")));
    m(at(site::intermediate, {1, -1, 0}, mask_of("100")));
    CHECK(m.tokens() == 2);
    CHECK(m.greatest() == 0);
}

TEST_CASE("cett: against the definition, in both layouts with the same bits") {
    for (std::uint64_t seed = 0; seed < 6; ++seed) {
        const dense down = random_down(5 + seed, 60 + 11 * seed, seed);
        const auto neuron_rows = store_down<tamis::f32, tamis::neuron_major>(down, 4);
        const auto output_rows = store_down<tamis::bf16, tamis::output_major>(down, 2);
        cett_meter by_neuron{neuron_rows.view()};
        cett_meter by_output{output_rows.view()};
        double sum = 0;
        double greatest = 0;
        const auto all = random_sightings(site::intermediate, down.inputs, 7, seed);
        for (const owned_sighting& s : all) {
            by_neuron(s);
            by_output(s);
            const double error = plain_cett(down, s.values, s.mask);
            sum += error;
            greatest = std::max(greatest, error);
        }
        CHECK(by_neuron.mean() == doctest::Approx(sum / 7).epsilon(1e-12));
        CHECK(by_neuron.greatest() == doctest::Approx(greatest).epsilon(1e-12));
        CHECK(by_output.mean() == doctest::Approx(by_neuron.mean()).epsilon(1e-14));
#if !defined(__FAST_MATH__)
        CHECK(to_words(by_output) == to_words(by_neuron));
#endif
    }
}

TEST_CASE("cett: what cett_exact keeps is within its target, and near it") {
    const dense down = random_down(24, 200, 9);
    const auto rows = store_down<tamis::f32, tamis::neuron_major>(down);
    std::vector<float> norms(200);
    tamis::neuron_norms(rows.view(), norms);
    engine random{3};
    cett_meter m{rows.view()};
    for (int t = 0; t < 5; ++t) {
        const auto values = generate<float>(shape::heavy_tailed, 200, random);
        m(at(site::intermediate, values, tamis::select(tamis::cett_exact{rows.view(), norms, 0.2}, values)));
    }
    CHECK(m.greatest() <= 0.2 * (1 + 1e-12));
    CHECK(m.mean() > 0.15);
}

TEST_CASE("cett: at gate and at up, from a block of hooked_ffn in its order") {
    const problem_of_tokens problem{19, 57, 5, true, 7};
    const auto down = store_down<tamis::f32, tamis::output_major>(problem.p.down);
    recorder dense_values;
    run_hooked(problem, tamis::study::plan{}, tamis::silu{}, dense_values);
    const auto check = [&]<std::size_t Subset>(site where, std::integral_constant<std::size_t, Subset>) {
        CAPTURE(Subset);
        cett_meter m{down.view(), where};
        recorder seen;
        const auto both = [&](const tamis::sighting& s) {
            m(s);
            seen(s);
        };
        run_hooked(problem, plan_of<Subset>(), tamis::silu{}, both);
        double sum = 0;
        for (const recorder::record& r : seen.seen) {
            if (r.where == where) {
                for (const recorder::record& whole : dense_values.seen) {
                    if (whole.where == site::intermediate && whole.token == r.token) {
                        tamis::mask mask{57};
                        for (std::size_t i = 0; i < 57; ++i) {
                            mask.set(i, r.mask[i]);
                        }
                        sum += plain_cett(problem.p.down, whole.values, mask);
                    }
                }
            }
        }
        CHECK(m.tokens() == 5);
        CHECK(sum > 0);
        CHECK(m.mean() == doctest::Approx(sum / 5).epsilon(1e-12));
    };
    check(site::gate, std::integral_constant<std::size_t, 2>{});
    check(site::up, std::integral_constant<std::size_t, 4>{});
    check(site::gate, std::integral_constant<std::size_t, 6>{}); // each of two masks by itself
    check(site::up, std::integral_constant<std::size_t, 6>{});
    check(site::gate, std::integral_constant<std::size_t, 10>{});
}

TEST_CASE("cett: sites without a policy have none") {
    const problem_of_tokens problem{19, 57, 3, false, 8};
    const auto down = store_down<tamis::f32, tamis::output_major>(problem.p.down);
    for (const site where : {site::gate, site::up, site::intermediate}) {
        cett_meter m{down.view(), where};
        run_hooked(problem, plan_of<1>(), tamis::silu{}, m);
        CHECK(m.tokens() == 0);
    }
}

TEST_CASE("cett: with tokens that are not finite there is no mean and no greatest") {
    const auto down = store_down<tamis::f32, tamis::neuron_major>({1, 2, {1, 1}});
    cett_meter m{down.view()};
    m(at(site::intermediate, {1, 3}, mask_of("01")));
    CHECK(m.mean() == 0.25);
    CHECK(m.greatest() == 0.25);
    m(at(site::intermediate, {1, at_run_time(nan_of<float>)}, mask_of("01")));
    m(at(site::intermediate, {1, at_run_time(inf_of<float>)}, mask_of("10")));
    CHECK(m.not_finite() == 2);
    CHECK(m.tokens() == 1);
    CHECK(tamis::is_nan(m.mean()));
    CHECK(tamis::is_nan(m.greatest()));
    cett_meter other = m;
    other.merge(m);
    CHECK(other.not_finite() == 4);
    CHECK(other.tokens() == 2);
    cett_meter good{down.view()};
    good(at(site::intermediate, {1, 3}, mask_of("01")));
    CHECK(good.mean() == 0.25);
    good.merge(m);
    CHECK(tamis::is_nan(good.mean()));
}

TEST_CASE("cett: merged in any order it is one meter") {
    const auto down = store_down<tamis::f32, tamis::neuron_major>(random_down(6, 40, 1));
    CHECK(merges_exactly(cett_meter{down.view()}, random_sightings(site::intermediate, 40, 17, 2)));
    auto of_up = random_sightings(site::gate, 40, 20, 4);
    for (std::size_t i = 1; i < of_up.size(); i += 2) {
        of_up[i].where = site::up;
        of_up[i].token = of_up[i - 1].token;
    }
    CHECK(merges_exactly(cett_meter{down.view(), site::up}, of_up, 2));
    CHECK(merges_exactly(cett_meter{down.view(), site::gate}, of_up, 2));
}

#if defined(__cpp_exceptions)
TEST_CASE("cett: the input, other sizes, other sites and an FFN that hides its gate are refused") {
    const auto down = store_down<tamis::f32, tamis::neuron_major>(random_down(2, 3, 1));
    CHECK(message_of([&] { cett_meter{down.view(), site::input}; }).find("not input") != std::string::npos);
    cett_meter m{down.view()};
    CHECK(message_of([&] {
              m(at(site::intermediate, {1, 2}, mask_of("10")));
          }).find("3 neurons are needed, got 2") != std::string::npos);
    cett_meter of_up{down.view(), site::up};
    CHECK(message_of([&] { m.merge(of_up); }).find("another") != std::string::npos);
    const auto up = at(site::up, {1, 2, 3}, mask_of("101"));
    CHECK(message_of([&] { of_up(up); }).find("hooked_ffn") != std::string::npos);
    of_up(at(site::gate, {1, 2, 3}, mask_of("111")));
    of_up(up);
    CHECK(of_up.tokens() == 1);
    CHECK(message_of([&] { of_up(up); }).find("hooked_ffn") != std::string::npos); // the gate's are used up
}
#endif
