#define ORT_API_MANUAL_INIT
#include <onnxruntime_cxx_api.h>

#include <tamis_levels.hpp> // written by tamis_compile_for_levels

#include <exception>
#include <mutex>

// What ONNX Runtime looks for when it loads the library: the operator of the best level that this machine runs goes into its domain.

namespace tamis_onnx {

using adder = void (*const)(Ort::CustomOpDomain& domain, std::uint32_t api_version);
TAMIS_CHOOSE_LEVEL(adder, add_operators)

namespace {

void add_to(OrtSessionOptions* options, std::uint32_t version) {
    static std::mutex one_at_a_time;
    static Ort::CustomOpDomain domain{nullptr}; // of all sessions
    const std::lock_guard lock{one_at_a_time};
    if (domain == nullptr) {
        Ort::CustomOpDomain made{"tamis"};
        (*best_level().object)(made, version);
        domain = std::move(made);
    }
    Ort::ThrowOnError(Ort::GetApi().AddCustomOpDomain(options, domain));
}

} // namespace
} // namespace tamis_onnx

extern "C"
#if defined(_WIN32)
    __declspec(dllexport)
#else
    __attribute__((visibility("default")))
#endif
        OrtStatus* ORT_API_CALL RegisterCustomOps(OrtSessionOptions* options, const OrtApiBase* base) {
    constexpr std::uint32_t oldest = 17; // ParallelFor
    std::uint32_t version = ORT_API_VERSION;
    const OrtApi* api = base->GetApi(version);
    while (api == nullptr && version > oldest) { // an older ONNX Runtime than the headers
        api = base->GetApi(--version);
    }
    const auto failed = [&](const OrtApi* with, const char* why) {
        return with->CreateStatus(ORT_FAIL, why);
    };
    if (api == nullptr) {
        return failed(base->GetApi(1), "tamis::GluFfn: ONNX Runtime 1.17 or later is needed");
    }
    if (tamis_onnx::best_level().object == nullptr) {
        return failed(api,
                      "tamis::GluFfn: this processor runs none of the kernels; x86-64-v2 at least is needed");
    }
    Ort::InitApi(api);
    try {
        tamis_onnx::add_to(options, version);
        return nullptr;
    } catch (const std::exception& e) {
        return failed(api, e.what());
    }
}
