#pragma once

#include <tamis/study/calibrate/calibration.hpp>

#include <nlohmann/json.hpp>

#include <array>
#include <iterator>
#include <utility>

TAMIS_BEGIN

namespace detail {

/// A text's characters, with the line that the last one taken ended or stands in.
struct counted_characters {
    using iterator_category = std::input_iterator_tag;
    using value_type = char;
    using difference_type = std::ptrdiff_t;
    using pointer = const char*;
    using reference = const char&;

    struct place {
        std::size_t line = 1;
        bool behind_end = false; // the last character taken was a line's end
    };

    reference operator*() const { return *at; }
    counted_characters& operator++() {
        here->behind_end = *at++ == '\n';
        here->line += here->behind_end ? 1u : 0u;
        return *this;
    }
    counted_characters operator++(int) {
        const counted_characters before = *this;
        ++*this;
        return before;
    }
    friend bool operator==(const counted_characters& a, const counted_characters& b) { return a.at == b.at; }

    const char* at;
    place* here;
};

/// Fills a calibration from the events of nlohmann's parser, so that a file takes no memory beside the calibration and
/// each error knows its line. The first thing that is wrong ends it. Without a place (a value that was parsed elsewhere)
/// errors have no line. `head_only`: looks at format and version alone, wherever in the file they stand, and has no other
/// errors: these two decide whether anything else means what it seems to.
class calibration_reader {
  public:
    calibration_reader(const counted_characters::place* here, bool head_only)
        : here_{here}, head_only_{head_only} {}

    /// Behind the last event: checks what is about more than one field.
    void finish() {
        if (!error_.empty() || head_only_) {
            return;
        }
        const std::string problem = study::problem_of(c_);
        if (problem.empty()) {
            return;
        }
        std::vector<std::array<bool, study::all_sites.size()>> seen(
            c_.layers <= study::most_layers ? c_.layers : 0);
        std::size_t line = lines_[layers_field];
        for (std::size_t i = 0; i < c_.rules.size() && !seen.empty(); ++i) {
            const auto& r = c_.rules[i];
            if (r.layer >= seen.size() ||
                std::exchange(seen[r.layer][static_cast<std::size_t>(r.where)], true)) {
                line = rule_lines_[i];
                break;
            }
        }
        refuse(problem, line);
    }
    study::calibration& result() { return c_; }
    const std::string& error() const { return error_; }

    // What nlohmann calls json_sax.
    using number_integer_t = nlohmann::json::number_integer_t;
    using number_unsigned_t = nlohmann::json::number_unsigned_t;
    using number_float_t = nlohmann::json::number_float_t;
    using string_t = nlohmann::json::string_t;
    using binary_t = nlohmann::json::binary_t;

    bool null() { return value({kind::other, "null"}, line()); }
    bool boolean(bool b) { return value({kind::other, b ? "true" : "false"}, line()); }
    bool binary(binary_t&) { return value({kind::other, "bytes"}, line()); }
    bool string(string_t& s) { return value({kind::text, s}, line()); }
    bool number_integer(number_integer_t n) {
        return value({n < 0 ? kind::number : kind::count, std::to_string(n), static_cast<double>(n),
                      static_cast<std::uint64_t>(n)},
                     line_of_number());
    }
    bool number_unsigned(number_unsigned_t n) {
        return value({kind::count, std::to_string(n), static_cast<double>(n), n}, line_of_number());
    }
    bool number_float(number_float_t n, const string_t& text) {
        const bool zero =
            text.substr(0, text.find_first_of("eE")).find_first_of("123456789") == string_t::npos;
        if (magnitude_bits(n) >= infinity_bits<double> || (magnitude_bits(n) == 0 && !zero)) {
            return refuse(field_name() + short_of(text) + " does not fit a double", line_of_number());
        }
        return value({kind::number, text, n}, line_of_number());
    }
    bool start_object(std::size_t) {
        if (depth_ == 0 || (depth_ == 2 && in_rules_)) {
            ++depth_;
            if (depth_ == 3) {
                if (c_.rules.size() == most_rules) {
                    return refuse(place() + "more rules than " + std::to_string(study::most_layers) +
                                      " layers can have",
                                  line());
                }
                rule_ = {};
                rule_line_ = line();
                key_.clear();
            }
            seen_[depth_ / 2] = 0;
            return true;
        }
        return value({kind::other, "an object"}, line()) && deeper();
    }
    bool start_array(std::size_t) {
        if (depth_ == 0 || (depth_ == 2 && in_rules_)) {
            return refuse(place() + "this is no JSON object", line());
        }
        if (depth_ == 1 && field_ == rules_field) {
            lines_[rules_field] = line();
            in_rules_ = true;
            depth_ = 2;
            key_.clear();
            return true;
        }
        return value({kind::other, "a list"}, line()) && deeper();
    }
    bool key(string_t& name) {
        if (depth_ != 1 && !(depth_ == 3 && in_rules_)) {
            return true; // inside something that is passed over
        }
        const bool of_rule = depth_ == 3;
        const std::size_t first = of_rule ? layer_field : format_field;
        const std::size_t last = of_rule ? weights_field : head_only_ ? model_field : layer_field;
        key_ = name;
        field_ = none;
        for (std::size_t f = 0; f < fields; ++f) {
            const bool here = (f >= first && f < last) || (f >= weights_field && !of_rule && !head_only_);
            if (here && name == names[f]) {
                field_ = f;
                if ((seen_[of_rule] >> f & 1) != 0) {
                    return refuse(place() + "the field '" + name + "' is there twice", line());
                }
                seen_[of_rule] |= 1u << f;
            }
        }
        return true;
    }
    bool end_object() {
        if (depth_ == 3 && in_rules_) {
            depth_ = 2;
            if (!complete(layer_field, weights_field, rule_line_)) {
                return false;
            }
            if (const std::string problem = study::problem_of(rule_); !problem.empty()) {
                return refuse("layer " + std::to_string(rule_.layer) + ", " + name_of(rule_.where) + ": " +
                                  problem,
                              rule_line_);
            }
            c_.rules.push_back(std::move(rule_));
            rule_lines_.push_back(rule_line_);
            key_.clear();
            return true;
        }
        if (depth_ == 1) {
            depth_ = 0;
            return complete(format_field, head_only_ ? model_field : layer_field, line());
        }
        --depth_;
        return true;
    }
    bool end_array() {
        if (depth_ == 2 && in_rules_) {
            in_rules_ = false;
            depth_ = 1;
        } else {
            --depth_;
        }
        return true;
    }
    template <class Exception>
    bool parse_error(std::size_t, const std::string& last, const Exception& e) {
        if (e.id == 406) { // nlohmann's: a number beyond doubles
            return refuse(field_name() + short_of(last) + " does not fit a double", line_of_number());
        }
        return refuse(field_name() + "this is no JSON, from \"" + short_of(last) + "\" on", line());
    }

  private:
    enum class kind { text, number, count, other };
    struct found {
        kind what;
        std::string text; // as it is written, for errors
        double number = 0;
        std::uint64_t count = 0;
    };
    enum field : std::size_t {
        format_field,
        version_field,
        model_field,
        source_field,
        kind_field,
        target_field,
        tokens_field,
        layers_field,
        rules_field,
        layer_field,
        site_field,
        rule_field,
        value_field,
        weights_field, // from here on a file need not have them
        stories_field,
        criterion_field,
        attained_field,
        fields,
        none
    };
    static constexpr std::array<const char*, fields> names{"format",  "version", "model",   "source",
                                                           "kind",    "target",  "tokens",  "layers",
                                                           "rules",   "layer",   "site",    "rule",
                                                           "value",   "weights", "stories", "criterion",
                                                           "attained"};
    static constexpr std::size_t most_rules = study::most_layers * study::all_sites.size();
    static constexpr std::size_t most_depth = 64;

    std::size_t line() const { return here_ == nullptr ? 0 : here_->line; }
    /// The parser has looked at the character behind a number.
    std::size_t line_of_number() const { return line() - (here_ != nullptr && here_->behind_end ? 1u : 0u); }
    static std::string short_of(const std::string& text) {
        return text.size() <= 40 ? text : text.substr(0, 40) + "...";
    }
    std::string place() const {
        return in_rules_ ? "rules[" + std::to_string(c_.rules.size()) + "]: " : std::string{};
    }
    /// "rules[3]: 'value': ", as far as there is a field.
    std::string field_name() const { return place() + (key_.empty() ? "" : "'" + key_ + "': "); }

    bool refuse(const std::string& what, std::size_t at) {
        const bool of_head = depth_ == 1 && field_ <= version_field;
        if (error_.empty() && (of_head || !head_only_)) {
            error_ = (at == 0 ? "" : "line " + std::to_string(at) + ": ") + what;
        }
        return false;
    }
    /// One more bracket of something that is passed over.
    bool deeper() {
        return ++depth_ <= most_depth ||
               refuse(field_name() + "brackets in more than " + std::to_string(most_depth) + " others",
                      line());
    }
    bool complete(std::size_t first, std::size_t last, std::size_t at) {
        for (std::size_t f = first; f < last; ++f) {
            if ((seen_[first == layer_field] >> f & 1) == 0) {
                return refuse((first == layer_field ? place() : std::string{}) + "the field '" + names[f] +
                                  "' is missing",
                              at);
            }
        }
        return true;
    }
    bool wrong(const found& v, const char* wanted, std::size_t at) {
        return refuse(place() + "'" + key_ + "' must be " + wanted + ", got " + short_of(v.text), at);
    }
    bool text_into(std::string& to, const found& v, std::size_t at) {
        to = v.text;
        return v.what == kind::text || wrong(v, "a text", at);
    }
    bool number_into(double& to, const found& v, std::size_t at) {
        to = v.number;
        return v.what == kind::number || v.what == kind::count || wrong(v, "a number", at);
    }
    template <class Whole>
    bool count_into(Whole& to, const found& v, std::size_t at) {
        to = static_cast<Whole>(v.count);
        return (v.what == kind::count && to == v.count) || wrong(v, "a whole number >= 0", at);
    }

    /// A value at the place where the events are.
    bool value(const found& v, std::size_t at) {
        if (depth_ == 0 || (depth_ == 2 && in_rules_)) {
            return refuse(place() + "this is no JSON object", at);
        }
        if ((depth_ != 1 && !(depth_ == 3 && in_rules_)) || field_ == none) {
            return true; // passed over
        }
        lines_[field_] = at;
        switch (field_) {
            case format_field:
                return text_into(text_, v, at) &&
                       (text_ == format || refuse("the format must be '" + std::string{format} + "', got '" +
                                                      short_of(text_) + "'",
                                                  at));
            case version_field:
                return count_into(count_, v, at) && ((count_ >= 1 && count_ <= study::calibration::version) ||
                                                     refuse("version " + std::to_string(count_) +
                                                                " can not be read; this library knows 1 to " +
                                                                std::to_string(study::calibration::version),
                                                            at));
            case model_field: return text_into(c_.model, v, at);
            case source_field: return text_into(c_.source, v, at);
            case kind_field: return text_into(c_.kind, v, at);
            case target_field: return number_into(c_.target, v, at);
            case tokens_field: return count_into(c_.tokens, v, at);
            case layers_field: return count_into(c_.layers, v, at);
            case rules_field: return wrong(v, "a list", at);
            case layer_field: return count_into(rule_.layer, v, at);
            case site_field:
                if (!text_into(text_, v, at)) {
                    return false;
                }
                for (const site where : study::all_sites) {
                    if (text_ == name_of(where)) {
                        rule_.where = where;
                        return true;
                    }
                }
                return refuse(place() + "there is no site '" + short_of(text_) +
                                  "'; there are input, gate, up and intermediate",
                              at);
            case rule_field: return text_into(rule_.rule, v, at);
            case value_field: return number_into(rule_.value, v, at);
            case weights_field: return text_into(c_.weights, v, at);
            case stories_field: return text_into(c_.stories, v, at);
            case criterion_field: return text_into(c_.criterion, v, at);
            default: return number_into(c_.attained.emplace(), v, at);
        }
    }

    static constexpr const char* format = "tamis-calibration";

    const counted_characters::place* here_;
    bool head_only_;
    study::calibration c_;
    study::calibrated_rule rule_;
    std::string error_, key_, text_;
    std::uint64_t count_ = 0;
    std::size_t depth_ = 0, field_ = none, rule_line_ = 0;
    bool in_rules_ = false;
    std::array<std::uint32_t, 2> seen_{}; // fields of the whole, of the rule
    std::array<std::size_t, fields> lines_{};
    std::vector<std::size_t> rule_lines_;
};

} // namespace detail

TAMIS_END
