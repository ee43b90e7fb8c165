// One hash over tens of thousands of masks, the same for every compiler, optimisation, instruction set and flag,
// -ffast-math included. The inputs are made with integers alone (support/generate.hpp).
#include <tamis/rule/cett.hpp>
#include <tamis/rule/combine.hpp>
#include <tamis/rule/guarded.hpp>
#include <tamis/rule/max_p.hpp>
#include <tamis/rule/nonzero.hpp>
#include <tamis/rule/selectors.hpp>
#include <tamis/rule/top_k.hpp>
#include <tamis/rule/top_p.hpp>
#include <tamis/score/centred.hpp>
#include <tamis/select_block.hpp>

#include "support/flushed_denormals.hpp"
#include "support/formats.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace same_masks_test {

using namespace tamis;

namespace {

/// FNV-1a over the bytes of words, the lowest byte first.
class hash {
  public:
    void add(std::uint64_t word) {
        for (int i = 0; i < 8; ++i) {
            state_ = (state_ ^ ((word >> (8 * i)) & 0xff)) * 0x100000001b3ull;
        }
    }
    void add(mask_view m) {
        add(m.size());
        for (const std::uint64_t word : m.words()) {
            add(word);
        }
        ++masks_;
    }
    std::uint64_t state() const { return state_; }
    std::size_t masks() const { return masks_; }

  private:
    std::uint64_t state_ = 0xcbf29ce484222325ull;
    std::size_t masks_ = 0;
};

constexpr std::array ps{0.0, 0.1, 0.5, 0.75, 0.9, static_cast<double>(0.95f), 0.99, 0.999999, 1.0};

/// Masks as wide as the searches need to take samples, where every path of theirs is met.
template <class T>
void add_wide_masks(hash& h, engine& random) {
    constexpr std::array sizes{std::size_t{511}, std::size_t{512}, std::size_t{513}, std::size_t{896},
                               std::size_t{4096}};
    const std::vector<float> weights = [&] {
        std::vector<float> w(6000);
        for (float& weight : w) {
            weight = static_cast<float>(below(random, 1025)) / 1024;
        }
        return w;
    }();
    for (std::size_t round = 0; round < 5 * shapes.size(); ++round) {
        const std::size_t n = round % 2 == 0 ? sizes[round % sizes.size()] : 500 + below(random, 5500);
        const auto v = generate<T>(shapes[round % shapes.size()], n, random);
        const double p = ps[below(random, ps.size())];
        const weighted norms{std::span{weights}.first(n)};
        h.add(top_p{p}(v));
        h.add(top_p{0.9}(v));
        h.add(top_k{below(random, n + 2)}(v));
        h.add(top_k::fraction(0.5)(v));
        h.add(max_p{p / 16}(v));
        h.add(tail_budget{p * 100}(v));
        h.add(guarded{64, top_p{p}}(v));
        h.add(at_most{n / 3, top_p{p}}(v));
        h.add(top_p_power(p, 2)(v));
        h.add(scored{power{1.5}, top_k{n / 2}}(v));
        h.add(scored{norms, top_p{0.9}}(v));
        h.add(scored{centred{0.25}, top_p{p}}(v));
        h.add(cett(std::span{weights}.first(n), p)(v));
        const mask_block joint = select_joint(top_p{p}, block{v.data(), n / 100, std::size_t{100}});
        for (std::size_t row = 0; row < joint.rows(); ++row) {
            h.add(joint.row(row));
        }
    }
}

/// Masks of all shapes over one element type, by every rule and score.
template <class T>
hash masks_over() {
    hash h;
    engine random{71};
    std::vector<float> weights;
    for (int i = 0; i < 320; ++i) {
        weights.push_back(static_cast<float>(below(random, 1025)) / 1024);
    }
    for (std::size_t round = 0; round < 165; ++round) {
        const std::size_t n = round < 130 ? round : 130 + below(random, 190);
        const shape s = shapes[round % shapes.size()];
        const auto v = generate<T>(s, n, random);
        const double p = ps[below(random, ps.size())];
        const std::size_t k = below(random, n + 2);
        const weighted norms{std::span{weights}.first(n)};
        h.add(nonzero{}(v));
        h.add(top_p{p}(v));
        h.add(top_k{k}(v));
        h.add(top_k::fraction(p)(v));
        h.add(max_p{p}(v));
        h.add(max_p{p * p / 64}(v));
        h.add(threshold{p}(v));
        h.add(tail_budget{p * 3}(v));
        h.add(guarded{64, top_p{p}}(v));
        h.add(guarded{1.0009765625 + p, max_p{p}}(v));
        h.add((top_p{p} & at_most{k, nonzero{}})(v));
        h.add((at_least{k / 2, max_p{p}} | top_p{p / 2})(v));
        for (const double q : {1.0625, 1.5, 2.0, 3.0, 4.8125}) {
            h.add(top_p_power(p, q)(v));
        }
        h.add(scored{power{1.5}, max_p{p}}(v));
        h.add(scored{norms, top_p{p}}(v));
        h.add(scored{centred{0.25}, top_p{p}}(v));
        h.add(scored{centred{0.1}, tail_budget{p}}(v));
        h.add(cett(std::span{weights}.first(n), p / 4)(v));
        h.add((scored{norms, top_k{k}} | (top_p{p} & scored{centred{-1.5}, max_p{p}}))(v));
        const mask_block joint =
            select_joint(scored{power{2}, top_p{p}}, block{v.data(), n / 7, std::size_t{7}});
        for (std::size_t row = 0; row < joint.rows(); ++row) {
            h.add(joint.row(row));
        }
    }
    add_wide_masks<T>(h, random);
    return h;
}

struct expectation {
    const char* type;
    hash (*run)();
    std::uint64_t state;
};

// A changed constant is a changed definition: find out which mask moved and why before recording a new one.
const std::array expected{
    expectation{"float", masks_over<float>, 0x3cdb697a04691247ull},
    expectation{"double", masks_over<double>, 0xf06fd6b8c7f52a93ull},
    expectation{"half", masks_over<Eigen::half>, 0xf305b23a749d51dfull},
    expectation{"bfloat16", masks_over<Eigen::bfloat16>, 0x1a397b019c7c3cc8ull},
    expectation{"int8", masks_over<std::int8_t>, 0xd2e7e70484e25779ull},
    expectation{"int16", masks_over<std::int16_t>, 0x4effbbcd1997166ull},
    expectation{"int32", masks_over<std::int32_t>, 0xe2cf1939788c851aull},
    expectation{"int64", masks_over<std::int64_t>, 0x736e463337a2a394ull},
};

} // namespace

TEST_CASE("every compiler and every flag makes the same masks") {
    std::size_t masks = 0;
    for (const expectation& e : expected) {
        const hash h = e.run();
        CAPTURE(std::string{e.type});
        CHECK(h.state() == e.state);
        masks += h.masks();
    }
    CHECK(masks >= 20000);
}

TEST_CASE("a processor that flushes denormals makes the same masks") {
    for (const expectation& e : expected) {
        CAPTURE(std::string{e.type});
        {
            const flushed_denormals guard;
            CHECK(e.run().state() == e.state);
        }
        {
            const honoured_denormals guard;
            CHECK(e.run().state() == e.state);
        }
    }
}

#if defined(TAMIS_HAS_FLOAT16)
TEST_CASE("_Float16 makes the masks of half") {
    CHECK(masks_over<_Float16>().state() == masks_over<Eigen::half>().state());
}
#endif

} // namespace same_masks_test
