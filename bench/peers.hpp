#pragma once

#include <Eigen/Core>

#include <cstddef>

#ifdef TAMIS_BENCH_OPENBLAS
#include <cblas.h>
#endif
#ifdef TAMIS_BENCH_ONEDNN
#include <omp.h>
#include <oneapi/dnnl/dnnl.hpp>

#include <unordered_map>
#endif

// The dense y = W x of other libraries. W lies as in a checkpoint, row-major with a row an output; it is given anew at
// every call, so that calls can go through more weights than a cache holds. One class a library:
//
//     eigen_gemv gemv{rows, columns, peer_type::bf16, threads};   // only if supports(type, threads)
//     gemv.take(x);                                               // columns floats; rounded to the type of the weights
//     gemv(w, y);                                                 // rows floats; what is worth timing
//
// What a library can make ready, the constructor does. take is apart, for it to be left out of a time.
//
// After a call with several threads OpenBLAS and OpenMP keep theirs spinning for a while, and on a machine with no
// core to spare that slows down whatever is timed next. With OMP_WAIT_POLICY=passive and OPENBLAS_THREAD_TIMEOUT=4 in
// the environment they go to sleep at once.

enum class peer_type { f32, bf16 };

/// x in the type of the weights.
class peer_input {
  public:
    peer_input(std::size_t columns, peer_type type)
        : type_{type}, floats_(static_cast<Eigen::Index>(columns)), bf16s_(floats_.size()) {}

    void take(const float* x) {
        floats_ = Eigen::Map<const Eigen::VectorXf>(x, floats_.size());
        if (type_ == peer_type::bf16) {
            bf16s_ = floats_.cast<Eigen::bfloat16>();
        }
    }
    peer_type type() const { return type_; }
    const Eigen::VectorXf& floats() const { return floats_; }
    const Eigen::VectorX<Eigen::bfloat16>& bf16s() const { return bf16s_; }
    const void* data() const {
        return type_ == peer_type::bf16 ? static_cast<const void*>(bf16s_.data()) : floats_.data();
    }

  private:
    peer_type type_;
    Eigen::VectorXf floats_;
    Eigen::VectorX<Eigen::bfloat16> bf16s_;
};

/// Eigen's own product of a matrix and a vector, which knows one thread: several share the rows out. The sums of bf16
/// are bf16 as well, off by percents. It is still what to compare with: sums in floats, however they are written (a
/// cast in the product, row by row, or into a buffer), take Eigen 3.4 three to seven times as long.
class eigen_gemv {
  public:
    eigen_gemv(std::size_t rows, std::size_t columns, peer_type type, int threads)
        : rows_{static_cast<Eigen::Index>(rows)},
          columns_{static_cast<Eigen::Index>(columns)},
          threads_{threads},
          x_{columns, type},
          bf16_y_(type == peer_type::bf16 ? rows_ : 0) {}

    static const char* name() { return "eigen"; }
    static bool supports(peer_type, int threads) {
#ifdef _OPENMP
        return threads >= 1;
#else
        return threads == 1;
#endif
    }
    void take(const float* x) { x_.take(x); }
    void operator()(const void* w, float* y) {
#ifdef _OPENMP
#pragma omp parallel for num_threads(threads_) schedule(static)
#endif
        for (int part = 0; part < threads_; ++part) {
            const Eigen::Index from = rows_ * part / threads_;
            const Eigen::Index count = rows_ * (part + 1) / threads_ - from;
            Eigen::Map<Eigen::VectorXf> out(y + from, count);
            if (x_.type() == peer_type::f32) {
                out.noalias() = matrix<float>(w, from, count) * x_.floats();
            } else {
                auto sums = bf16_y_.segment(from, count);
                sums.noalias() = matrix<Eigen::bfloat16>(w, from, count) * x_.bf16s();
                out = sums.cast<float>();
            }
        }
    }

  private:
    template <class T>
    using rows_of = Eigen::Map<const Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

    template <class T>
    rows_of<T> matrix(const void* w, Eigen::Index from, Eigen::Index count) const {
        return {static_cast<const T*>(w) + from * columns_, count, columns_};
    }

    Eigen::Index rows_, columns_;
    int threads_;
    peer_input x_;
    Eigen::VectorX<Eigen::bfloat16> bf16_y_;
};

#ifdef TAMIS_BENCH_OPENBLAS
/// cblas_sgemv, and cblas_sbgemv where the library was built with it (Debian's is not, though its header has it).
class openblas_gemv {
  public:
    openblas_gemv(std::size_t rows, std::size_t columns, peer_type type, int threads)
        : rows_{static_cast<blasint>(rows)},
          columns_{static_cast<blasint>(columns)},
          threads_{threads},
          x_{columns, type} {}

    static const char* name() { return "openblas"; }
    static bool supports(peer_type type, int threads) {
#ifdef TAMIS_BENCH_OPENBLAS_BF16
        constexpr bool has_bf16 = true;
#else
        constexpr bool has_bf16 = false;
#endif
        return (type == peer_type::f32 || has_bf16) &&
               (threads == 1 || openblas_get_parallel() != OPENBLAS_SEQUENTIAL);
    }
    void take(const float* x) { x_.take(x); }
    void operator()(const void* w, float* y) {
        openblas_set_num_threads(threads_); // one number for the process, and others set it too
#ifdef TAMIS_BENCH_OPENBLAS_BF16
        if (x_.type() == peer_type::bf16) {
            cblas_sbgemv(CblasRowMajor, CblasNoTrans, rows_, columns_, 1, static_cast<const bfloat16*>(w),
                         columns_, static_cast<const bfloat16*>(x_.data()), 1, 0, y, 1);
            return;
        }
#endif
        cblas_sgemv(CblasRowMajor, CblasNoTrans, rows_, columns_, 1, static_cast<const float*>(w), columns_,
                    x_.floats().data(), 1, 0, y, 1);
    }

  private:
    blasint rows_, columns_;
    int threads_;
    peer_input x_;
};
#endif

#ifdef TAMIS_BENCH_ONEDNN
/// oneDNN's inner product on the weights as they lie. Its matmul, and weights reordered to the layout that it asks for
/// (format_tag::any), are no quicker for a single token with oneDNN 2.6.
class onednn_gemv {
  public:
    onednn_gemv(std::size_t rows, std::size_t columns, peer_type type, int threads)
        : threads_{threads},
          x_{columns, type},
          product_{describe(engine_, rows, columns, type, threads)},
          weights_{product_.weights_desc(), engine_, DNNL_MEMORY_NONE},
          source_{product_.src_desc(), engine_, DNNL_MEMORY_NONE},
          out_{product_.dst_desc(), engine_, DNNL_MEMORY_NONE},
          primitive_{product_},
          arguments_{{DNNL_ARG_SRC, source_}, {DNNL_ARG_WEIGHTS, weights_}, {DNNL_ARG_DST, out_}} {}

    static const char* name() { return "onednn"; }
    /// Without bf16 in the processor oneDNN may have none. Only for OpenMP are the threads counted here.
    static bool supports(peer_type type, int threads) {
        try {
            const dnnl::engine engine{dnnl::engine::kind::cpu, 0};
            describe(engine, 64, 64, type, threads);
        } catch (const dnnl::error&) {
            return false;
        }
        return DNNL_CPU_THREADING_RUNTIME == DNNL_RUNTIME_OMP ||
               (DNNL_CPU_THREADING_RUNTIME == DNNL_RUNTIME_SEQ && threads == 1);
    }
    void take(const float* x) { x_.take(x); }
    void operator()(const void* w, float* y) {
        omp_set_num_threads(threads_);
        source_.set_data_handle(const_cast<void*>(x_.data()));
        weights_.set_data_handle(const_cast<void*>(w));
        out_.set_data_handle(y);
        primitive_.execute(stream_, arguments_);
        stream_.wait();
    }

  private:
    using product = dnnl::inner_product_forward;

    static product::primitive_desc describe(const dnnl::engine& engine, std::size_t rows, std::size_t columns,
                                            peer_type type, int threads) {
        omp_set_num_threads(threads); // it is made for as many
        using memory = dnnl::memory;
        const auto m = static_cast<memory::dim>(rows);
        const auto n = static_cast<memory::dim>(columns);
        const auto from = type == peer_type::bf16 ? memory::data_type::bf16 : memory::data_type::f32;
        const memory::desc source{{1, n}, from, memory::format_tag::ab};
        const memory::desc weights{{m, n}, from, memory::format_tag::ab};
        const memory::desc out{{1, m}, memory::data_type::f32, memory::format_tag::ab};
#if DNNL_VERSION_MAJOR >= 3
        return {engine, dnnl::prop_kind::forward_inference, source, weights, out};
#else
        return {{dnnl::prop_kind::forward_inference, source, weights, out}, engine};
#endif
    }

    int threads_;
    peer_input x_;
    dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream_{engine_};
    product::primitive_desc product_;
    dnnl::memory weights_, source_, out_;
    product primitive_;
    std::unordered_map<int, dnnl::memory> arguments_;
};
#endif
