// Preloaded into llama.cpp's test-llama-archs: no architecture is tried on ggml's Meta device, which the test makes of all devices, and
// which can do only what each of them does. Ours leave nearly all to the CPU.
struct architecture;
extern "C" bool without_meta(const architecture&) __asm__("_Z27llm_arch_supports_sm_tensorRK8llm_arch");
extern "C" bool without_meta(const architecture&) { return false; }
