#include "support/message.hpp"

#include <tamis/ffn/glu_ffn.hpp>
#include <tamis/ffn/plain_ffn.hpp>
#include <tamis/ffn/prefill.hpp>
#include <tamis/format/f32.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <thread>

// One workspace serves one call at a time. A call is held open here by its observer, so that the second is certain to come
// before the first has returned.

#if !defined(TAMIS_CHECKED)
#error "these tests are compiled with TAMIS_CHECKED"
#endif
#if defined(__cpp_exceptions)

namespace {

constexpr std::size_t h = 4;
constexpr std::size_t d = 6;

struct checked_case {
    std::vector<float> numbers = std::vector<float>(h * d, 0.5f);
    std::vector<float> x = std::vector<float>(2 * h, 1.0f);
    std::vector<float> y = std::vector<float>(2 * h), other_y = std::vector<float>(2 * h);
    tamis::plain_ffn<tamis::plain_weights<tamis::matrix<tamis::f32, tamis::neuron_major>,
                                          tamis::matrix<tamis::f32, tamis::neuron_major>>,
                     tamis::relu>
        ffn{tamis::plain_weights{tamis::matrix<tamis::f32, tamis::neuron_major>{numbers.data(), d, h},
                                 tamis::matrix<tamis::f32, tamis::neuron_major>{numbers.data(), d, h}},
            tamis::relu{}};

    tamis::block<const float> in() const { return {x.data(), 2, h}; }
    tamis::block<float> out() { return {y.data(), 2, h}; }
    tamis::block<float> other_out() { return {other_y.data(), 2, h}; }

    /// What `second` is told while a call with `memory` is open.
    template <class Second>
    std::string during_a_call(tamis::workspace memory, Second&& second) {
        std::string said = "not called";
        ffn(in(), out(), memory, [&](const tamis::sighting& s) {
            if (s.where == tamis::site::intermediate) {
                said = message_of(second);
            }
        });
        return said;
    }
};

const char* const sentence = "tamis: two calls use one workspace at the same time: give each thread its own";

} // namespace

TEST_CASE("checked: a workspace in use is refused, from an observer and from another thread") {
    checked_case c;
    tamis::owned_workspace memory{c.ffn.workspace_bytes(tamis::serial{}, 2)};
    const auto again = [&] { c.ffn(c.in(), c.other_out(), memory); };
    CHECK(c.during_a_call(memory, again) == sentence);
    CHECK(c.during_a_call(memory, [&] {
        std::string said;
        std::thread{[&] { said = message_of(again); }}.join();
        throw std::runtime_error(said);
    }) == sentence);
    CHECK(message_of(again) == ""); // it is free again
}

TEST_CASE("checked: a part of it too, by any call") {
    checked_case c;
    std::vector<std::byte> bytes(1 << 20);
    const std::size_t half = bytes.size() / 2;
    const tamis::workspace first{std::span{bytes}.first(half)};
    const auto with = [&](std::size_t from) {
        return [&, from] { c.ffn(c.in(), c.other_out(), tamis::workspace{std::span{bytes}.subspan(from)}); };
    };
    CHECK(c.during_a_call(first, with(half - 64)) == sentence);
    CHECK(c.during_a_call(first, with(0)) == sentence);
    CHECK(c.during_a_call(first, with(half)) == "");
    tamis::owned_workspace large{tamis::prefill_workspace_bytes(c.ffn, 2)};
    CHECK(c.during_a_call(large, [&] { tamis::prefill(c.ffn, c.in(), c.other_out(), large); }) == sentence);
}

TEST_CASE("checked: a call that ends by an exception gives its workspace back") {
    checked_case c;
    tamis::owned_workspace memory{c.ffn.workspace_bytes(tamis::serial{}, 2)};
    CHECK(message_of([&] {
              c.ffn(c.in(), c.out(), memory,
                    [](const tamis::sighting&) { throw std::runtime_error("enough"); });
          }) == "enough");
    CHECK(message_of([&] { c.ffn(c.in(), c.out(), memory); }) == "");
}

#endif
