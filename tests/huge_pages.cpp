#include <tamis/huge_pages.hpp>
#include <tamis/workspace.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace huge_pages_test {

TEST_CASE("huge pages are asked for where whole ones lie, and nothing that is there changes") {
    std::vector<std::byte> memory(5 * tamis::huge_page);
    for (std::size_t i = 0; i < memory.size(); ++i) {
        memory[i] = static_cast<std::byte>(i * 7 / 5);
    }
    const std::vector<std::byte> before = memory;
    for (const std::size_t first :
         {std::size_t{0}, std::size_t{1}, std::size_t{4096}, tamis::huge_page - 1}) {
        for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{4096},
                                       tamis::huge_page - 1, 3 * tamis::huge_page + 5}) {
            const bool asked = tamis::ask_for_huge_pages({memory.data() + first, size});
            CHECK((!asked || size >= tamis::huge_page));
#if defined(MADV_HUGEPAGE)
            if (size > 2 * tamis::huge_page &&
                std::filesystem::exists("/sys/kernel/mm/transparent_hugepage")) {
                CHECK(asked);
            }
#endif
        }
    }
    CHECK(std::equal(memory.begin(), memory.end(), before.begin()));
    CHECK(!tamis::ask_for_huge_pages({}));
}

TEST_CASE(
    "aligned_memory: large ones begin with a huge page, others with a cache line, and moving keeps them") {
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{1}, std::size_t{100'000}, 2 * tamis::huge_page - 1,
          2 * tamis::huge_page, 2 * tamis::huge_page + 1, 9 * tamis::huge_page}) {
        CAPTURE(size);
        tamis::aligned_memory memory{size};
        std::fill(memory.bytes().begin(), memory.bytes().end(), std::byte{7});
        const auto address = reinterpret_cast<std::uintptr_t>(memory.bytes().data());
        CHECK(address % tamis::workspace_alignment == 0);
        if (sizeof(void*) == 8 && size >= 2 * tamis::huge_page) {
            CHECK(address % tamis::huge_page == 0);
        }
        tamis::aligned_memory moved{std::move(memory)};
        CHECK(memory.size() == 0);
        memory = tamis::aligned_memory{3};
        memory = std::move(moved);
        CHECK(memory.size() == size);
        CHECK(std::all_of(memory.bytes().begin(), memory.bytes().end(),
                          [](std::byte b) { return b == std::byte{7}; }));
    }
}

} // namespace huge_pages_test
