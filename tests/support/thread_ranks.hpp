#pragma once

#include <tamis/shard/communicator.hpp>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

// Ranks that are threads of one process: the plainest communicator and messenger there is.

class thread_ranks {
  public:
    explicit thread_ranks(std::size_t size) : letters_(size), size_{size} {}

    class one {
      public:
        one(thread_ranks& of, std::size_t rank) : of_{&of}, rank_{rank} {}
        std::size_t rank() const { return rank_; }
        std::size_t size() const { return of_->size_; }
        void sum(std::span<std::uint64_t> words) const {
            of_->together(rank_, words, [](std::uint64_t& a, std::uint64_t b) { a += b; });
        }
        void largest(std::span<std::uint64_t> words) const {
            of_->together(rank_, words, [](std::uint64_t& a, std::uint64_t b) { a = std::max(a, b); });
        }
        void sum(std::span<float> floats) const {
            of_->together(rank_, floats, [](float& a, float b) { a += b; });
        }
        void send(std::size_t to, std::span<const std::uint64_t> words) const {
            const std::lock_guard lock{of_->guard_};
            of_->letters_[to].push_back({rank_, {words.begin(), words.end()}});
            of_->changed_.notify_all();
        }
        tamis::rank_message receive() const {
            std::unique_lock lock{of_->guard_};
            of_->changed_.wait(lock, [&] { return !of_->letters_[rank_].empty(); });
            auto got = std::move(of_->letters_[rank_].front());
            of_->letters_[rank_].pop_front();
            return got;
        }
        bool has_message() const {
            const std::lock_guard lock{of_->guard_};
            return !of_->letters_[rank_].empty();
        }

      private:
        thread_ranks* of_;
        std::size_t rank_;
    };

    /// Runs work(rank) on each; the first exception comes out when all have ended.
    template <class Work>
    void run(Work&& work) {
        std::vector<std::thread> threads;
        std::exception_ptr failure;
        for (std::size_t r = 0; r < size_; ++r) {
            threads.emplace_back([&, r] {
#if defined(__cpp_exceptions)
                try {
                    work(one{*this, r});
                } catch (...) {
                    const std::lock_guard lock{guard_};
                    failure = failure ? failure : std::current_exception();
                }
#else
                work(one{*this, r});
#endif
            });
        }
        for (auto& thread : threads) {
            thread.join();
        }
        if (failure) {
            std::rethrow_exception(failure);
        }
    }
    /// How many collective operations there were, and bytes that a rank gave to them.
    std::size_t operations = 0, bytes = 0;

  private:
    /// The last to come adds all up, in the order of the ranks; each takes the result.
    template <class T, class Join>
    void together(std::size_t rank, std::span<T> mine, Join join) {
        std::unique_lock lock{guard_};
        if (given_.empty()) {
            given_.resize(size_);
        }
        given_[rank] = {mine.data(), mine.size()};
        const std::size_t round = rounds_;
        if (++arrived_ == size_) {
            std::vector<T> all(mine.begin(), mine.end());
            bool is_first = true;
            for (const auto& [data, count] : given_) {
                if (count != mine.size()) {
                    std::terminate(); // as MPI ends a program whose ranks give different lengths
                }
                for (std::size_t i = 0; i < count; ++i) {
                    is_first ? void(all[i] = static_cast<const T*>(data)[i])
                             : join(all[i], static_cast<const T*>(data)[i]);
                }
                is_first = false;
            }
            for (const auto& [data, count] : given_) {
                std::copy_n(all.data(), count, static_cast<T*>(data));
            }
            ++operations;
            bytes += mine.size_bytes();
            arrived_ = 0;
            ++rounds_;
            changed_.notify_all();
        } else {
            changed_.wait(lock, [&] { return rounds_ != round; });
        }
    }

    std::mutex guard_;
    std::condition_variable changed_;
    std::vector<std::pair<void*, std::size_t>> given_;
    std::vector<std::deque<tamis::rank_message>> letters_;
    std::size_t size_, arrived_ = 0, rounds_ = 0;
};
