#include <tamis/study/hook.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>

namespace hook_test {

using namespace tamis;
using namespace tamis::study;

namespace {

/// Writes down its calls, and adds to every value.
struct scribe {
    std::string* said;
    char name;
    float more;

    void operator()(std::size_t layer, site where, block<float> values) {
        *said += name + std::to_string(layer) + name_of(where) + ' ';
        for (std::size_t t = 0; t < values.rows(); ++t) {
            for (float& v : values.row(t)) {
                v += more;
            }
        }
    }
};

template <class H>
std::array<float, 4> under(H&& hook) {
    std::array values{1.0f, 2.0f, 3.0f, 4.0f};
    hook(7, site::gate, block<float>{values.data(), 2, 2});
    return values;
}

struct not_a_hook {
    void operator()(std::size_t, site) const {}
};
static_assert(site_hook<scribe> && site_hook<no_hook> && site_hook<const no_hook>);
static_assert(site_hook<hook_ref> && site_hook<chained<scribe, no_hook>>);
static_assert(!site_hook<not_a_hook> && !site_hook<const scribe>);

} // namespace

TEST_CASE("no_hook: leaves the values as they are") {
    CHECK(under(no_hook{}) == std::array{1.0f, 2.0f, 3.0f, 4.0f});
}

TEST_CASE("hook_ref: calls the hook it was made of, with all that it was given") {
    std::string said;
    scribe hook{&said, 'a', 10};
    const hook_ref ref{hook};
    CHECK(under(ref) == std::array{11.0f, 12.0f, 13.0f, 14.0f});
    CHECK(said == "a7gate ");
    hook.more = 0; // by reference, not a copy
    CHECK(under(ref) == std::array{1.0f, 2.0f, 3.0f, 4.0f});
}

TEST_CASE("hook_ref: a copy calls the same hook, and is no reference to the first") {
    std::string said;
    scribe a{&said, 'a', 1}, b{&said, 'b', 2};
    hook_ref first{a};
    const hook_ref copy{first};
    first = hook_ref{b};
    CHECK(under(copy) == std::array{2.0f, 3.0f, 4.0f, 5.0f});
    CHECK(under(first) == std::array{3.0f, 4.0f, 5.0f, 6.0f});
    CHECK(said == "a7gate b7gate ");
}

TEST_CASE("hook_ref: takes a const hook and a lambda") {
    const no_hook nothing;
    CHECK(under(hook_ref{nothing})[0] == 1);
    auto doubles = [](std::size_t, site, block<float> values) { values.row(1)[0] *= 2; };
    CHECK(under(hook_ref{doubles}) == std::array{1.0f, 2.0f, 6.0f, 4.0f});
}

TEST_CASE("chained: the second hook gets what the first one left") {
    std::string said;
    scribe first{&said, 'a', 1};
    auto doubles = [&](std::size_t layer, site, block<float> values) {
        said += 'd' + std::to_string(layer);
        for (std::size_t t = 0; t < values.rows(); ++t) {
            for (float& v : values.row(t)) {
                v *= 2;
            }
        }
    };
    CHECK(under(chained{first, doubles}) == std::array{4.0f, 6.0f, 8.0f, 10.0f});
    CHECK(said == "a7gate d7");
    CHECK(under(chained{doubles, first}) == std::array{3.0f, 5.0f, 7.0f, 9.0f});
    chained inner{first, first};
    CHECK(under(chained{inner, doubles})[0] == 6);
}

} // namespace hook_test
