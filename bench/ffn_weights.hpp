#pragma once

#include <tamis/tamis.hpp>

#include "timing.hpp"

#include <memory>
#include <new>

// Weights for the benchmarks: more than any cache holds, taken in turn.

/// Copies of an FFN's three matrices behind each other in memory; copy c of matrix m (gate, up, down).
class weight_memory {
  public:
    explicit weight_memory(std::size_t bytes_of_matrix)
        : stride_{(bytes_of_matrix + 4095) / 4096 * 4096},
          copies_{number_of_copies(3 * stride_)},
          data_{static_cast<std::byte*>(::operator new(3 * copies_ * stride_, pages))} {
        static std::size_t made = 0;
        number_ = ++made;
        // Bytes that are small numbers in any format: 0x3c3c, 0x3cbc and the like.
        std::uint32_t state = 1;
        for (std::size_t i = 0; i + 1 < 3 * copies_ * stride_; i += 2) {
            state = state * 1664525u + 1013904223u;
            data_[i] = static_cast<std::byte>(state >> 24);
            data_[i + 1] = static_cast<std::byte>(0x3c | (state >> 8 & 0x80));
        }
    }
    std::size_t copies() const { return copies_; }
    /// Another one for each such memory of the process.
    std::size_t number() const { return number_; }
    const std::byte* matrix(std::size_t copy, std::size_t which) const {
        return data_.get() + (3 * copy + which) * stride_;
    }

    /// Bytes a second of reading all of a copy, by as many threads: four streams each, summed.
    template <class Threads>
    double stream(std::size_t copy, const Threads& threads) const {
        const std::size_t bytes = 3 * stride_ / 4096 / threads.width() * 4096;
        const double took = seconds_of([&] {
            threads.run(threads.width(), [&](std::size_t part) {
                benchmark::DoNotOptimize(sum_of(matrix(copy, 0) + part * bytes, bytes));
            });
        });
        return static_cast<double>(bytes * threads.width()) / took;
    }

  private:
    /// Not a multiple of the three that take turns, or each would meet the same copies again and again.
    static std::size_t number_of_copies(std::size_t bytes) {
        const std::size_t copies = bytes_to_rotate() / bytes + 1;
        return copies % 3 == 0 ? copies + 1 : copies;
    }
    /// At least 512 MiB, and twice the largest cache.
    static std::size_t bytes_to_rotate() {
        std::size_t bytes = std::size_t{512} << 20;
        for (const auto& cache : benchmark::CPUInfo::Get().caches) {
            bytes = std::max(bytes, 2 * static_cast<std::size_t>(cache.size));
        }
        return bytes;
    }
    static float sum_of(const std::byte* from, std::size_t bytes) {
        using tamis::detail::vec;
        vec sums[4] = {vec(0.0f), vec(0.0f), vec(0.0f), vec(0.0f)};
        const std::size_t quarter = bytes / 4 / sizeof(float);
        const float* const floats = reinterpret_cast<const float*>(from);
        for (std::size_t i = 0; i < quarter; i += vec::size) {
            sums[0] = sums[0] + tamis::detail::load(floats + i);
            sums[1] = sums[1] + tamis::detail::load(floats + quarter + i);
            sums[2] = sums[2] + tamis::detail::load(floats + 2 * quarter + i);
            sums[3] = sums[3] + tamis::detail::load(floats + 3 * quarter + i);
        }
        return tamis::detail::sum((sums[0] + sums[1]) + (sums[2] + sums[3]));
    }

    /// As a file is mapped; what new gives lies 16 bytes behind the beginning of a page.
    static constexpr std::align_val_t pages{4096};
    struct freed {
        void operator()(std::byte* all) const { ::operator delete(all, pages); }
    };

    std::size_t stride_, copies_, number_ = 0;
    std::unique_ptr<std::byte[], freed> data_;
};

/// One for all rows of a shape and format: gibibytes are not filled twice.
inline const weight_memory& memory_for(std::size_t bytes_of_up, std::size_t bytes_of_down) {
    static std::unique_ptr<weight_memory> memory;
    static std::size_t bytes_now = 0;
    // By inputs or by neurons, padding and scales of rows differ a little.
    const std::size_t bytes = std::max(bytes_of_up, bytes_of_down);
    if (bytes_now != bytes) {
        memory.reset();
        memory = std::make_unique<weight_memory>(bytes);
        bytes_now = bytes;
    }
    return *memory;
}

template <class F, bool ByInputs, bool ByNeurons>
auto weights_at(const weight_memory& memory, std::size_t copy, std::size_t h, std::size_t d) {
    using up_layout = std::conditional_t<ByInputs, tamis::input_major, tamis::neuron_major>;
    using down_layout = std::conditional_t<ByNeurons, tamis::neuron_major, tamis::output_major>;
    const auto up_at = [&](std::size_t which) {
        return tamis::matrix<F, up_layout>{memory.matrix(copy, which), ByInputs ? h : d, ByInputs ? d : h};
    };
    return tamis::glu_weights{up_at(0), up_at(1),
                              tamis::matrix<F, down_layout>{memory.matrix(copy, 2), ByNeurons ? d : h,
                                                            ByNeurons ? h : d}};
}
