#pragma once

#include <tamis/ffn/any_policy.hpp>
#include <tamis/ffn/any_repack.hpp>
#include <tamis/ffn/any_weights.hpp>
#include <tamis/format/bf16.hpp>
#include <tamis/format/f16.hpp>
#include <tamis/format/f32.hpp>
#include <tamis/workspace.hpp>

TAMIS_BEGIN

/// The weights of a gated FFN in the layouts in which masks at some sites leave most unread: packed_ffn's choice where all is
/// known at run time. What lies right is used where it lies; the rest is transposed once, into memory of its own.
///
///     any_packed<formats<f32, bf16, q8_0, q4_k>> packed{weights, policies, "q8_0", threads};
///     any_ffn<...> ffn{packed.view(), silu{}, policies};
///
/// f32, f16 and bf16 stay what they are, other formats become `turned`, which is in the list: a transposition rounds these a second time
/// (docs/formats.md). Allocates. Refuses what any_repack refuses.
template <class Formats>
class any_packed {
  public:
    /// For the sites of these policies.
    template <executor E = serial>
    any_packed(const any_glu_weights& w, std::span<const any_policy> policies, std::string_view turned,
               const E& threads = {})
        : view_{w} {
        const auto has = [&](site where) {
            for (const any_policy& p : policies) {
                if (p.where() == where) {
                    return true;
                }
            }
            return false;
        };
        using enum weight_layout;
        const bool given = has(detail::before_sites);
        if (has(site::input)) {
            lay(view_.gate, input_major, turned, memory_[0], threads);
            lay(view_.up, input_major, turned, memory_[1], threads);
        } else if (has(site::gate) || given) {
            lay(view_.up, neuron_major, turned, memory_[1], threads);
        }
        if ((has(site::up) && !has(site::gate) && !has(site::input)) || (given && !has(site::input))) {
            lay(view_.gate, neuron_major, turned, memory_[0], threads);
        }
        if (has(site::gate) || has(site::up) || has(site::intermediate) || given) {
            lay(view_.down, neuron_major, turned, memory_[2], threads);
        }
    }

    /// The weights as an any_ffn takes them. Borrowed from this, and from what was given.
    const any_glu_weights& view() const TAMIS_LIFETIMEBOUND { return view_; }
    /// Bytes that were allocated.
    std::size_t own_bytes() const { return memory_[0].size() + memory_[1].size() + memory_[2].size(); }

  private:
    template <executor E>
    static void lay(any_matrix& m, weight_layout to, std::string_view turned, aligned_memory& memory,
                    const E& threads) {
        if (m.layout() == to) {
            return;
        }
        const std::string_view now = m.format();
        const bool are_numbers = now == f32::name || now == f16::name || now == bf16::name;
        const std::string_view format = are_numbers ? now : turned;
        memory = aligned_memory{any_repacked_bytes<Formats>(m, format, to)};
        m = any_repack<Formats>(m, format, to, memory.bytes(), threads);
    }

    any_glu_weights view_;
    aligned_memory memory_[3];
};

TAMIS_END
