#pragma once

#include "checkpoint.hpp"
#include "settings.hpp"

#include <tamis/values.hpp>
#include <tamis/workspace.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace study {

/// One sparse FFN: a rule with its parameter at a site. None: the dense FFN.
struct ffn_setting {
    site_choice site;
    rule_choice rule;
    rule_value value;
};
using ffn_choice = std::optional<ffn_setting>;

/// What an FFN was seen to do: entries under a mask (of both masks with all_inputs), and weights in bytes.
struct ffn_counts {
    std::uint64_t entries = 0, dropped = 0;
    std::uint64_t bytes_dense = 0, bytes_read = 0;

    /// Dropped entries / all entries, pooled over tokens and layers (and, by width, over both masks).
    double mask_sparsity() const { return share(dropped, entries); }
    /// Weight bytes not read / weight bytes of the dense FFN. Another number than the sparsity.
    double bytes_skipped() const { return share(bytes_dense - bytes_read, bytes_dense); }

    ffn_counts& operator+=(const ffn_counts& other) {
        entries += other.entries;
        dropped += other.dropped;
        bytes_dense += other.bytes_dense;
        bytes_read += other.bytes_read;
        return *this;
    }

  private:
    static double share(std::uint64_t part, std::uint64_t all) {
        return all == 0 ? 0 : static_cast<double>(part) / static_cast<double>(all);
    }
};

/// The FFNs of all layers, with one choice of policies. Policies are types; this is the face that they have
/// at run time, for one virtual call a layer and story. Threads share it, each with a workspace of its own.
class ffn {
  public:
    virtual ~ffn() = default;
    /// y_t = FFN(x_t) for each token t of the blocks; adds what it did to `counts`.
    virtual void run(std::size_t layer, tamis::block<const float> x, tamis::block<float> y,
                     tamis::workspace memory, ffn_counts& counts) const = 0;
    virtual std::size_t workspace_bytes() const = 0;
};

/// Packs the weights for the choice; what can be used where it lies stays a view of the checkpoint.
std::unique_ptr<const ffn> make_ffn(const checkpoint& model, activation sigma, const ffn_choice& choice);

} // namespace study
