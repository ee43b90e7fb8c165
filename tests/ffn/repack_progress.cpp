#include "ffn/support_repack.hpp"
#include "ffn/support_threads.hpp"

#include <tamis/format/f32.hpp>

#include <doctest/doctest.h>

#include <stdexcept>

// progress is called from the calling thread, with 0 first and all bytes last.

namespace {

struct calls {
    std::vector<std::size_t> done;
    std::size_t all = 0;
    std::thread::id caller = std::this_thread::get_id();

    void operator()(std::size_t done_bytes, std::size_t all_bytes) {
        CHECK(std::this_thread::get_id() == caller);
        CHECK((done.empty() || all == all_bytes));
        done.push_back(done_bytes);
        all = all_bytes;
    }
};

using tamis::f32;
using tamis::neuron_major;

/// Three bands of 4 MiB and one that is less.
const auto& source() {
    static const auto matrix = random_stored<f32, tamis::output_major>(4100, 800, 1);
    return matrix;
}

} // namespace

TEST_CASE("repack: progress after each round of tasks") {
    constexpr std::size_t rounds[] = {0, 4, 2, 2, 1};
    for (const std::size_t width : {1u, 2u, 3u, 4u}) {
        CAPTURE(width);
        std::vector<std::byte> memory(tamis::repacked_bytes<f32, neuron_major>(source().view()));
        calls seen;
        tamis::repack<f32, neuron_major>(source().view(), memory, threads_of(width), seen);
        CHECK(seen.done.size() == 1 + rounds[width]);
        CHECK(std::is_sorted(seen.done.begin(), seen.done.end()));
        CHECK(seen.done.front() == 0);
        CHECK(seen.done.back() == seen.all);
        CHECK(seen.all == memory.size());
    }
}

TEST_CASE("repack: progress of what has no weights") {
    for (const auto& [rows, columns] : {std::pair{0u, 7u}, {7u, 0u}, {0u, 0u}}) {
        calls seen;
        const tamis::matrix<f32, neuron_major> nothing{static_cast<const void*>(nullptr), rows, columns};
        const auto result = tamis::repack<f32, tamis::input_major>(nothing, {}, tamis::serial{}, seen);
        CHECK(result.rows() == columns);
        CHECK(result.columns() == rows);
        CHECK(seen.done.front() == 0);
        CHECK(seen.done.back() == 0);
        CHECK(seen.all == 0);
    }
}

#if defined(__cpp_exceptions)
TEST_CASE("repack: a progress that throws ends the packing") {
    std::vector<std::byte> memory(tamis::repacked_bytes<f32, neuron_major>(source().view()), std::byte{0xff});
    const auto stop = [](std::size_t done, std::size_t) {
        if (done != 0) {
            throw std::runtime_error("enough");
        }
    };
    CHECK_THROWS_AS((tamis::repack<f32, neuron_major>(source().view(), memory, threads_of(1), stop)),
                    std::runtime_error);
    CHECK(memory.front() != std::byte{0xff});
    CHECK(memory.back() == std::byte{0xff});
}
#endif
