#include "measure/laws.hpp"

#include "error.hpp"
#include "input/plain_text.hpp"
#include "lists.hpp"
#include "settings.hpp"

#include <tamis/study/laws/fit_law.hpp>
#include <tamis/study/laws/relu_law.hpp>
#include <tamis/study/laws/silu_law.hpp>

#include <cmath>
#include <string_view>

namespace app {

namespace study = tamis::study;

namespace {

template <class Law>
fitted_law fit(const char* name, const char* form, const std::vector<study::law_point>& points) {
    const auto f = study::fit_law<Law>(points);
    fitted_law result{name,
                      form,
                      {},
                      {},
                      {},
                      f.limit(),
                      f.limit_error(),
                      f.rms,
                      f.r_squared,
                      f.determines_limit(),
                      f.converged,
                      study::name_of(f.verdict()),
                      f.iterations,
                      [f](double billions) { return f(billions); }};
    for (std::size_t i = 0; i < Law::names.size(); ++i) {
        result.parameters.emplace_back(Law::names[i]);
        result.values.push_back(f.values[i]);
        result.errors.push_back(f.errors[i]);
    }
    return result;
}

/// Calls row(fields, number of the line) for each line behind the head.
template <class Row>
void for_each_row(const source& from, char separator, std::size_t least, Row&& row) {
    remarks ignored; // line ends of any kind are as good
    const std::string text = plain_text(from, ignored);
    std::size_t number = 0;
    for (const std::string& fields : split_list(text, '\n')) {
        ++number;
        if (number == 1 || fields.empty() || fields.starts_with('#')) {
            continue;
        }
        const auto parts = split_list(fields, separator);
        if (parts.size() < least) {
            throw error(from.name, ": line ", number, ": ", least, " fields are needed, here are ",
                        parts.size());
        }
        row(parts, number);
    }
}
double number_in(const source& from, std::size_t at, const std::string& text, double least, double most) {
    const double value = parse_number(text, line(from.name, ": line ", at).c_str());
    if (!(value >= least && value <= most)) {
        throw error(from.name, ": line ", at, ": ", text, " is not within ", least, " .. ", most);
    }
    return value;
}

/// Whether a field that may be left out is there; the program's own tables say null.
bool said(const std::vector<std::string>& fields, std::size_t i) {
    return i < fields.size() && !fields[i].empty() && fields[i] != "null";
}

} // namespace

void check_enough_for_laws(std::size_t points) {
    if (points < 6) {
        throw error("laws: ", points,
                    " checkpoints are too few: the ReLU form has 4 parameters, so 6 are the least");
    }
}

std::vector<fitted_law> fit_laws(const std::vector<law_row>& rows) {
    std::vector<study::law_point> points;
    for (const auto& r : rows) {
        if (!study::is_finite(r.activation_ratio)) {
            throw error("laws: the activation ratio of ", r.model, " at ", r.tokens,
                        " tokens is no number: no law is fitted to the others alone");
        }
        points.push_back({r.tokens / 1e9, r.activation_ratio});
    }
    check_enough_for_laws(points.size());
    return {fit<study::silu_law>("SiLU", "-c / D^alpha + A0", points),
            fit<study::relu_law>("ReLU", "exp(-c D^alpha + b) + A0", points)};
}

std::vector<law_row> read_law_rows(const source& from) {
    std::vector<law_row> rows;
    for_each_row(from, ',', 3, [&](const std::vector<std::string>& f, std::size_t at) {
        rows.push_back({f[0], number_in(from, at, f[1], 1, 1e18), number_in(from, at, f[2], 0, 1),
                        said(f, 3) ? number_in(from, at, f[3], 0, 1e6) : std::nan(""),
                        said(f, 4) ? number_in(from, at, f[4], 0, 1) : std::nan("")});
    });
    return rows;
}

std::vector<checkpoint_row> read_checkpoint_rows(const source& from) {
    std::vector<checkpoint_row> rows;
    for_each_row(from, '\t', 3, [&](const std::vector<std::string>& f, std::size_t at) {
        rows.push_back({f[0], number_in(from, at, f[2], 1, 1e18)});
    });
    if (rows.empty()) {
        throw error(from.name, ": no checkpoint in it");
    }
    return rows;
}

} // namespace app
