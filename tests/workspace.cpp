#include <tamis/workspace.hpp>

#include "support/message.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <cstdint>
#include <vector>

using tamis::workspace;

namespace {

bool is_aligned(const void* p) {
    return reinterpret_cast<std::uintptr_t>(p) % tamis::workspace_alignment == 0;
}

} // namespace

TEST_CASE("sizes are rounded up to whole cache lines") {
    CHECK(tamis::workspace_bytes_of<float>(0) == 0);
    CHECK(tamis::workspace_bytes_of<float>(1) == 64);
    CHECK(tamis::workspace_bytes_of<float>(16) == 64);
    CHECK(tamis::workspace_bytes_of<double>(9) == 128);
}

TEST_CASE("what is taken is aligned, apart, and inside the memory, wherever that begins") {
    std::vector<std::byte> memory(1024 + 64);
    for (std::size_t offset = 0; offset < 64; ++offset) {
        workspace w{std::span{memory}.subspan(offset, 1024)};
        const std::size_t left = w.bytes_left();
        CAPTURE(offset);
        CHECK(left + 64 > 1024);
        const auto a = w.take<float>(3);
        const auto b = w.take<double>(20);
        CHECK(a.size() == 3);
        CHECK(b.size() == 20);
        CHECK(is_aligned(a.data()));
        CHECK(is_aligned(b.data()));
        CHECK(static_cast<void*>(a.data() + 3) <= static_cast<void*>(b.data()));
        CHECK(static_cast<void*>(b.data() + 20) <= static_cast<void*>(memory.data() + offset + 1024));
        CHECK(w.bytes_left() == left - 64 - 192);
    }
}

TEST_CASE("a callee's share is free again when it returns") {
    tamis::owned_workspace memory{128};
    workspace w = memory;
    float* first = nullptr;
    const auto callee = [&](workspace mine) { return mine.take<float>(32).data(); };
    first = callee(w);
    CHECK(callee(w) == first);
    CHECK(w.bytes_left() == 128);
}

TEST_CASE("memory that was moved from has none, and what was moved to has all") {
    tamis::aligned_memory a{100};
    const std::byte* const where = a.bytes().data();
    tamis::aligned_memory b{std::move(a)};
    CHECK(b.size() == 100);
    CHECK(b.bytes().data() == where);
    CHECK(a.size() == 0); // NOLINT(bugprone-use-after-move): that is what is asked
    CHECK(a.bytes().empty());
    a = std::move(b);
    CHECK(a.bytes().data() == where);
    CHECK(b.size() == 0); // NOLINT(bugprone-use-after-move)
}

TEST_CASE("a workspace of its own has exactly the bytes it was made with, none too") {
    for (const std::size_t bytes : {std::size_t{0}, std::size_t{64}, std::size_t{1000}}) {
        tamis::owned_workspace memory{bytes};
        CHECK(memory.view().bytes_left() == bytes);
    }
    workspace nothing;
    CHECK(nothing.take<double>(0).empty());
    CHECK(nothing.bytes_left() == 0);
}

#if defined(__cpp_exceptions)
TEST_CASE("too small a workspace says what is needed and what is left") {
    tamis::owned_workspace memory{128};
    workspace w = memory;
    w.take<float>(16);
    const std::string message = message_of([&] { w.take<double>(9); });
    CHECK(message.find("128 more bytes are needed, 64 are left") != std::string::npos);
    CHECK(w.take<double>(8).size() == 8); // refusing changed nothing
    CHECK_THROWS_AS(workspace{}.take<char>(1), std::invalid_argument);
}

TEST_CASE("memory that is too small to be aligned is an empty workspace") {
    alignas(64) std::byte memory[128];
    CHECK(workspace{std::span{memory}.subspan(1, 60)}.bytes_left() == 0);
    CHECK(workspace{std::span{memory}.subspan(1, 64)}.bytes_left() == 1);
    CHECK_THROWS_AS((workspace{std::span{memory}.subspan(1, 127)}.take<float>(17)), std::invalid_argument);
    CHECK_NOTHROW((workspace{std::span{memory}.subspan(1, 127)}.take<float>(16)));
}
#endif
