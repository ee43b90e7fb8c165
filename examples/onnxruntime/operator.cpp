#include <tamis/exec/callback.hpp>
#include <tamis/ffn/any_ffn.hpp>
#include <tamis/ffn/any_packed.hpp>
#include <tamis/ffn/in_int8.hpp>
#include <tamis/ffn/prefill.hpp>
#include <tamis/ffn/text_gating.hpp>
#include <tamis/ffn/text_policies.hpp>
#include <tamis/format/bf16.hpp>
#include <tamis/format/from_nbits.hpp>
#include <tamis/format/q8_0.hpp>
#include <tamis/sixteen_bits.hpp>
#include <tamis/text_error.hpp>

#define ORT_API_MANUAL_INIT
#include <onnxruntime_cxx_api.h>

#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

// tamis::GluFfn: a gated FFN of constant weights, written into graphs by rewrite.py.
//
//     inputs    x, and the tensors that the attribute `tensors` names, in its order, separated by spaces: gate, up, down, each
//               with _scales, _zero_points and _bias where there are any
//     outputs   y, of x's shape; and, where it is asked for, [bytes of weights read, bytes of a dense call] as int64
//     attributes  activation, rules, laid_as, in_int8; and of each of gate, up, down: _by_outputs, _first, _bias_first, _outputs,
//               and of quantised ones _bits, _block and _inputs
//
// Compiled once for each level of instruction sets, whose name is TAMIS_LEVEL; everything is therefore in a namespace of the level.

namespace tamis_onnx {
namespace TAMIS_LEVEL {
namespace {

using namespace tamis;

using readable = formats<f32, f16, bf16, q8_0, int4_groups<32>, int4_groups<64>, int4_groups<128>,
                         byte_groups<16>, byte_groups<32>>;
using sigmas = gatings<silu, gelu, gelu_tanh, relu, relu2, linear>;

/// From so many tokens on dense products are quicker than rows that any of them wants.
constexpr std::size_t prompt_tokens = 48, together = 256;

[[noreturn]] void refuse(const std::string& what) { throw std::invalid_argument{"tamis::GluFfn: " + what}; }

/// What an exception says, as a status: none of them leaves this library.
template <class Call>
OrtStatus* as_status(const Call& call) noexcept {
    char text[512];
    return ending_of(call, text, sizeof text) == ending::done
               ? nullptr
               : Ort::GetApi().CreateStatus(ORT_INVALID_ARGUMENT, text);
}

/// A constant input; without data where there is none.
struct tensor {
    std::string name;
    const std::byte* data = nullptr;
    std::vector<std::int64_t> shape{};
    std::size_t count = 0;
    ONNXTensorElementDataType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;

    const char* format() const {
        switch (type) {
            case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT: return "f32";
            case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16: return "f16";
            case ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16: return "bf16";
            default: refuse(name + " is of another type than float, float16 and bfloat16");
        }
    }
    any_numbers numbers() const {
        return data == nullptr ? any_numbers{} : any_numbers{name.c_str(), format(), data, count};
    }
    bool is_bytes() const { return data != nullptr && type == ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8; }
    std::span<const std::uint8_t> bytes() const {
        return {reinterpret_cast<const std::uint8_t*>(data), is_bytes() ? count : 0};
    }
};

/// The node's attributes and constant inputs.
class node {
  public:
    explicit node(const OrtKernelInfo* info) : info_{info} {
        const auto names = text("tensors");
        for (std::size_t at = 0; at < names.size();) {
            const std::size_t end = std::min(names.find(' ', at), names.size());
            names_.push_back(names.substr(at, end - at));
            at = end + 1;
        }
        if (names_.size() + 1 != info_.GetInputCount()) {
            refuse("the attribute 'tensors' names " + std::to_string(names_.size()) +
                   " tensors, but there are " + std::to_string(info_.GetInputCount() - 1) + " behind x");
        }
    }

    std::string text(const char* name) const { return info_.GetAttribute<std::string>(name); }
    std::size_t number(const std::string& name) const {
        const auto value = info_.GetAttribute<std::int64_t>(name.c_str());
        if (value < 0 || value > std::int64_t{1} << 40) {
            refuse("the attribute '" + name + "' is " + std::to_string(value));
        }
        return static_cast<std::size_t>(value);
    }
    tensor find(const std::string& name) const {
        const auto at = std::find(names_.begin(), names_.end(), name);
        if (at == names_.end()) {
            return {name};
        }
        int is_constant = 0;
        const Ort::ConstValue value =
            info_.GetTensorConstantInput(static_cast<std::size_t>(at - names_.begin()) + 1, &is_constant);
        if (is_constant == 0) {
            refuse(name + " is no constant initializer");
        }
        const auto info = value.GetTensorTypeAndShapeInfo();
        return {name, static_cast<const std::byte*>(value.GetTensorRawData()), info.GetShape(),
                info.GetElementCount(), info.GetElementType()};
    }

  private:
    Ort::ConstKernelInfo info_;
    std::vector<std::string> names_;
};

/// One of the three linear layers: floats where they lie, others in rows of one format, which are copied once.
class linear_layer {
  public:
    linear_layer(const node& n, const std::string& name, weight_layout by_inputs, weight_layout by_outputs)
        : first_{n.number(name + "_first")}, outputs_{n.number(name + "_outputs")} {
        const tensor weights = n.find(name);
        if (weights.data == nullptr) {
            refuse(name + " is not there");
        }
        view_ = n.number(name + "_bits") == 0
                    ? floats(weights, n.number(name + "_by_outputs") != 0, by_inputs, by_outputs)
                    : codes(n, weights, by_outputs);
        if (const any_numbers bias = n.find(name + "_bias").numbers()) {
            bias_ = bias.floats(n.number(name + "_bias_first"), outputs_);
        }
    }

    const any_matrix& view() const { return view_; }
    std::span<const float> bias() const { return bias_; }
    /// Its copy is not needed where it was laid out anew.
    void keep_if(const any_matrix& used) {
        if (used.data() != view_.data()) {
            copy_ = {};
        }
    }

  private:
    void need_outputs(const std::string& name, std::size_t all) const {
        if (first_ + outputs_ > all) {
            refuse(name + " has " + std::to_string(all) + " outputs, but those from " +
                   std::to_string(first_) + " to " + std::to_string(first_ + outputs_) + " are wanted");
        }
    }
    any_matrix floats(const tensor& w, bool by_rows, weight_layout by_inputs,
                      weight_layout by_outputs) const {
        const std::string_view format = w.format();
        if (w.shape.size() != 2 || w.count == 0) {
            refuse(w.name + " is no matrix");
        }
        const auto rows = static_cast<std::size_t>(w.shape[0]);
        const auto columns = static_cast<std::size_t>(w.shape[1]);
        need_outputs(w.name, by_rows ? rows : columns);
        const std::size_t size = any_row_bytes<readable>(format, 1);
        const std::size_t stride = columns * size;
        return by_rows ? any_matrix{format, by_outputs, w.data + first_ * stride, outputs_, columns, stride}
                       : any_matrix{format, by_inputs, w.data + first_ * size, rows, outputs_, stride};
    }
    any_matrix codes(const node& n, const tensor& w, weight_layout by_outputs) {
        nbits_tensors t{0, n.number(w.name + "_inputs"), n.number(w.name + "_bits"),
                        n.number(w.name + "_block")};
        t.format(); // refuses what is not known
        const std::size_t row = t.blocks() * (t.block * t.bits / 8);
        if (!w.is_bytes() || row == 0 || w.count % row != 0) {
            refuse(w.name + " is no tensor of bytes with " + std::to_string(row) + " an output");
        }
        const tensor zeros = n.find(w.name + "_zero_points");
        t.outputs = w.count / row;
        t.codes = w.bytes();
        t.scales = n.find(w.name + "_scales").numbers();
        t.zero_points = zeros.bytes();
        t.zero_numbers = zeros.is_bytes() ? any_numbers{} : zeros.numbers();
        need_outputs(w.name, t.outputs);
        copy_ = aligned_memory{nbits_bytes(t, outputs_)};
        return repack_nbits(t, by_outputs, first_, outputs_, copy_.bytes());
    }

    std::size_t first_, outputs_;
    any_matrix view_{"f32", weight_layout::neuron_major, nullptr, 0, 0};
    aligned_memory copy_;
    std::vector<float> bias_;
};

/// One node of a session. Calls may come from several threads at a time.
class kernel {
  public:
    explicit kernel(const OrtKernelInfo* info) : kernel{node{info}} {}

    OrtStatus* ComputeV2(OrtKernelContext* context) {
        return as_status([&] { compute(context); });
    }

  private:
    using ffn_of_graph = any_ffn<readable, sigmas>;

    explicit kernel(const node& n)
        : gate_{n, "gate", weight_layout::input_major, weight_layout::neuron_major},
          up_{n, "up", weight_layout::input_major, weight_layout::neuron_major},
          down_{n, "down", weight_layout::neuron_major, weight_layout::output_major},
          in_int8_{n.number("in_int8") != 0 && has_products_of_bytes(n)} {
        const policies_as_text rules =
            read_policies<readable>(read_site_rules(n.text("rules")), down_.view());
        const auto sigma = read_gating(sigmas{}, n.text("activation"));
        if (!rules.error.empty() || !sigma.value) {
            refuse(rules.error + sigma.error);
        }
        const std::string laid_as = n.text("laid_as");
        if (laid_as != "q8_0" && laid_as != "f16") {
            refuse("laid_as is q8_0 or f16, not '" + laid_as + "'");
        }
        packed_.emplace(any_glu_weights{gate_.view(), up_.view(), down_.view(),
                                        glu_biases{gate_.bias(), up_.bias(), down_.bias()}},
                        rules.policies, laid_as);
        gate_.keep_if(packed_->view().gate);
        up_.keep_if(packed_->view().up);
        down_.keep_if(packed_->view().down);
        ffn_.emplace(packed_->view(), *sigma.value, std::span{rules.policies});
    }

    /// Of codes of 8 bits there are none: these are multiplied as floats, in prompts by dense products.
    static bool has_products_of_bytes(const node& n) {
        return n.number("gate_bits") != 8 || n.number("up_bits") != 8 || n.number("down_bits") != 8;
    }

    void compute(OrtKernelContext* context) {
        const Ort::KernelContext ctx{context};
        const Ort::ConstValue x = ctx.GetInput(0);
        const auto info = x.GetTensorTypeAndShapeInfo();
        const std::vector<std::int64_t> shape = info.GetShape();
        const std::size_t width = ffn_->width();
        if (shape.empty() || shape.back() != static_cast<std::int64_t>(width)) {
            refuse("x needs " + std::to_string(width) + " columns, got " +
                   (shape.empty() ? "a scalar" : std::to_string(shape.back())));
        }
        auto y = ctx.GetOutput(0, shape);
        const auto run = [&]<class T>(T) {
            return run_on(block<const T>{static_cast<const T*>(x.GetTensorRawData()),
                                         info.GetElementCount() / width, width},
                          static_cast<T*>(y.GetTensorMutableRawData()), context);
        };
        traffic read;
        switch (info.GetElementType()) {
            case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT: read = run(float{}); break;
            case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16: read = run(binary16{}); break;
            default: read = run(bfloat16{});
        }
        if (ctx.GetOutputCount() > 1) {
            if (auto seen = ctx.GetOutput(1, std::vector<std::int64_t>{2})) {
                auto* const bytes = seen.GetTensorMutableData<std::int64_t>();
                bytes[0] = static_cast<std::int64_t>(read.bytes_read);
                bytes[1] = static_cast<std::int64_t>(read.bytes_dense);
            }
        }
    }

    template <class T>
    traffic run_on(block<const T> x, T* to, OrtKernelContext* context) {
        // The session's pool cuts tasks into as many parts as it has threads; that number is not to be had, and is not needed:
        // results do not depend on it.
        const callback threads{std::clamp(std::thread::hardware_concurrency(), 1u, 64u),
                               [](void* session, std::size_t count, callback::task task, void* argument) {
                                   if (count == 1) {
                                       return task(argument, 0);
                                   }
                                   Ort::ThrowOnError(Ort::GetApi().KernelContext_ParallelFor(
                                       static_cast<OrtKernelContext*>(session), task, count, 0, argument));
                               },
                               context};
        const block<T> y{to, x.rows(), x.columns()};
        const bool is_prompt = x.rows() >= prompt_tokens && !in_int8_;
        const std::size_t tokens = std::min(x.rows(), together);
        aligned_memory memory = take(is_prompt  ? prefill_workspace_bytes(*ffn_, tokens, threads)
                                     : in_int8_ ? in_int8{*ffn_}.workspace_bytes(threads, tokens)
                                                : ffn_->workspace_bytes(threads, tokens));
        const tokens_at_a_time some{tokens, workspace{memory.bytes()}};
        const traffic read = is_prompt  ? prefill(*ffn_, x, y, some, threads)
                             : in_int8_ ? in_int8{*ffn_}(x, y, some, threads)
                                        : (*ffn_)(x, y, some, threads);
        const std::lock_guard lock{mutex_};
        free_.push_back(std::move(memory));
        return read;
    }

    /// Memory of a call that is over, or new one.
    aligned_memory take(std::size_t size) {
        aligned_memory memory;
        {
            const std::lock_guard lock{mutex_};
            if (!free_.empty()) {
                memory = std::move(free_.back());
                free_.pop_back();
            }
        }
        return memory.size() < size ? aligned_memory{size} : std::move(memory);
    }

    linear_layer gate_, up_, down_;
    std::optional<any_packed<readable>> packed_; // of them
    std::optional<ffn_of_graph> ffn_;
    bool in_int8_;
    std::mutex mutex_;
    std::vector<aligned_memory> free_;
};

/// The operator for x and y of one type; ONNX Runtime takes those of one name for one operator of several types.
template <ONNXTensorElementDataType Type>
struct glu_ffn_operator : Ort::CustomOpBase<glu_ffn_operator<Type>, kernel, true> {
    static const char* GetName() { return "GluFfn"; }
    OrtStatus* CreateKernelV2(const OrtApi&, const OrtKernelInfo* info, void** made) const {
        return as_status([&] { *made = new kernel{info}; });
    }
    static std::size_t GetInputTypeCount() { return 2; }
    static ONNXTensorElementDataType GetInputType(std::size_t i) {
        return i == 0 ? Type : ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
    }
    static OrtCustomOpInputOutputCharacteristic GetInputCharacteristic(std::size_t i) {
        return i == 0 ? INPUT_OUTPUT_REQUIRED : INPUT_OUTPUT_VARIADIC;
    }
    static int GetVariadicInputMinArity() { return 3; }
    static bool GetVariadicInputHomogeneity() { return false; }
    static std::size_t GetOutputTypeCount() { return 2; }
    static ONNXTensorElementDataType GetOutputType(std::size_t i) {
        return i == 0 ? Type : ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64;
    }
    static OrtCustomOpInputOutputCharacteristic GetOutputCharacteristic(std::size_t i) {
        return i == 0 ? INPUT_OUTPUT_REQUIRED : INPUT_OUTPUT_OPTIONAL;
    }
    static Ort::Status InferOutputShape(Ort::ShapeInferContext& context) {
        return Ort::Status{as_status([&] { context.SetOutputShape(0, context.GetInputShape(0), Type); })};
    }
    /// For an older ONNX Runtime than the headers.
    explicit glu_ffn_operator(std::uint32_t api_version) { this->version = api_version; }
};

} // namespace

extern void (*const add_operators)(Ort::CustomOpDomain&, std::uint32_t);
void (*const add_operators)(Ort::CustomOpDomain&, std::uint32_t) = [](Ort::CustomOpDomain& domain,
                                                                      std::uint32_t version) {
    static const glu_ffn_operator<ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT> floats{version};
    static const glu_ffn_operator<ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16> halves{version};
    static const glu_ffn_operator<ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16> brains{version};
    domain.Add(&floats);
    domain.Add(&halves);
    domain.Add(&brains);
};

} // namespace TAMIS_LEVEL
} // namespace tamis_onnx
