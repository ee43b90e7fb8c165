#pragma once

#include <tamis/error.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstdint>
#include <cstdio>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

TAMIS_BEGIN

namespace study {

// How what a meter has seen travels between processes and machines: as 64-bit words, which mean the same everywhere. A
// meter lists its members once,
//
//     template <class Archive>
//     void state(Archive& a) { a(std::as_const(where_), tokens_, counts_); }
//
// and to_words and from_words do the rest. Members may be integers, enums, bool, float and double (by their bits),
// exact_total and everything else that has a state, and vectors and arrays of those. A const member is what the meter was
// made with: it travels too, and words that disagree with it are refused. What is between two tokens of a sequence (the
// mask of the one before, say) is no state.
//
// Words may come from a damaged file or from a stranger. A size is believed as far as there are words for it, and a number
// that its member can not hold is refused. What else has to hold among the members (sizes that agree, a part that is not
// more than the whole) a meter says in
//
//     const char* problem() const; // "more active tokens than tokens"; nullptr: none
//
// and words that leave a problem are refused: without it, members may be anything that fits them.

namespace state_part {

template <class T>
concept number =
    std::is_integral_v<T> || std::is_enum_v<T> || std::is_same_v<T, float> || std::is_same_v<T, double>;

template <number T>
constexpr std::uint64_t word_of(T value) {
    if constexpr (std::is_same_v<T, float>) {
        return std::bit_cast<std::uint32_t>(value);
    } else if constexpr (std::is_same_v<T, double>) {
        return std::bit_cast<std::uint64_t>(value);
    } else {
        return static_cast<std::uint64_t>(value);
    }
}
template <number T>
constexpr T number_of(std::uint64_t word) {
    if constexpr (std::is_same_v<T, float>) {
        return std::bit_cast<float>(static_cast<std::uint32_t>(word));
    } else if constexpr (std::is_same_v<T, double>) {
        return std::bit_cast<double>(word);
    } else {
        return static_cast<T>(word);
    }
}

/// Says what is wrong with its members.
template <class T>
concept has_problem = requires(const T& t) {
    { t.problem() } -> std::same_as<const char*>;
};

[[noreturn]] inline void fail_problem(const char* problem) {
    char text[256];
    std::snprintf(text, sizeof text,
                  "tamis::study::from_words: the words are damaged, or another meter's: %s", problem);
    fail(text);
}

/// What the archives share: taking members apart, down to their numbers.
template <class Derived>
class archive {
  public:
    template <class... Members>
    constexpr void operator()(Members&... members) {
        (one(members), ...);
    }

  private:
    template <class T>
    constexpr void one(T& member) {
        if constexpr (number<std::remove_const_t<T>>) {
            self().number(member);
        } else if constexpr (requires { member.state(self()); }) {
            member.state(self());
            if constexpr (Derived::fills && has_problem<T>) {
                if (const char* const problem = member.problem(); problem != nullptr) {
                    fail_problem(problem);
                }
            }
        } else {
            self().several(member);
        }
    }
    constexpr Derived& self() { return static_cast<Derived&>(*this); }
};

} // namespace state_part

/// Appends the words of members to a vector; changes none of them.
class state_writer : public state_part::archive<state_writer> {
  public:
    static constexpr bool fills = false;

    /// Appends to these words.
    explicit state_writer(std::vector<std::uint64_t>& words) : words_{&words} {}

    template <class T>
    void number(T value) {
        words_->push_back(state_part::word_of(value));
    }
    template <class T>
    void several(std::vector<T>& all) {
        words_->push_back(all.size());
        for (T& one : all) {
            (*this)(one);
        }
    }
    template <class T, std::size_t N>
    void several(std::array<T, N>& all) {
        for (T& one : all) {
            (*this)(one);
        }
    }

  private:
    std::vector<std::uint64_t>* words_;
};

/// Fills members from words; refuses words that end too early or disagree with a const member.
class state_reader : public state_part::archive<state_reader> {
  public:
    static constexpr bool fills = true;

    /// Reads these words from the first on.
    explicit state_reader(std::span<const std::uint64_t> words) : words_{words} {}

    template <class T>
    void number(T& value) {
        const std::uint64_t word = next();
        if constexpr (!std::is_const_v<T>) {
            value = state_part::number_of<T>(word);
            if (state_part::word_of(value) != word) {
                fail_sizes(
                    "tamis::study::from_words: the words are damaged, or another meter's: a number of %zu bytes "
                    "can not be %zu",
                    sizeof value, static_cast<std::size_t>(word));
            }
        } else if (word != state_part::word_of(value)) {
            fail_sizes(
                "tamis::study::from_words: these are the words of another meter: it was made with %zu, "
                "the words say %zu",
                static_cast<std::size_t>(state_part::word_of(value)), static_cast<std::size_t>(word));
        }
    }
    /// As many as the words say; elements that can not be made from nothing have to be there already. The others are made
    /// as they are read, so that a wrong size takes no more memory than there are words.
    template <class T>
    void several(std::vector<T>& all) {
        const std::uint64_t count = next();
        if (count > words_.size()) { // each takes a word at least: no memory for sizes that can not be
            fail_sizes(
                "tamis::study::from_words: these are the words of another meter: a vector of %zu, but %zu "
                "words are left",
                static_cast<std::size_t>(count), words_.size());
        }
        if constexpr (std::is_default_constructible_v<T>) {
            all.resize((std::min)(all.size(), static_cast<std::size_t>(count)));
            if constexpr (state_part::number<T>) {
                all.reserve(static_cast<std::size_t>(count));
            }
            for (std::size_t i = 0; i < count; ++i) {
                if (i == all.size()) {
                    all.emplace_back();
                }
                (*this)(all[i]);
            }
            return;
        } else if (all.size() != count) {
            fail_sizes(
                "tamis::study::from_words: these are the words of another meter: it has a vector of %zu, "
                "the words one of %zu",
                all.size(), static_cast<std::size_t>(count));
        }
        for (T& one : all) {
            (*this)(one);
        }
    }
    template <class T, std::size_t N>
    void several(std::array<T, N>& all) {
        for (T& one : all) {
            (*this)(one);
        }
    }

    /// Words that were not read.
    std::size_t words_left() const { return words_.size(); }

  private:
    std::uint64_t next() {
        if (words_.empty()) {
            fail("tamis::study::from_words: these are the words of another meter: there are too few");
        }
        const std::uint64_t word = words_.front();
        words_ = words_.subspan(1);
        return word;
    }

    std::span<const std::uint64_t> words_;
};

/// What has a state: meters, and totals of them.
template <class M>
concept has_state = requires(M& m, state_writer& to, state_reader& from) {
    m.state(to);
    m.state(from);
};

/// A meter's state as words: the same on every machine, so they can be written to a file as they are.
template <has_state M>
std::vector<std::uint64_t> to_words(const M& m) {
    std::vector<std::uint64_t> words;
    state_writer writer{words};
    const_cast<M&>(m).state(writer); // one list of members serves both ways; a writer changes none
    return words;
}

/// Gives a meter the state that to_words had of its like, in place of its own; a sequence that it was in is over. Refuses
/// words of another shape (a meter made otherwise, too few words or too many), and those that no meter of this kind can
/// have (see problem() above); the meter is then as before.
template <has_state M>
    requires std::is_copy_constructible_v<M> && std::is_move_assignable_v<M>
void from_words(M& m, std::span<const std::uint64_t> words) {
    M filled{m};
    state_reader reader{words};
    reader(filled);
    if (reader.words_left() != 0) {
        fail_sizes(
            "tamis::study::from_words: these are the words of another meter: it takes %zu of them, got %zu",
            words.size() - reader.words_left(), words.size());
    }
    if constexpr (requires { filled.begin(); }) {
        filled.begin();
    }
    m = std::move(filled);
}

} // namespace study

TAMIS_END
