#pragma once

#include <tamis/study/exact_total.hpp>
#include <tamis/study/figure.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace app {

namespace study = tamis::study;

/// What a row has of one unit of its text (a story, a block of one), or of one question.
struct unit_record {
    /// Of one prediction, where they are kept.
    struct token {
        std::uint64_t place = 0; ///< of the predicted token in its story
        double loss = 0;
        bool hit = false;

        template <class Archive>
        void state(Archive& a) {
            a(place, loss, hit);
        }
    };

    study::exact_total loss;                     ///< of a text's predictions
    std::uint64_t hits = 0;                      ///< predictions that were right, or 1 for the right answer
    std::uint64_t dropped = 0, entries = 0;      ///< of masks
    std::uint64_t bytes_read = 0, bytes_all = 0; ///< of the FFNs' weights

    study::exact_total divergence{}; ///< KL(dense || row) of its predictions, where they are compared
    std::uint64_t agree = 0;         ///< predictions whose likeliest token is the dense model's

    std::vector<token> tokens{}; ///< by their places; empty unless they are kept

    /// Of the predictions that are compared with the dense model's: NaN where there are none or one is lost.
    double mean_divergence() const {
        return divergence.count() == 0 ? study::not_a_number : divergence.mean();
    }
    double agreement() const {
        return divergence.count() == 0
                   ? study::not_a_number
                   : study::unless_lost(divergence.left_out(),
                                        static_cast<double>(agree) / static_cast<double>(divergence.count()));
    }

    void merge(const unit_record& other) {
        loss.merge(other.loss);
        hits += other.hits;
        dropped += other.dropped;
        entries += other.entries;
        bytes_read += other.bytes_read;
        bytes_all += other.bytes_all;
        divergence.merge(other.divergence);
        agree += other.agree;
        const auto middle = tokens.insert(tokens.end(), other.tokens.begin(), other.tokens.end());
        std::inplace_merge(tokens.begin(), middle, tokens.end(),
                           [](const token& a, const token& b) { return a.place < b.place; });
    }
    template <class Archive>
    void state(Archive& a) {
        a(loss, hits, dropped, entries, bytes_read, bytes_all, divergence, agree, tokens);
    }
    const char* problem() const {
        return dropped > entries        ? "unit_record: more dropped entries than entries"
               : bytes_read > bytes_all ? "unit_record: more bytes read than there are"
                                        : nullptr;
    }
};

/// Records of units 0 .. count() - 1, of which those from one unit to another one are there: a thread has those of a few
/// stories, and only they take memory.
class unit_records {
  public:
    unit_records() = default;
    explicit unit_records(std::size_t count) : count_{count} {}

    std::size_t count() const { return count_; }
    /// Whether all of them are there.
    bool complete() const { return records_.size() == count_; }
    /// Of all of them together, without their tokens.
    unit_record total() const {
        unit_record all;
        for (const unit_record& r : records_) {
            all.merge(r);
        }
        all.tokens.clear();
        return all;
    }
    /// Of a unit that is not there: of nothing.
    const unit_record& operator[](std::size_t unit) const {
        static const unit_record nothing;
        return unit >= first_ && unit - first_ < records_.size() ? records_[unit - first_] : nothing;
    }
    void add(std::size_t unit, const unit_record& r) {
        reach(unit, unit + 1);
        records_[unit - first_].merge(r);
    }
    void merge(const unit_records& other) {
        if (!other.records_.empty()) {
            reach(other.first_, other.first_ + other.records_.size());
        }
        for (std::size_t i = 0; i < other.records_.size(); ++i) {
            records_[other.first_ + i - first_].merge(other.records_[i]);
        }
    }

    template <class Archive>
    void state(Archive& a) {
        a(std::as_const(count_), first_, records_);
    }
    const char* problem() const {
        return first_ > count_ || records_.size() > count_ - first_ ? "unit_records: units that are not there"
                                                                    : nullptr;
    }

  private:
    void reach(std::size_t from, std::size_t to) {
        if (records_.empty()) {
            first_ = from;
        }
        if (from < first_) {
            records_.insert(records_.begin(), first_ - from, {});
            first_ = from;
        }
        records_.resize(std::max(records_.size(), to - first_));
    }

    std::size_t count_ = 0, first_ = 0;
    std::vector<unit_record> records_;
};

} // namespace app
