#include "model/embedded.hpp"

// The assembler includes the files as they are. The build says where they lie (TAMIS_TINY_LM_DIR), or nothing.

#if defined(TAMIS_TINY_LM_DIR)

#if defined(__APPLE__)
#define STUDY_SECTION ".const_data\n"
#define STUDY_SYMBOL(name) "_study_" name
#define STUDY_BACK ".text\n"
#else
#define STUDY_SECTION ".pushsection .rodata\n"
#define STUDY_SYMBOL(name) "study_" name
#define STUDY_BACK ".popsection\n"
#endif

// Defines study_<name>_begin and study_<name>_end around the bytes of a file. 36 bytes in front of it: the
// floats of a checkpoint, behind its header of 28, begin at a cache line, where they are read fastest.
#define STUDY_EMBED(name, file)                                                                                                    \
    asm(STUDY_SECTION ".balign 64\n.skip 36\n"                                                                                   \
        ".globl " STUDY_SYMBOL(#name "_begin") "\n" STUDY_SYMBOL(#name "_begin") ":\n"                                 \
        ".incbin \"" TAMIS_TINY_LM_DIR "/" file "\"\n"                                                                 \
        ".globl " STUDY_SYMBOL(#name "_end") "\n" STUDY_SYMBOL(#name "_end") ":\n"                                     \
        ".byte 0\n" STUDY_BACK); \
    extern "C" const std::byte study_##name##_begin[];                                                                             \
    extern "C" const std::byte study_##name##_end[]

STUDY_EMBED(swiglu, "swiglu.bin");
STUDY_EMBED(reglu, "reglu.bin");
STUDY_EMBED(tokenizer, "tokenizer.bin");
STUDY_EMBED(text, "text.txt");
STUDY_EMBED(tasks, "tasks.tsv");
STUDY_EMBED(laws, "laws.csv");

namespace app {

std::vector<embedded_model> embedded_models() {
    return {{"swiglu", activation::silu, {"embedded swiglu", {study_swiglu_begin, study_swiglu_end}}},
            {"reglu", activation::relu, {"embedded reglu", {study_reglu_begin, study_reglu_end}}}};
}
source embedded_tokenizer() { return {"embedded tokenizer", {study_tokenizer_begin, study_tokenizer_end}}; }
source embedded_text() { return {"embedded text", {study_text_begin, study_text_end}}; }
source embedded_tasks() { return {"embedded tasks", {study_tasks_begin, study_tasks_end}}; }
source embedded_laws() { return {"embedded laws", {study_laws_begin, study_laws_end}}; }

} // namespace app

#else

namespace app {

std::vector<embedded_model> embedded_models() { return {}; }
source embedded_tokenizer() { return {"embedded tokenizer", {}}; }
source embedded_text() { return {"embedded text", {}}; }
source embedded_tasks() { return {"embedded tasks", {}}; }
source embedded_laws() { return {"embedded laws", {}}; }

} // namespace app

#endif
