#include "kernels.hpp"

#define ORT_API_MANUAL_INIT
#include <onnxruntime_cxx_api.h>

#include <algorithm>
#include <array>
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

namespace tamis_onnx {
namespace {

[[noreturn]] void refuse(const std::string& what) { throw std::invalid_argument{"tamis::GluFfn: " + what}; }

/// What an exception says, as a status: none of them leaves this library.
template <class Call>
OrtStatus* as_status(const Call& call) noexcept {
    const auto status = [](const char* text) {
        return Ort::GetApi().CreateStatus(ORT_INVALID_ARGUMENT, text);
    };
    try {
        call();
        return nullptr;
    } catch (const std::exception& e) {
        return status(e.what());
    } catch (...) {
        return status("tamis::GluFfn: an unknown error");
    }
}

bool is_float(ONNXTensorElementDataType type) {
    return type == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT || type == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16 ||
           type == ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16;
}
element element_of(ONNXTensorElementDataType type) {
    return type == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT     ? element::f32
           : type == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16 ? element::f16
                                                           : element::bf16;
}

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

    struct tensor {
        const void* data = nullptr;
        std::vector<std::int64_t> shape;
        std::size_t count = 0;
        ONNXTensorElementDataType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
    };
    /// A constant input by its name; without data where there is none of that name.
    tensor find(const std::string& name) const {
        const auto at = std::find(names_.begin(), names_.end(), name);
        if (at == names_.end()) {
            return {};
        }
        int is_constant = 0;
        const Ort::ConstValue value =
            info_.GetTensorConstantInput(static_cast<std::size_t>(at - names_.begin()) + 1, &is_constant);
        if (is_constant == 0) {
            refuse(name + " is no constant initializer");
        }
        const auto info = value.GetTensorTypeAndShapeInfo();
        return {value.GetTensorRawData(), info.GetShape(), info.GetElementCount(), info.GetElementType()};
    }
    numbers find_numbers(const std::string& name) const {
        const tensor t = find(name);
        if (t.data != nullptr && !is_float(t.type)) {
            refuse(name + " is of another type than float, float16 and bfloat16");
        }
        return {t.data, element_of(t.type), t.count};
    }

  private:
    Ort::ConstKernelInfo info_;
    std::vector<std::string> names_;
};

void need(const std::string& name, std::size_t needed, std::size_t came) {
    if (needed != came) {
        refuse(name + " needs " + std::to_string(needed) + " elements, got " + std::to_string(came));
    }
}

linear_layer layer_of(const node& n, const char* name) {
    const std::string prefix = name;
    linear_layer l;
    l.name = name;
    l.first = n.number(prefix + "_first");
    l.outputs = n.number(prefix + "_outputs");
    l.by_outputs = n.number(prefix + "_by_outputs") != 0;
    l.bits = n.number(prefix + "_bits");
    const node::tensor weights = n.find(prefix);
    if (weights.data == nullptr) {
        refuse(prefix + " is not there");
    }
    if (l.bits == 0) {
        if (weights.shape.size() != 2 || !is_float(weights.type)) {
            refuse(prefix + " is no matrix of float, float16 or bfloat16");
        }
        l.weights = {weights.data, element_of(weights.type), weights.count};
        l.all_outputs = static_cast<std::size_t>(weights.shape[l.by_outputs ? 0 : 1]);
        l.inputs = static_cast<std::size_t>(weights.shape[l.by_outputs ? 1 : 0]);
    } else {
        l.block = n.number(prefix + "_block");
        l.inputs = n.number(prefix + "_inputs");
        const bool known_block =
            l.block == 16 || l.block == 32 || l.block == 64 || (l.block != 0 && l.block % 128 == 0);
        if ((l.bits != 2 && l.bits != 4 && l.bits != 8) || !known_block || l.inputs == 0) {
            refuse(prefix + " has " + std::to_string(l.bits) + " bits in blocks of " +
                   std::to_string(l.block) +
                   "; 2, 4 and 8 bits in blocks of 16, 32, 64 and multiples of 128 are known");
        }
        const std::size_t blocks = (l.inputs + l.block - 1) / l.block;
        const std::size_t row = blocks * (l.block * l.bits / 8);
        if (weights.type != ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8 || weights.count % row != 0) {
            refuse(prefix + " is no tensor of bytes with " + std::to_string(row) + " an output");
        }
        l.codes = {static_cast<const std::uint8_t*>(weights.data), weights.count};
        l.all_outputs = weights.count / row;
        l.scales = n.find_numbers(prefix + "_scales");
        need(prefix + "_scales", l.all_outputs * blocks, l.scales.count);
        const node::tensor zeros = n.find(prefix + "_zero_points");
        if (zeros.data != nullptr && zeros.type == ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8) {
            l.zero_points = {static_cast<const std::uint8_t*>(zeros.data), zeros.count};
            need(prefix + "_zero_points", l.all_outputs * ((blocks * l.bits + 7) / 8), zeros.count);
        } else if (zeros.data != nullptr) {
            l.unpacked_zero_points = n.find_numbers(prefix + "_zero_points");
            need(prefix + "_zero_points", l.all_outputs * blocks, zeros.count);
        }
    }
    if (l.inputs == 0 || l.first + l.outputs > l.all_outputs) {
        refuse(prefix + " has " + std::to_string(l.all_outputs) + " outputs, but those from " +
               std::to_string(l.first) + " to " + std::to_string(l.first + l.outputs) + " are wanted");
    }
    l.bias = n.find_numbers(prefix + "_bias");
    if (l.bias) {
        l.bias_first = n.number(prefix + "_bias_first");
        if (l.bias.count < l.bias_first + l.outputs) {
            need(prefix + "_bias", l.bias_first + l.outputs, l.bias.count);
        }
    }
    return l;
}

activation activation_of(const std::string& name) {
    constexpr std::array names{"silu", "gelu", "gelu_tanh", "relu", "relu2", "linear"};
    const auto at = std::find(names.begin(), names.end(), name);
    if (at == names.end()) {
        refuse("there is no activation '" + name + "'");
    }
    return static_cast<activation>(at - names.begin());
}

/// The session's pool. It cuts the tasks into as many parts as it has threads; that number is not to be had, and is not needed:
/// results do not depend on it.
void run_on_session(const crew& self, std::size_t count, void (*task)(void*, std::size_t), void* user) {
    struct both {
        void (*task)(void*, std::size_t);
        void* user;
    } of{task, user};
    const auto one = [](void* p, std::size_t i) {
        static_cast<both*>(p)->task(static_cast<both*>(p)->user, i);
    };
    if (count == 1) {
        one(&of, 0);
        return;
    }
    Ort::ThrowOnError(
        Ort::GetApi().KernelContext_ParallelFor(static_cast<const OrtKernelContext*>(self.context), one,
                                                count, 0, &of));
}

/// One node of a session. Calls may come from several threads at a time.
class kernel {
  public:
    explicit kernel(const OrtKernelInfo* info) {
        const node n{info};
        const description d{layer_of(n, "gate"),     layer_of(n, "up"),
                            layer_of(n, "down"),     activation_of(n.text("activation")),
                            n.text("rules"),         n.text("laid_as"),
                            n.number("in_int8") != 0};
        if (d.laid_as != "q8_0" && d.laid_as != "f16") {
            refuse("laid_as is q8_0 or f16, not '" + d.laid_as + "'");
        }
        if (d.up.inputs != d.gate.inputs || d.up.outputs != d.gate.outputs ||
            d.down.inputs != d.gate.outputs || d.down.outputs != d.gate.inputs) {
            refuse("gate, up and down do not fit each other");
        }
        width_ = d.gate.inputs;
        const kernels* best = best_kernels();
        if (best == nullptr) {
            refuse("this processor runs none of the kernels; x86-64-v2 at least is needed");
        }
        ffn_ = best->make(d);
    }

    OrtStatus* ComputeV2(OrtKernelContext* context) {
        return as_status([&] { compute(context); });
    }

  private:
    void compute(OrtKernelContext* context) {
        const Ort::KernelContext ctx{context};
        const Ort::ConstValue x = ctx.GetInput(0);
        const auto info = x.GetTensorTypeAndShapeInfo();
        const std::vector<std::int64_t> shape = info.GetShape();
        if (shape.empty() || shape.back() != static_cast<std::int64_t>(width_)) {
            refuse("x needs " + std::to_string(width_) + " columns, got " +
                   (shape.empty() ? "a scalar" : std::to_string(shape.back())));
        }
        const std::size_t tokens = info.GetElementCount() / width_;
        auto y = ctx.GetOutput(0, shape);
        bytes_of_call bytes{};
        if (tokens != 0) {
            const crew threads{std::clamp(std::thread::hardware_concurrency(), 1u, 64u), run_on_session,
                               context};
            const std::size_t size = ffn_->memory(threads.width, std::min<std::size_t>(tokens, 64));
            std::vector<std::byte> memory = take(size);
            bytes = ffn_->run({x.GetTensorRawData(), y.GetTensorMutableRawData(),
                               element_of(info.GetElementType()), tokens, memory, &threads});
            give_back(std::move(memory));
        }
        if (ctx.GetOutputCount() > 1) {
            if (auto seen = ctx.GetOutput(1, std::vector<std::int64_t>{2})) {
                std::copy_n(&bytes.read, 1, seen.GetTensorMutableData<std::int64_t>());
                std::copy_n(&bytes.dense, 1, seen.GetTensorMutableData<std::int64_t>() + 1);
            }
        }
    }

    /// Memory of a call that is over, or new one.
    std::vector<std::byte> take(std::size_t size) {
        std::vector<std::byte> memory;
        {
            const std::lock_guard lock{mutex_};
            if (!free_.empty()) {
                memory = std::move(free_.back());
                free_.pop_back();
            }
        }
        if (memory.size() < size) {
            memory = std::vector<std::byte>(size);
        }
        return memory;
    }
    void give_back(std::vector<std::byte> memory) {
        const std::lock_guard lock{mutex_};
        free_.push_back(std::move(memory));
    }

    std::unique_ptr<ffn> ffn_;
    std::size_t width_ = 0;
    std::mutex mutex_;
    std::vector<std::vector<std::byte>> free_;
};

/// The operator for x and y of one type; ONNX Runtime takes those of one name for one operator of several types.
template <ONNXTensorElementDataType Type>
struct glu_ffn : Ort::CustomOpBase<glu_ffn<Type>, kernel, true> {
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
    explicit glu_ffn(std::uint32_t api_version) { this->version = api_version; }
};

} // namespace
} // namespace tamis_onnx

extern "C"
#if defined(_WIN32)
    __declspec(dllexport)
#else
    __attribute__((visibility("default")))
#endif
        OrtStatus* ORT_API_CALL RegisterCustomOps(OrtSessionOptions* options, const OrtApiBase* base) {
    using namespace tamis_onnx;
    constexpr std::uint32_t oldest = 17; // ParallelFor
    std::uint32_t version = ORT_API_VERSION;
    const OrtApi* api = base->GetApi(version);
    while (api == nullptr && version > oldest) {
        api = base->GetApi(--version);
    }
    if (api == nullptr) {
        return base->GetApi(1)->CreateStatus(ORT_FAIL, "tamis::GluFfn: ONNX Runtime 1.17 or later is needed");
    }
    Ort::InitApi(api);
    return as_status([&] {
        static const glu_ffn<ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT> floats{version};
        static const glu_ffn<ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16> halves{version};
        static const glu_ffn<ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16> brains{version};
        static std::mutex one_at_a_time;
        static Ort::CustomOpDomain domain{nullptr}; // of all sessions
        const std::lock_guard lock{one_at_a_time};
        if (domain == nullptr) {
            Ort::CustomOpDomain made{"tamis"};
            made.Add(&floats);
            made.Add(&halves);
            made.Add(&brains);
            domain = std::move(made);
        }
        Ort::ThrowOnError(Ort::GetApi().AddCustomOpDomain(options, domain));
    });
}
