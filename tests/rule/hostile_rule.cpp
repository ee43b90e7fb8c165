// A rule that is as difficult as the concept allows, and an element type of the user's own.
#include <tamis/rule/combine.hpp>
#include <tamis/rule/guarded.hpp>
#include <tamis/rule/selectors.hpp>
#include <tamis/rule/top_k.hpp>
#include <tamis/score/centred.hpp>
#include <tamis/select_block.hpp>

#include "support/show.hpp"

#include <doctest/doctest.h>
#include <array>
#include <memory>
#include <utility>

namespace user {

/// Sixteenths in a byte. Not arithmetic, not convertible, its address is nobody's business.
struct sixteenth {
    signed char count;
    void operator&() const = delete;
};

/// Throws when it is copied; has no default constructor, no assignment, an ambushing comma and address-of.
class touchy {
  public:
    explicit touchy(double eps) : eps_{eps} {}
    touchy(touchy&&) = default;
#if defined(__cpp_exceptions)
    touchy(const touchy& other) : eps_{other.eps_} { throw 1; }
#else
    touchy(const touchy& other) : eps_{other.eps_} { std::abort(); }
#endif
    touchy& operator=(const touchy&) = delete;
    touchy& operator=(touchy&&) = delete;
    void operator&() const = delete;

    tamis::cut<float> cut_of(tamis::scores<float>) const {
        return tamis::cut<float>::at(static_cast<float>(eps_));
    }

  private:
    double eps_;
};
template <class T>
void operator,(const touchy&, T&&) = delete;

/// Move-only, serves doubles alone, wants memory, and returns its size as something that only converts to a size.
struct bytes {
    std::size_t n;
    operator std::size_t() const { return n * 8 + 64; }
};
class move_only {
  public:
    explicit move_only(double eps) : eps_{std::make_unique<double>(eps)} {}
    tamis::cut<double> cut_of(tamis::scores<double> s, tamis::workspace w) const {
        const auto all = w.take<double>(s.size());
        for (std::size_t i = 0; i < s.size(); ++i) {
            all[i] = *eps_; // uses all that it asked for
        }
        return s.size() == 0 ? tamis::cut<double>::nothing() : tamis::cut<double>::at(all[s.size() - 1]);
    }
    static bytes workspace_bytes(std::size_t n) { return {n}; }

  private:
    std::unique_ptr<double> eps_;
};

} // namespace user

template <>
struct tamis::element_traits<user::sixteenth> {
    using real = float;
    static real to_real(const user::sixteenth& value) { return static_cast<float>(value.count) / 16; }
};

namespace {

constexpr std::array<user::sixteenth, 5> sixteenths{{{4}, {-16}, {0}, {8}, {1}}};

} // namespace

static_assert(tamis::rule<user::touchy>);
static_assert(tamis::rule<user::move_only>);
static_assert(tamis::element<user::sixteenth>);
static_assert(!tamis::rule_for<user::move_only, float>);

TEST_CASE("a rule is never copied") {
    const user::touchy rule{0.5};
    CHECK(show(tamis::select(rule, std::array{1.0f, 0.25f, -0.5f})) == "101");
    CHECK(show((user::touchy{0.5} & tamis::top_k{1})(std::array{1.0f, 0.25f, -0.5f})) == "100");
    CHECK(show((tamis::top_k{1} | user::touchy{0.5})(std::array{1.0f, 0.25f, -0.5f})) == "101");
    CHECK(show(tamis::at_least{3, user::touchy{0.5}}(std::array{1.0f, 0.25f, -0.5f})) == "111");
    CHECK(show(tamis::at_most{1, user::touchy{0.5}}(std::array{1.0f, 0.25f, -0.5f})) == "100");
    CHECK(show(tamis::guarded{3, user::touchy{0.5}}(std::array{1.0f, 0.25f, -0.125f})) == "100");
    const tamis::mask none{3};
    CHECK(show(tamis::always_active{none, user::touchy{0.5}}(std::array{1.0f, 0.25f, -0.5f})) == "101");
    std::array<float, 3> values{1.0f, 0.25f, -0.5f};
    CHECK(show(tamis::select_rows(rule, tamis::block{values.data(), 1, 3}).row(0)) == "101");
    CHECK(show(tamis::select_joint(rule, tamis::block{values.data(), 1, 3}).row(0)) == "101");
}

TEST_CASE("a move-only rule for doubles with memory of its own works alone and combined") {
    const std::array v{1.0, 0.25, -0.5};
    CHECK(show(tamis::select(user::move_only{0.5}, v)) == "101");
    CHECK(show((user::move_only{0.5} & tamis::top_k{1})(v)) == "100");
    CHECK(show(tamis::scored{tamis::centred{0.0}, user::move_only{0.5}}(std::array{1.0f, 0.25f})) == "10");
    CHECK(show((tamis::scored{tamis::centred{0.0}, user::move_only{0.5}} | tamis::top_k{2})(v)) == "101");
    CHECK(show(tamis::guarded{2, user::move_only{0.5}}(std::array{1.0, 0.25, 0.5})) == "101");
}

TEST_CASE("values of the user's own type") {
    CHECK(show(tamis::select(user::touchy{0.5}, sixteenths)) == "01010");
    CHECK(show(tamis::top_k{3}(sixteenths)) == "11010");
    CHECK(show(tamis::scored{tamis::centred{0.25}, user::move_only{0.25}}(sixteenths)) == "01110");
}
