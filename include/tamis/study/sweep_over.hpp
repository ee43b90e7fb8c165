#pragma once

#include <tamis/shard/communicator.hpp>
#include <tamis/study/state.hpp>
#include <tamis/study/sweep.hpp>

#include <array>
#include <cstring>
#include <exception>
#include <string>

TAMIS_BEGIN

namespace study {

namespace sweep_detail {

// Between rank 0 and the others: an answer to each message. A rank has two requests on the way, so that the next part is in
// its hand while it does one; each ends with an answer of no parts.
enum class report : std::uint64_t { ready, done, failed };

inline std::vector<std::uint64_t> words_of_text(const std::string& text) {
    std::vector<std::uint64_t> words(1 + (text.size() + 7) / 8);
    words[0] = text.size();
    std::memcpy(words.data() + 1, text.data(), text.size());
    return words;
}
inline std::string text_of_words(std::span<const std::uint64_t> words) {
    std::string text(words.empty() ? 0 : (std::min)(std::size_t{words[0]}, (words.size() - 1) * 8), '\0');
    if (!text.empty()) {
        std::memcpy(text.data(), words.data() + 1, text.size());
    }
    return text;
}

/// Runs what may throw; says why it did not end, "" if it did.
template <class Work>
std::string failure_of(Work&& work) {
#if defined(__cpp_exceptions)
    try {
        work();
    } catch (const std::exception& e) {
        return *e.what() == '\0' ? "an exception without words" : e.what();
    } catch (...) {
        return "an exception of an unknown type";
    }
#else
    work();
#endif
    return {};
}

/// One rank's words on every rank.
template <communicator Ranks>
void share(const Ranks& ranks, std::size_t from, std::vector<std::uint64_t>& words) {
    std::uint64_t size = ranks.rank() == from ? words.size() : 0;
    ranks.sum(std::span{&size, 1});
    if (ranks.rank() != from) {
        words.assign(static_cast<std::size_t>(size), 0);
    }
    ranks.sum(std::span{words});
}

/// Refuses on every rank what one of them failed at; the first of several.
template <communicator Ranks>
void refuse_together(const Ranks& ranks, const std::string& failure) {
    std::uint64_t first = failure.empty() ? 0 : ranks.size() - ranks.rank();
    ranks.largest(std::span{&first, 1});
    if (first != 0) {
        std::vector<std::uint64_t> words = words_of_text(failure);
        share(ranks, ranks.size() - static_cast<std::size_t>(first), words);
        fail(text_of_words(words).c_str());
    }
}

/// The work of a rank other than 0; why it failed, or "".
template <class Result, messenger Ranks, class MakeWorker>
std::string work_for_dealer(const Ranks& ranks, const Result& fresh, MakeWorker& make_worker) {
    const auto say = [&](report kind, std::span<const std::uint64_t> rest) {
        std::vector<std::uint64_t> words{static_cast<std::uint64_t>(kind)};
        words.insert(words.end(), rest.begin(), rest.end());
        ranks.send(0, words);
    };
    std::size_t open = 2;
    for (std::size_t i = 0; i < open; ++i) {
        say(report::ready, {});
    }
    const auto next_claim = [&](std::array<std::uint64_t, 2>& claim) {
        while (open != 0) {
            const rank_message dealt = ranks.receive();
            if (dealt.words.size() == 2) {
                std::copy_n(dealt.words.begin(), 2, claim.begin());
                return true;
            }
            --open;
        }
        return false;
    };
    std::array<std::uint64_t, 2> claim{};
    bool is_at_work = false;
    std::string failure = failure_of([&] {
        auto work = make_worker();
        while (next_claim(claim)) {
            is_at_work = true;
            Result sum{fresh};
            work(static_cast<std::size_t>(claim[0]), static_cast<std::size_t>(claim[1]), sum);
            std::vector<std::uint64_t> words{claim[0], claim[1]};
            const auto state = to_words(sum);
            words.insert(words.end(), state.begin(), state.end());
            is_at_work = false;
            say(report::done, words);
        }
    });
    if (!failure.empty()) { // what was dealt is given back
        for (bool is_dealt = is_at_work || next_claim(claim); is_dealt; is_dealt = next_claim(claim)) {
            say(report::failed, {});
        }
    }
    return failure;
}

} // namespace sweep_detail

/// A sweep over ranks, each with one worker of its own: rank 0 deals the parts out one by one as they are asked for, and works
/// too. Results travel as words (see state.hpp). `make_worker`, `finished` and `progress` as in sweep; the last two are called
/// on rank 0 alone. Every rank returns the same results, those of a sweep on one, in the order of the trials. The first
/// exception, of whichever rank, ends the sweep with its words on all of them; a process that dies ends it through mpirun.
/// Refuses numbers of trials or parts that differ from rank to rank.
template <mergeable_result Result, messenger Ranks, class MakeWorker, class Finished, class Progress>
    requires has_state<Result>
std::vector<Result> sweep_over(const Ranks& ranks, std::size_t trials, std::size_t parts, const Result& fresh,
                               MakeWorker&& make_worker, Finished&& finished, Progress&& progress) {
    using sweep_detail::report;
    std::array<std::uint64_t, 4> sizes{trials, ~std::uint64_t{trials}, parts, ~std::uint64_t{parts}};
    ranks.largest(std::span<std::uint64_t>{sizes});
    if (sizes[0] != ~sizes[1] || sizes[2] != ~sizes[3]) {
        fail("tamis::study::sweep_over: the ranks do not have the same numbers of trials and parts");
    }

    std::string failure;
    std::vector<std::uint64_t> outcome; // the results' words, each with its number
    if (ranks.rank() == 0) {
        sweep_detail::ledger<Result, std::remove_reference_t<Finished>, std::remove_reference_t<Progress>>
            left{trials, parts, fresh, finished, progress};
        const auto stop_at = [&](const std::string& why) {
            if (!why.empty()) {
                failure = failure.empty() ? why : failure;
                left.stop();
            }
        };
        std::size_t open = 2 * (ranks.size() - 1);
        const auto answer_one = [&] {
            const rank_message said = ranks.receive();
            const auto rest = std::span<const std::uint64_t>{said.words}.subspan(1);
            if (static_cast<report>(said.words[0]) == report::failed) {
                left.stop();
            } else if (static_cast<report>(said.words[0]) == report::done) {
                stop_at(sweep_detail::failure_of([&] {
                    Result sum{fresh};
                    from_words(sum, rest.subspan(2));
                    const auto part = static_cast<std::size_t>(rest[1]);
                    left.add({static_cast<std::size_t>(rest[0]), part, part + 1}, sum);
                }));
            }
            const auto next = left.next(1);
            const std::array<std::uint64_t, 2> claim{next.trial, next.first};
            const bool is_over = next.first == next.last;
            open -= is_over ? 1 : 0;
            ranks.send(said.from, std::span<const std::uint64_t>{claim}.first(is_over ? 0 : 2));
        };
        stop_at(sweep_detail::failure_of([&] {
            auto work = make_worker();
            for (;;) {
                while (open != 0 && ranks.has_message()) {
                    answer_one();
                }
                const auto mine = left.next(1);
                if (mine.first == mine.last) {
                    return;
                }
                Result sum{fresh};
                work(mine.trial, mine.first, sum);
                left.add(mine, sum);
            }
        }));
        while (open != 0) { // NOLINT(bugprone-infinite-loop): answer_one counts it down
            answer_one();
        }
        for (const Result& result : left.take()) {
            const auto words = to_words(result);
            outcome.push_back(words.size());
            outcome.insert(outcome.end(), words.begin(), words.end());
        }
    } else {
        failure = sweep_detail::work_for_dealer(ranks, fresh, make_worker);
    }
    sweep_detail::refuse_together(ranks, failure);

    sweep_detail::share(ranks, 0, outcome);
    std::span<const std::uint64_t> unread{outcome};
    std::vector<Result> results(trials, fresh);
    for (Result& result : results) {
        const auto size = static_cast<std::size_t>(unread[0]);
        from_words(result, unread.subspan(1, size));
        unread = unread.subspan(1 + size);
    }
    return results;
}

} // namespace study

TAMIS_END
