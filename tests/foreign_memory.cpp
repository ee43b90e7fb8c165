#include <tamis/foreign_handle.hpp>
#include <tamis/text_error.hpp>

#include <doctest/doctest.h>

#include <array>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>

#if defined(__cpp_exceptions) // without them a refusal ends the program

// What another language hands over: addresses, sizes and handles that can not be right are refused by name.

namespace {

using tamis::foreign_memory;

alignas(64) std::uint64_t words_of_caller[8] = {};

struct number_handle : tamis::foreign_handle<tamis::kind_of_handle("number"), int> {};
struct other_handle : tamis::foreign_handle<tamis::kind_of_handle("other"), int> {};

/// What is refused, or an empty text.
template <class F>
std::string refusal(F&& f) {
    char text[256] = "";
    (void)tamis::ending_of(f, text, sizeof text);
    return text;
}
bool says(const std::string& text, std::string_view words) { return text.find(words) != text.npos; }

} // namespace

TEST_CASE("sizes: what overflows is refused, and none are no bytes") {
    constexpr std::size_t huge = ~std::size_t{0};
    CHECK(tamis::checked_product("n", 6, 7) == 42);
    CHECK(tamis::checked_product("n", huge, 0) == 0);
    CHECK(tamis::checked_extent("n", 3, 10, 4, 2, 8) == (2 * 10 + 3 * 2 + 1) * 8);
    CHECK(tamis::checked_extent("n", 0, huge, 4, huge, 8) == 0);
    CHECK(tamis::checked_extent("n", 1, huge, 1, huge, 8) == 8);
    for (const auto& [rows, stride, columns, step] :
         {std::array{std::size_t{2}, huge, std::size_t{1}, std::size_t{1}},
          {huge, std::size_t{2}, std::size_t{2}, std::size_t{1}},
          {std::size_t{2}, std::size_t{1}, huge, huge},
          {std::size_t{2}, tamis::most_bytes, std::size_t{2}, tamis::most_bytes}}) {
        const std::array sizes{rows, stride, columns, step};
        CHECK(says(refusal([&] { tamis::checked_extent("x", sizes[0], sizes[1], sizes[2], sizes[3], 4); }),
                   "tamis: x: sizes and strides"));
    }
    CHECK(says(refusal([] { tamis::need_at_most("rows", 9, 8); }), "rows is 9, and may be 8 at most"));
}

TEST_CASE("memory: null, addresses and ends") {
    const auto* const bytes = reinterpret_cast<const unsigned char*>(words_of_caller);
    CHECK(foreign_memory{"m", nullptr, 0, 8}.bytes() == 0);
    CHECK(says(refusal([] { foreign_memory{"m", nullptr, 1}; }), "tamis: m is a null pointer"));
    CHECK(says(refusal([&] { foreign_memory{"m", bytes + 1, 8, 4}; }), "no multiple of 4"));
    CHECK(says(refusal([&] { foreign_memory{"m", bytes, ~std::size_t{0}}; }), "beyond all memory"));
    CHECK(says(refusal([] { foreign_memory::of("m", words_of_caller, ~std::size_t{0} / 2); }),
               "more than memory"));
    CHECK(&tamis::need_object("m", words_of_caller) == words_of_caller);
    CHECK(tamis::need_objects_or_none("m", static_cast<const float*>(nullptr), 9).empty());
    CHECK(tamis::need_objects_or_none("m", words_of_caller, 3).size() == 3);
    CHECK(tamis::need_text("t", "word") == "word");
    CHECK(says(refusal([] { (void)tamis::need_text("t", nullptr); }), "t is a null pointer"));
}

TEST_CASE("memory that overlaps: a byte is enough, neighbours are apart") {
    const auto part = [](std::size_t first, std::size_t bytes) {
        return foreign_memory{first == 0 ? "a" : "b", reinterpret_cast<const char*>(words_of_caller) + first,
                              bytes};
    };
    CHECK(part(0, 9).overlaps(part(8, 8)));
    CHECK(part(8, 8).overlaps(part(0, 9)));
    CHECK(part(0, 64).overlaps(part(8, 8)));
    CHECK_FALSE(part(0, 8).overlaps(part(8, 8)));
    CHECK_FALSE(part(0, 9).overlaps(part(8, 0)));
    tamis::need_apart({part(0, 8), part(8, 8), part(16, 8)});
    CHECK(says(refusal([&] {
                   tamis::need_apart({part(0, 8), part(16, 8), part(7, 2)});
               }),
               "a and b overlap"));
}

TEST_CASE("bits behind the last entry of each mask") {
    std::uint64_t masks[]{~std::uint64_t{0}, 0x3f, 0, 0x40};
    CHECK(refusal([&] { tamis::need_clear_behind("m", {masks, 2}, 70); }).empty());
    CHECK(refusal([&] { tamis::need_clear_behind("m", masks, 128); }).empty());
    CHECK(refusal([&] { tamis::need_clear_behind("m", masks, 71); }).empty());
    CHECK(says(refusal([&] { tamis::need_clear_behind("m", masks, 70); }), "behind the last of 70"));
    CHECK(refusal([] { tamis::need_clear_behind("m", {}, 70); }).empty());
}

TEST_CASE("handles: the kind that is asked for, and no other") {
    auto* const number = tamis::new_handle<number_handle>(7);
    CHECK(tamis::need_handle("h", number) == 7);
    const other_handle other{{other_handle::right, 8}};
    const auto* const wrong = reinterpret_cast<const number_handle*>(&other);
    CHECK_FALSE(tamis::is_handle(wrong));
    CHECK(says(refusal([&] { (void)tamis::need_handle("h", wrong); }), "h is no handle of this kind"));
    CHECK(
        says(refusal([] { (void)tamis::need_handle<number_handle>("h", nullptr); }), "h is a null pointer"));
    tamis::free_handle(static_cast<number_handle*>(nullptr));
    tamis::free_handle(number);
}

TEST_CASE("endings: what was thrown, as a sentence that fits") {
    char text[8] = "before";
    using tamis::ending;
    CHECK(tamis::ending_of([] {}, text, sizeof text) == ending::done);
    CHECK(std::string_view{text} == "before");
    CHECK(tamis::ending_of([] { tamis::fail("a long sentence"); }, text, sizeof text) == ending::refused);
    CHECK(std::string_view{text} == "a long ");
    CHECK(tamis::ending_of([] { throw std::bad_alloc{}; }, text, 0) == ending::no_memory);
    CHECK(tamis::ending_of([] { throw std::runtime_error{"x"}; }, nullptr, 9) == ending::fault);
    CHECK(tamis::ending_of([] { tamis::need_room("memory", 9, 10); }, text, sizeof text) ==
          ending::too_small);
    tamis::need_room("memory", 10, 10);
    CHECK(says(refusal([] { tamis::need_room("memory", 9, 10); }), "memory needs 10 bytes, got 9"));
    const struct {
        std::size_t size;
    } sized{sizeof sized + 1};
    CHECK(says(refusal([&] { (void)tamis::need_sized("parts", &sized); }), "parts.size is"));
    CHECK(says(refusal([] { tamis::fail_if("a reason"); }), "a reason"));
    tamis::fail_if("");
    CHECK(tamis::ending_of([] { throw 1; }, text, sizeof text) == ending::fault);
}

#endif
