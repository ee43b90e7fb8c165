#pragma once

#include <tamis/study/calibrate/calibration.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>

TAMIS_BEGIN

namespace detail {

/// Takes fields out of an object and notes the first thing that is wrong.
class calibration_reader {
  public:
    bool good() const { return error_.empty(); }
    const std::string& error() const { return error_; }
    void refuse(const std::string& what) {
        if (error_.empty()) {
            error_ = what;
        }
    }

    std::string text(const nlohmann::json& from, const char* field, const std::string& where) {
        const nlohmann::json* const j = find(from, field, where);
        const auto* const value = j != nullptr ? j->get_ptr<const std::string*>() : nullptr;
        return value != nullptr ? *value : wrong<std::string>(j, field, where, "a text");
    }
    double number(const nlohmann::json& from, const char* field, const std::string& where) {
        const nlohmann::json* const j = find(from, field, where);
        return j != nullptr && j->is_number() ? j->get<double>() : wrong<double>(j, field, where, "a number");
    }
    std::uint64_t count(const nlohmann::json& from, const char* field, const std::string& where) {
        const nlohmann::json* const j = find(from, field, where);
        const bool whole = j != nullptr && j->is_number_integer();
        return whole && (j->is_number_unsigned() || j->get<std::int64_t>() >= 0)
                   ? j->get<std::uint64_t>()
                   : wrong<std::uint64_t>(j, field, where, "a whole number >= 0");
    }
    const nlohmann::json* list(const nlohmann::json& from, const char* field) {
        const nlohmann::json* const j = find(from, field, "");
        return j != nullptr && j->is_array() ? j : wrong<const nlohmann::json*>(j, field, "", "a list");
    }

  private:
    const nlohmann::json* find(const nlohmann::json& from, const char* field, const std::string& where) {
        const auto found = from.find(field);
        if (found == from.end()) {
            refuse(where + "the field '" + field + "' is missing");
            return nullptr;
        }
        return &*found;
    }
    template <class T>
    T wrong(const nlohmann::json* found, const char* field, const std::string& where, const char* wanted) {
        if (found != nullptr) {
            refuse(where + "'" + field + "' must be " + wanted + ", got " +
                   found->dump(-1, ' ', true, nlohmann::json::error_handler_t::replace).substr(0, 40));
        }
        return T{};
    }

    std::string error_;
};

} // namespace detail

namespace study {

// Calibrations as JSON, in the format of docs/calibration.md. The only header that needs nlohmann's json (3.x); it is not
// part of study.hpp. It calls nothing of it that throws.

inline constexpr const char* calibration_format = "tamis-calibration";

/// Numbers are written so that they read back to the bit (denormal doubles not where the processor flushes them). Refuses a calibration with a problem (problem_of).
inline nlohmann::json to_json(const calibration& c) {
    if (const std::string problem = problem_of(c); !problem.empty()) {
        fail(("tamis::study::to_json: " + problem).c_str());
    }
    nlohmann::json rules = nlohmann::json::array();
    for (const calibrated_rule& r : c.rules) {
        rules.push_back(
            {{"layer", r.layer}, {"site", name_of(r.where)}, {"rule", r.rule}, {"value", r.value}});
    }
    return {{"format", calibration_format},
            {"version", calibration::version},
            {"model", c.model},
            {"source", c.source},
            {"kind", c.kind},
            {"target", c.target},
            {"tokens", c.tokens},
            {"layers", c.layers},
            {"rules", std::move(rules)}};
}
/// nlohmann's own form: `nlohmann::json j = c;`.
inline void to_json(nlohmann::json& j, const calibration& c) { j = to_json(c); }

/// The file's text. Bytes of names that are no UTF-8 become U+FFFD.
inline std::string to_text(const calibration& c) {
    return to_json(c).dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

/// What was read, or why it was not: one of the two is empty.
struct calibration_reading {
    std::optional<calibration> value;
    std::string error;

    explicit operator bool() const { return value.has_value(); }
};

/// Reads a calibration. Fields that it does not know are passed over. Never throws: the error names the field, the rule's
/// place in the list, the value and what was expected.
inline calibration_reading from_json(const nlohmann::json& j) {
    detail::calibration_reader read;
    const auto result = [&](calibration* c) {
        return read.good() ? calibration_reading{std::move(*c), {}}
                           : calibration_reading{std::nullopt, "tamis calibration: " + read.error()};
    };
    calibration c;
    if (!j.is_object()) {
        read.refuse("this is no JSON object");
        return result(&c);
    }
    const std::string format = read.text(j, "format", "");
    if (read.good() && format != calibration_format) {
        read.refuse("the format must be '" + std::string{calibration_format} + "', got '" + format + "'");
    }
    const std::uint64_t version = read.good() ? read.count(j, "version", "") : 0;
    if (read.good() && (version < 1 || version > calibration::version)) {
        read.refuse("version " + std::to_string(version) + " can not be read; this library knows 1 to " +
                    std::to_string(calibration::version));
    }
    if (!read.good()) {
        return result(&c);
    }
    c.model = read.text(j, "model", "");
    c.source = read.text(j, "source", "");
    c.kind = read.text(j, "kind", "");
    c.target = read.number(j, "target", "");
    c.tokens = read.count(j, "tokens", "");
    c.layers = static_cast<std::size_t>(read.count(j, "layers", ""));
    const nlohmann::json* const rules = read.list(j, "rules");
    for (std::size_t i = 0; read.good() && i < rules->size(); ++i) {
        const nlohmann::json& from = (*rules)[i];
        const std::string where = "rules[" + std::to_string(i) + "]: ";
        if (!from.is_object()) {
            read.refuse(where + "this is no JSON object");
            continue;
        }
        calibrated_rule r;
        r.layer = static_cast<std::size_t>(read.count(from, "layer", where));
        const std::string name = read.text(from, "site", where);
        const auto found =
            std::find_if(all_sites.begin(), all_sites.end(), [&](site s) { return name == name_of(s); });
        if (found != all_sites.end()) {
            r.where = *found;
        } else {
            read.refuse(where + "there is no site '" + name +
                        "'; there are input, gate, up and intermediate");
        }
        r.rule = read.text(from, "rule", where);
        r.value = read.number(from, "value", where);
        c.rules.push_back(std::move(r));
    }
    if (read.good()) {
        read.refuse(problem_of(c)); // empty: nothing
    }
    return result(&c);
}

/// Reads a file's text.
inline calibration_reading read_calibration(std::string_view text) {
    const nlohmann::json j = nlohmann::json::parse(text.begin(), text.end(), nullptr, false);
    return j.is_discarded() ? calibration_reading{std::nullopt, "tamis calibration: this is no JSON"}
                            : from_json(j);
}

} // namespace study

TAMIS_END
