#include <tamis/study/calibrate/magnitude_histogram.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

// Published quantiles of |v| of real models (data/teal_quantiles.csv in the folder that TAMIS_SHARED names). Values are drawn
// from each row's distribution, linear between its quantiles; the histogram has to give the row back.

namespace {

/// absq10 .. absq90, then 95, 99 and the maximum.
constexpr std::array levels{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0};

std::vector<double> quantiles_of(const std::string& line) {
    std::istringstream fields{line};
    std::vector<double> q;
    std::string field;
    for (int i = 0; std::getline(fields, field, ','); ++i) {
        if (i >= 5 && i < 17) {
            q.push_back(std::strtod(field.c_str(), nullptr));
        }
    }
    return q;
}

} // namespace

TEST_CASE("published quantiles come back from the histogram") {
    const char* const shared = std::getenv("TAMIS_SHARED");
    std::ifstream file{shared != nullptr ? std::string{shared} + "/data/teal_quantiles.csv" : std::string{}};
    if (!file) {
        MESSAGE("SKIPPED: TAMIS_SHARED names no folder with data/teal_quantiles.csv");
        return;
    }
    std::string line;
    std::getline(file, line); // names
    int rows = 0;
    for (int number = 0; std::getline(file, line); ++number) {
        if (number % 13 != 0) { // a part of them, of every model
            continue;
        }
        CAPTURE(line);
        const std::vector<double> q = quantiles_of(line);
        REQUIRE(q.size() == levels.size());
        constexpr std::size_t n = 10000;
        std::vector<float> values;
        for (std::size_t i = 0; i < n; ++i) {
            const double at = static_cast<double>(i) / n;
            std::size_t k = 0;
            while (levels[k] <= at) {
                ++k;
            }
            const double low = k == 0 ? 0 : q[k - 1], from = k == 0 ? 0 : levels[k - 1];
            const double v = low + (q[k] - low) * (at - from) / (levels[k] - from);
            values.push_back(static_cast<float>(i % 2 == 0 ? v : -v));
        }
        tamis::study::magnitude_histogram first;
        first.add(values);
        tamis::study::magnitude_quantiles second{first, levels};
        second.add(values);
        for (std::size_t k = 0; k + 1 < levels.size(); ++k) {
            CHECK(double{second.quantile(k)} == doctest::Approx(q[k]).epsilon(1e-6));
            CHECK(double{first.quantile(levels[k]).low} == doctest::Approx(q[k]).epsilon(0x1p-8));
        }
        ++rows;
    }
    CHECK(rows > 100);
    MESSAGE("rows compared: " << rows);
}
