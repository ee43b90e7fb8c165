#pragma once

#include <tamis/error.hpp>
#include <tamis/shard/communicator.hpp>

#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>
#include <utility>

TAMIS_BEGIN

/// MPI's ranks as a communicator and messenger: a duplicate of the given one, so that nothing is mixed up with messages of the
/// program's own. Made and destroyed by all ranks together, between MPI_Init and MPI_Finalize. Calls come from one thread at a
/// time (MPI_THREAD_FUNNELED is enough). An error of MPI is refused with MPI's own words; where a rank is gone, mpirun ends the
/// others. Movable; borrowed by what uses it.
class mpi_communicator {
  public:
    /// Collective over `of`.
    explicit mpi_communicator(MPI_Comm of) {
        int is_on = 0;
        MPI_Initialized(&is_on);
        if (is_on == 0) {
            fail("tamis::mpi_communicator: call MPI_Init before");
        }
        check(MPI_Comm_dup(of, &comm_), "MPI_Comm_dup");
        MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN);
        int number = 0;
        MPI_Comm_rank(comm_, &number);
        rank_ = static_cast<std::size_t>(number);
        MPI_Comm_size(comm_, &number);
        size_ = static_cast<std::size_t>(number);
    }
    /// What was moved from is only good to be destroyed or assigned to.
    mpi_communicator(mpi_communicator&& other) noexcept
        : comm_{std::exchange(other.comm_, MPI_COMM_NULL)}, rank_{other.rank_}, size_{other.size_} {}
    /// Exchanges the two.
    mpi_communicator& operator=(mpi_communicator&& other) noexcept {
        std::swap(comm_, other.comm_);
        std::swap(rank_, other.rank_);
        std::swap(size_, other.size_);
        return *this;
    }
    mpi_communicator(const mpi_communicator&) = delete;
    mpi_communicator& operator=(const mpi_communicator&) = delete;
    ~mpi_communicator() {
        int is_off = 0;
        MPI_Finalized(&is_off);
        if (comm_ != MPI_COMM_NULL && is_off == 0) {
            MPI_Comm_free(&comm_);
        }
    }

    std::size_t rank() const { return rank_; }
    std::size_t size() const { return size_; }

    void sum(std::span<std::uint64_t> words) const { reduce(words, MPI_UINT64_T, MPI_SUM); }
    void largest(std::span<std::uint64_t> words) const { reduce(words, MPI_UINT64_T, MPI_MAX); }
    void sum(std::span<float> floats) const { reduce(floats, MPI_FLOAT, MPI_SUM); }

    void send(std::size_t to, std::span<const std::uint64_t> words) const {
        if (words.size() > most) {
            fail_sizes("tamis::mpi_communicator: a message has at most %zu words, got %zu", most,
                       words.size());
        }
        check(MPI_Send(words.data(), static_cast<int>(words.size()), MPI_UINT64_T, static_cast<int>(to), tag,
                       comm_),
              "MPI_Send");
    }
    rank_message receive() const {
        MPI_Status status;
        wait([&] {
            int is_there = 0;
            check(MPI_Iprobe(MPI_ANY_SOURCE, tag, comm_, &is_there, &status), "MPI_Iprobe");
            return is_there != 0;
        });
        int count = 0;
        MPI_Get_count(&status, MPI_UINT64_T, &count);
        rank_message got{static_cast<std::size_t>(status.MPI_SOURCE),
                         std::vector<std::uint64_t>(static_cast<std::size_t>(count))};
        check(MPI_Recv(got.words.data(), count, MPI_UINT64_T, status.MPI_SOURCE, tag, comm_,
                       MPI_STATUS_IGNORE),
              "MPI_Recv");
        return got;
    }
    /// A probe may do no more than take in what has arrived, so that the next one finds it (MPICH's does): who works between
    /// two questions would answer a whole part of the work later.
    bool has_message() const {
        int is_there = 0;
        for (int probe = 0; probe < 3 && is_there == 0; ++probe) {
            check(MPI_Iprobe(MPI_ANY_SOURCE, tag, comm_, &is_there, MPI_STATUS_IGNORE), "MPI_Iprobe");
        }
        return is_there != 0;
    }

  private:
    static constexpr std::size_t most = std::size_t{1} << 30; // of one of MPI's counts, which are ints
    static constexpr int tag = 0x7a;

    static void check(int code, const char* call) {
        if (code != MPI_SUCCESS) {
            char words[MPI_MAX_ERROR_STRING] = "";
            int length = 0;
            MPI_Error_string(code, words, &length);
            char text[MPI_MAX_ERROR_STRING + 64];
            std::snprintf(text, sizeof text, "tamis::mpi_communicator: %s failed: %.*s", call, length, words);
            fail(text);
        }
    }
    /// MPI's own waiting spins: where ranks outnumber cores, the one that is waited for may then not run for a whole slice of
    /// time, and schedulers that are fair take little notice of a thread that yields. So after a moment the others sleep.
    template <class IsDone>
    static void wait(IsDone&& is_done) {
        for (int turns = 0; !is_done(); ++turns) {
            if (turns > 2000) {
                std::this_thread::sleep_for(std::chrono::microseconds(20));
            } else if (turns > 1000) {
                std::this_thread::yield();
            }
        }
    }
    template <class T>
    void reduce(std::span<T> all, MPI_Datatype type, MPI_Op op) const {
        for (; !all.empty(); all = all.subspan((std::min)(most, all.size()))) {
            MPI_Request request;
            check(MPI_Iallreduce(MPI_IN_PLACE, all.data(), static_cast<int>((std::min)(most, all.size())),
                                 type, op, comm_, &request),
                  "MPI_Iallreduce");
            wait([&] {
                int is_done = 0;
                check(MPI_Test(&request, &is_done, MPI_STATUS_IGNORE), "MPI_Test");
                return is_done != 0;
            });
        }
    }

    MPI_Comm comm_ = MPI_COMM_NULL;
    std::size_t rank_ = 0, size_ = 1;
};

TAMIS_END
