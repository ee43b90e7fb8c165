#include "measure/thresholds.hpp"

#include "error.hpp"
#include "input/file.hpp"

#include <tamis/study/calibrate/calibration_json.hpp>

#include <utility>

namespace app {

std::string text_of(const study::calibration& c) { return study::to_text(c); }

study::calibration read_calibration(const std::string& path, std::size_t layers) {
    const file bytes{path};
    auto reading = study::read_calibration(static_cast<source>(bytes).text());
    if (!reading) {
        throw error(path, ": ", reading.error);
    }
    study::calibration c = std::move(*reading.value);
    if (c.layers != layers) {
        throw error(path, ": a calibration of ", c.layers, " layers; the model has ", layers);
    }
    if (c.rules.empty()) { // it would be a row of no site
        throw error(path, ": 'rules' is empty: there is nothing to measure");
    }
    return c;
}

study::calibration read_calibration(const std::string& path, const subject& s) {
    study::calibration c = read_calibration(path, s.layers());
    for (const auto& r : c.rules) {
        const std::size_t width =
            r.where == tamis::site::input ? s.model.config.dim : s.model.config.hidden_dim;
        if (r.rule == study::of_channels && r.values.size() != width) {
            throw error(path, ": layer ", r.layer, ", ", tamis::name_of(r.where), ": ", r.values.size(),
                        " thresholds, and the model has ", width, " channels there: it is of another model");
        }
    }
    return c;
}

study::calibration new_calibration(const subject& s, const char* kind, double target) {
    study::calibration c;
    c.model = s.name;
    c.source = "text " + s.text_name + ", hash " + s.text_hash;
    c.kind = kind;
    c.target = target;
    c.tokens = s.predictions();
    c.layers = s.layers();
    return c;
}

condition calibrated_condition(const study::calibration& c, const std::vector<std::vector<float>>& norms) {
    std::string sites;
    for (const tamis::site where : study::all_sites) {
        for (const auto& r : c.rules) {
            if (r.where == where) {
                sites.append(sites.empty() ? "" : "+").append(tamis::name_of(where));
                break;
            }
        }
    }
    return {sites, c.kind, line(c.target), c.target, study::plan_of(c, norms), {}};
}

} // namespace app
