#pragma once

#include <tamis/detail/config.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

#if defined(__linux__) && !defined(TAMIS_NO_HUGE_PAGES)
#include <sys/mman.h>
#endif

TAMIS_BEGIN

// A processor knows where some thousand pages lie. Weights are many more pages of 4 KiB, and rows that lie apart, between those that a mask
// leaves out, share few of them: every row costs a walk through tables, and what is read ahead ends with each page.

/// The page that is asked for: 2 MiB, of x86-64, and of 64-bit ARM with pages of 4 KiB.
inline constexpr std::size_t huge_page = std::size_t{1} << 21;

/// Asks the system for huge pages where whole ones lie in memory that the caller has allocated and has not written to yet (what is
/// there stays as it is, but may stay in small pages, too). Linux: madvise(MADV_HUGEPAGE), which its setting `madvise` waits for;
/// elsewhere, and with TAMIS_NO_HUGE_PAGES defined, nothing is done. False where none was asked for or the system refuses; it
/// promises nothing. aligned_memory asks for its own. O(1).
inline bool ask_for_huge_pages([[maybe_unused]] std::span<std::byte> memory) {
#if defined(MADV_HUGEPAGE) && !defined(TAMIS_NO_HUGE_PAGES)
    const auto address = reinterpret_cast<std::uintptr_t>(memory.data());
    const std::size_t before = (huge_page - address % huge_page) % huge_page;
    if (memory.size() < before + huge_page) {
        return false;
    }
    const std::size_t whole = (memory.size() - before) / huge_page * huge_page;
    return ::madvise(memory.data() + before, whole, MADV_HUGEPAGE) == 0;
#else
    return false;
#endif
}

TAMIS_END
