#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace tamis_ggml {

/// The time of one FFN's calls by tamis and by the host's own kernels, which take turns: on the same weights, between the same
/// other work, so that what a machine does besides meets both.
class turns {
  public:
    /// Who is next: tamis at first, which shows masks from the first token on.
    bool is_hosts() const { return calls_ % 2 != 0; }
    std::size_t calls() const { return calls_; }
    void took(double seconds) {
        if (calls_ >= 2) { // the first of either is the first use of its weights
            (is_hosts() ? of_host_ : of_tamis_).push_back(static_cast<float>(seconds));
        }
        ++calls_;
    }
    /// Medians, in seconds; 0 where nothing was measured.
    double of_tamis() const { return median(of_tamis_); }
    double of_host() const { return median(of_host_); }

  private:
    static double median(std::vector<float> all) {
        if (all.empty()) {
            return 0;
        }
        const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
        std::nth_element(all.begin(), middle, all.end());
        return static_cast<double>(*middle);
    }

    std::vector<float> of_tamis_, of_host_;
    std::size_t calls_ = 0;
};

} // namespace tamis_ggml
