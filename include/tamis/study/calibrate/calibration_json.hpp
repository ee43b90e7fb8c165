#pragma once

#include <tamis/study/calibrate/calibration_json_reader.hpp>

#include <nlohmann/json.hpp>

#include <optional>
#include <utility>

TAMIS_BEGIN

namespace study {

/// What was read, or why it was not: one of the two is empty.
struct calibration_reading {
    /// The calibration, if it is one.
    std::optional<calibration> value;
    /// Else the line, the field and what was expected.
    std::string error;

    /// Whether there is one.
    explicit operator bool() const { return value.has_value(); }
};

} // namespace study

namespace detail {

inline study::calibration_reading reading_of(calibration_reader& reader) {
    return reader.error().empty()
               ? study::calibration_reading{std::move(reader.result()), {}}
               : study::calibration_reading{std::nullopt, "tamis calibration: " + reader.error()};
}

/// The head first: what follows from a format that is not known is no error of its own.
template <class Read>
study::calibration_reading read_twice(Read&& read) {
    study::calibration_reading head = read(true);
    return head ? read(false) : head;
}

/// The events of a value, as the parser would have them; as deep as the reader goes.
inline bool tell(const nlohmann::json& j, calibration_reader& to) {
    const auto size = static_cast<std::size_t>(-1);
    switch (j.type()) {
        case nlohmann::json::value_t::object:
            if (!to.start_object(size)) {
                return false;
            }
            for (auto at = j.begin(); at != j.end(); ++at) {
                std::string name = at.key();
                if (!to.key(name) || !tell(*at, to)) {
                    return false;
                }
            }
            return to.end_object();
        case nlohmann::json::value_t::array:
            if (!to.start_array(size)) {
                return false;
            }
            for (const nlohmann::json& one : j) {
                if (!tell(one, to)) {
                    return false;
                }
            }
            return to.end_array();
        case nlohmann::json::value_t::string: {
            std::string text = *j.get_ptr<const std::string*>();
            return to.string(text);
        }
        case nlohmann::json::value_t::boolean: return to.boolean(j.get<bool>());
        case nlohmann::json::value_t::number_integer: return to.number_integer(j.get<std::int64_t>());
        case nlohmann::json::value_t::number_unsigned: return to.number_unsigned(j.get<std::uint64_t>());
        case nlohmann::json::value_t::number_float: return to.number_float(j.get<double>(), j.dump());
        default: return to.null();
    }
}

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
    int version = 1; // the oldest that can say it
    for (const calibrated_rule& r : c.rules) {
        nlohmann::json rule{{"layer", r.layer}, {"site", name_of(r.where)}, {"rule", r.rule}};
        if (r.rule == of_channels) {
            version = 2;
            nlohmann::json& values = rule["values"] = nlohmann::json::array();
            for (const float t : r.values) {
                values.push_back(widen(t));
            }
        } else {
            rule["value"] = r.value;
        }
        rules.push_back(std::move(rule));
    }
    nlohmann::json all{{"format", calibration_format}, {"version", version}, {"model", c.model},
                       {"source", c.source},           {"kind", c.kind},     {"target", c.target},
                       {"tokens", c.tokens},           {"layers", c.layers}, {"rules", std::move(rules)}};
    const auto put = [&](const char* name, const std::string& text) {
        if (!text.empty()) {
            all[name] = text;
        }
    };
    put("weights", c.weights);
    put("stories", c.stories);
    put("criterion", c.criterion);
    if (c.attained) {
        all["attained"] = *c.attained;
    }
    return all;
}
/// nlohmann's own form: `nlohmann::json j = c;`.
inline void to_json(nlohmann::json& j, const calibration& c) { j = to_json(c); }

/// The file's text. Bytes of names that are no UTF-8 become U+FFFD.
inline std::string to_text(const calibration& c) {
    return to_json(c).dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

/// Reads a file's text. Fields that it does not know are passed over. Never throws, and takes no more memory than the
/// calibration needs, whatever the text is: the error names the line, the field or the rule's place in the list, the value
/// and what was expected.
inline calibration_reading read_calibration(std::string_view text) {
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
        return {std::nullopt, "tamis calibration: line 1: there is nothing in it"};
    }
    return detail::read_twice([&](bool head_only) {
        detail::counted_characters::place here;
        detail::calibration_reader reader{&here, head_only};
        if (nlohmann::json::sax_parse(detail::counted_characters{text.data(), &here},
                                      detail::counted_characters{text.data() + text.size(), &here},
                                      &reader)) {
            reader.finish();
        }
        return detail::reading_of(reader);
    });
}
/// The same of a value that was parsed before; errors have no line.
inline calibration_reading from_json(const nlohmann::json& j) {
    return detail::read_twice([&](bool head_only) {
        detail::calibration_reader reader{nullptr, head_only};
        if (detail::tell(j, reader)) {
            reader.finish();
        }
        return detail::reading_of(reader);
    });
}

} // namespace study

TAMIS_END
