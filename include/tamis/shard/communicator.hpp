#pragma once

#include <tamis/detail/config.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

TAMIS_BEGIN

/// Ranks (processes, machines, devices' hosts) that all call the same things in the same order, as those of MPI do. Each
/// operation is collective, works in place and ends with the same numbers on every rank:
///     c.sum(words)      adds 64-bit words (modulo 2^64)
///     c.largest(words)  the largest of each
///     c.sum(floats)     adds floats, in an order of its own: the last bits are the communicator's
/// An operation that cannot be done (a rank is gone) throws or ends the program; it never returns other numbers.
/// Models: alone; mpi_communicator in <tamis/mpi.hpp>. One over gloo, NCCL or an engine's own collectives is these five.
template <class C>
concept communicator = requires(const C& c, std::span<std::uint64_t> words, std::span<float> floats) {
    { c.rank() } -> std::convertible_to<std::size_t>;
    { c.size() } -> std::convertible_to<std::size_t>;
    c.sum(words);
    c.largest(words);
    c.sum(floats);
};

/// Words, and the rank that sent them.
struct rank_message {
    std::size_t from = 0;               ///< the rank
    std::vector<std::uint64_t> words{}; ///< what it sent
};

/// A communicator whose ranks can also send each other words, from one to another: what dealing out work needs.
///     c.send(rank, words)   may wait until they are received
///     c.receive()           a rank_message from any rank; waits
///     c.has_message()       whether receive would not wait
/// Messages of one rank to another arrive in their order.
template <class C>
concept messenger =
    communicator<C> && requires(const C& c, std::size_t rank, std::span<const std::uint64_t> words) {
        c.send(rank, words);
        { c.receive() } -> std::same_as<rank_message>;
        { c.has_message() } -> std::convertible_to<bool>;
    };

/// One rank: nothing to add.
struct alone {
    static constexpr std::size_t rank() { return 0; }
    static constexpr std::size_t size() { return 1; }
    static constexpr void sum(std::span<std::uint64_t>) {}
    static constexpr void largest(std::span<std::uint64_t>) {}
    static constexpr void sum(std::span<float>) {}
};

/// A run of entries, [first, last).
struct shard_range {
    std::size_t first = 0, last = 0; ///< the first entry, and the one behind the last
    /// How many entries.
    constexpr std::size_t size() const { return last - first; }
};

/// The part of n entries that is a rank's when they are divided evenly: sizes differ by one at most, and with more ranks than
/// entries some have none. Any other division serves as well.
constexpr shard_range even_shard(std::size_t n, std::size_t rank, std::size_t ranks) {
    const std::size_t each = n / ranks;
    const std::size_t more = n % ranks;
    const auto start = [&](std::size_t r) { return r * each + (r < more ? r : more); };
    return {start(rank), start(rank + 1)};
}

TAMIS_END
