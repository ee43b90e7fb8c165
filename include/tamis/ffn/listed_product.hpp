#pragma once

#include <tamis/ffn/any_matrix.hpp>
#include <tamis/ffn/products.hpp>

#include <new>

TAMIS_BEGIN

namespace detail {

/// A product of a matrix whose format and layout are known at run time: that of its types, behind a table of calls. So each
/// format is compiled for each form once, whatever the formats of the other matrices are.
template <class... Fs, template <class, bool> class Product>
class listed_product<formats<Fs...>, Product> {
    using M = listed_matrix<formats<Fs...>>;

  public:
    listed_product(const M& w, bool rows_are_outputs, block<const float> in, const active_set& rows,
                   std::span<const float> bias, block<float> out) {
        with_type(w, rows_are_outputs, [&](auto kind) {
            using P = typename decltype(kind)::type;
            ::new (static_cast<void*>(memory_)) P{kind.matrix_of(w), in, rows, bias, out};
            calls_ = &calls_of<P>;
        });
    }

    static std::size_t bytes(const M& w, bool rows_are_outputs, std::size_t tokens, std::size_t width) {
        std::size_t result = 0;
        with_type(w, rows_are_outputs,
                  [&](auto kind) { result = decltype(kind)::type::bytes(kind.matrix_of(w), tokens, width); });
        return result;
    }

    std::size_t prepare(std::size_t width, workspace& w) { return calls_->prepare(memory_, width, w); }
    void run(std::size_t part) const { calls_->run(memory_, part); }
    void run_all() const { calls_->run_all(memory_); }
    void tune(const tuning& by) { calls_->tune(memory_, by); }
    std::size_t floats_to_add() const { return calls_->floats_to_add(memory_); }
    void add_up(std::size_t piece, std::size_t pieces) const { calls_->add_up(memory_, piece, pieces); }
    void finish(std::size_t width) const { calls_->finish(memory_, width); }
    std::uint64_t bytes_of_weights() const { return calls_->bytes_of_weights(memory_); }

  private:
    template <class F, bool RowsAreOutputs>
    struct kind_of {
        using type = Product<F, RowsAreOutputs>;
        static_assert(std::is_trivially_copyable_v<type>);
        any_layout<F> matrix_of(const M& w) const {
            return {w.data(), w.rows(), w.columns(), w.stride_bytes()};
        }
    };
    template <class Call>
    static void with_type(const M& w, bool rows_are_outputs, Call&& call) {
        w.as_it_is([&]<class F>(F) {
            if constexpr (!column_blocked<F>) { // any_ffn refuses these where rows are outputs
                if (rows_are_outputs) {
                    return call(kind_of<F, true>{});
                }
            }
            call(kind_of<F, false>{});
        });
    }

    struct calls {
        std::size_t (*prepare)(void*, std::size_t, workspace&);
        void (*run)(const void*, std::size_t);
        void (*run_all)(const void*);
        void (*tune)(void*, const tuning&);
        std::size_t (*floats_to_add)(const void*);
        void (*add_up)(const void*, std::size_t, std::size_t);
        void (*finish)(const void*, std::size_t);
        std::uint64_t (*bytes_of_weights)(const void*);
    };
    template <class P>
    static constexpr calls calls_of{
        [](void* p, std::size_t width, workspace& w) { return static_cast<P*>(p)->prepare(width, w); },
        [](const void* p, std::size_t part) { static_cast<const P*>(p)->run(part); },
        [](const void* p) { static_cast<const P*>(p)->run_all(); },
        [](void* p, const tuning& by) { static_cast<P*>(p)->tune(by); },
        [](const void* p) { return std::size_t{static_cast<const P*>(p)->floats_to_add()}; },
        [](const void* p, std::size_t piece, std::size_t pieces) {
            static_cast<const P*>(p)->add_up(piece, pieces);
        },
        [](const void* p, std::size_t width) { static_cast<const P*>(p)->finish(width); },
        [](const void* p) { return static_cast<const P*>(p)->bytes_of_weights(); }};

    static constexpr std::size_t room =
        (std::max)({sizeof(Product<Fs, false>)..., sizeof(Product<Fs, !column_blocked<Fs>>)...});
    alignas((std::max)({alignof(Product<Fs, false>)...,
                        alignof(Product<Fs, !column_blocked<Fs>>)...})) std::byte memory_[room];
    const calls* calls_ = nullptr;
};

} // namespace detail

TAMIS_END
