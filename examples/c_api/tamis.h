#ifndef TAMIS_H
#define TAMIS_H

/* tamis for C, and for every language that calls C: masks by any rule over numbers in memory, and the feed-forward layers of
 * language models whose kernels leave the weights of inactive entries unread. C99.
 *
 *     char error[TAMIS_ERROR_BYTES];
 *     tamis_rule* rule;
 *     if (tamis_rule_new("top_p=0.9", NULL, 0, &rule, error) != TAMIS_OK) { puts(error); }
 *
 * Results. A function that can fail returns TAMIS_OK (0) or another tamis_result, and writes a sentence with the argument, its
 * value and the way out to `error`: TAMIS_ERROR_BYTES bytes of yours, or NULL. Nothing is thrown, printed or aborted, and what
 * was asked for is then left as it was (but for y and words, whose contents are undefined if the failure came that late).
 *
 * Memory. Everything is borrowed but what says "copied"; it has to live as long as the handle that it was given to. Weights may
 * lie at any address; numbers, biases, values, x, y and words are aligned as C has them. Calls (tamis_rule_mask,
 * tamis_layer_run) allocate nothing when they succeed: they work in `workspace`, memory of any alignment and of the size that
 * the query beside them says, which may not overlap anything else. There is no global state.
 *
 * Threads. Handles do not change once they are made: any number of threads may call with one, each with a workspace of its own.
 * A handle is freed once, when no call runs with it. NULL is freed without a word.
 *
 * Sizes are in entries, strides of numbers in entries, strides of weights in bytes. What overflows is refused. */

#include <stddef.h>
#include <stdint.h>

#if defined(TAMIS_STATIC)
#define TAMIS_API
#elif defined(_WIN32) && defined(TAMIS_BUILDS)
#define TAMIS_API __declspec(dllexport)
#elif defined(_WIN32)
#define TAMIS_API __declspec(dllimport)
#elif defined(__GNUC__)
#define TAMIS_API __attribute__((visibility("default")))
#else
#define TAMIS_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

enum { TAMIS_ERROR_BYTES = 512 };

typedef int tamis_result;
enum {
    TAMIS_OK = 0,
    TAMIS_WRONG = 1,     /* an argument can not be right: null, a size, an address, a name, a rule's text */
    TAMIS_TOO_SMALL = 2, /* memory of yours is: the text says how much is needed */
    TAMIS_NO_MEMORY = 3, /* the machine has no more */
    TAMIS_NOT_HERE = 4,  /* this processor runs none of the kernels */
    TAMIS_INTERNAL = 5   /* a fault of tamis */
};

/* ---- The library ---- */

/* As "0.2.0". */
TAMIS_API const char* tamis_version(void);
/* The kernels that were chosen for this processor: "x86_64_v2", "x86_64_v3" (AVX2), "x86_64_v4" (AVX-512), "native"; "none" if it
 * runs none. The variable TAMIS_MOST_LEVEL=x86_64_v3 in the environment asks for no more than that. */
TAMIS_API const char* tamis_level(void);

/* ---- Masks ---- */

/* What numbers in memory are. */
typedef int tamis_type;
enum { TAMIS_F32 = 0, TAMIS_F64 = 1, TAMIS_F16 = 2, TAMIS_BF16 = 3, TAMIS_INT8 = 4 };

/* A rule, or a selector: what is active. */
typedef struct tamis_rule tamis_rule;

/* Makes a rule of its text:
 *
 *     top_p=0.9                      top_k=64, top_k_fraction=.25, top_k_dropping=.75, max_p=.1, threshold=.02,
 *                                    threshold_above=.02, nonzero, tail_budget=1.5
 *     power(2):top_p=0.9             a score first: power(q), weighted, centred(mode); or groups of entries: grouped_sum(64),
 *                                    grouped_largest(64), grouped_norm(64)
 *     guarded(64):top_p=0.9          and what surrounds a rule: guarded(factor), at_least(k), at_most(k)
 *     top_p=0.9 & threshold=.01      both; | either; & binds closer, parentheses group
 *     cett=.01, channel_thresholds   by numbers for each entry, as weighted is
 *
 * `numbers`: `count` finite numbers >= 0, one an entry (weights, norms, thresholds); copied; NULL and 0 without. */
TAMIS_API tamis_result tamis_rule_new(const char* text, const float* numbers, size_t count, tamis_rule** made,
                                      char* error);
TAMIS_API void tamis_rule_free(tamis_rule* rule);

/* Bytes of workspace for masks over rows of so many numbers. */
TAMIS_API tamis_result tamis_rule_workspace(const tamis_rule* rule, tamis_type type, size_t columns, size_t* bytes,
                                            char* error);
/* A mask for each of `rows` rows of `columns` numbers: entry j of row i lies at values[i * row_stride + j * step]. Its mask is
 * bit j % 64 of words[i * ((columns + 63) / 64) + j / 64]; bits behind the last entry are 0. `count` is how many words there
 * are. An exact zero is never active, a NaN always is, ties live or die together; the mask is the same on every machine. To
 * `active`, if it is not NULL, goes how many entries are active in all rows. */
TAMIS_API tamis_result tamis_rule_mask(const tamis_rule* rule, tamis_type type, const void* values, size_t rows,
                                       size_t columns, size_t row_stride, size_t step, uint64_t* words,
                                       size_t count, void* workspace, size_t workspace_bytes, uint64_t* active,
                                       char* error);

/* ---- Weights ---- */

/* What a row of a matrix is. Of gate and up: TAMIS_NEURON_MAJOR (as checkpoints have it) or TAMIS_INPUT_MAJOR (to skip inputs). Of
 * down: TAMIS_OUTPUT_MAJOR (as checkpoints have it) or TAMIS_NEURON_MAJOR (to skip neurons). Of a linear layer:
 * TAMIS_OUTPUT_MAJOR or TAMIS_INPUT_MAJOR. */
typedef int tamis_layout;
enum { TAMIS_NEURON_MAJOR = 0, TAMIS_INPUT_MAJOR = 1, TAMIS_OUTPUT_MAJOR = 2 };

typedef struct tamis_matrix {
    const char* format; /* "f32", "bf16", "q4_k" ...: tamis_format */
    tamis_layout layout;
    const void* data;
    size_t rows, columns;
    size_t stride; /* bytes from a row to the next; 0: directly behind each other */
} tamis_matrix;

/* The names of the formats, one after the other; NULL behind the last. */
TAMIS_API const char* tamis_format(size_t index);
/* Bytes of a row of so many weights. */
TAMIS_API tamis_result tamis_format_bytes(const char* format, size_t columns, size_t* bytes, char* error);

/* The caller's threads: calls task(argument, i) once for each i < count, from any threads and in any order, at most `width` at
 * a time, and returns when all are done. Tasks do not wait for each other, and what they write does not depend on threads.
 * {0, NULL, NULL}, or NULL in its place: the calling thread. */
typedef struct tamis_threads {
    size_t width;
    void (*run)(void* context, size_t count, void (*task)(void* argument, size_t i), void* argument);
    void* context;
} tamis_threads;

/* Bytes of a matrix in another format or layout; another layout is a transposition. Read alone are "q2_k" to "q6_k", "iq4_nl". */
TAMIS_API tamis_result tamis_pack_bytes(const tamis_matrix* from, const char* format, tamis_layout layout,
                                        size_t* bytes, char* error);
/* Writes it to `memory` of so many bytes at least (best aligned to 64), apart from the source, and describes it in `packed`.
 * What it costs is in docs/how_to/other_languages.md. Allocates a tile a thread while it runs. */
TAMIS_API tamis_result tamis_pack(const tamis_matrix* from, const char* format, tamis_layout layout, void* memory,
                                  size_t bytes, const tamis_threads* threads, tamis_matrix* packed, char* error);

/* ---- Layers ---- */

/* A calibration: the rules of all layers of a model, as `tamis-study` writes them (docs/calibration.md). */
typedef struct tamis_plan tamis_plan;
/* Reads the text of a calibration file: `bytes` bytes. Copied. */
TAMIS_API tamis_result tamis_plan_new(const char* json, size_t bytes, tamis_plan** made, char* error);
/* How many layers it is for. */
TAMIS_API size_t tamis_plan_layers(const tamis_plan* plan);
TAMIS_API void tamis_plan_free(tamis_plan* plan);

/* The sites of an FFN, where masks are; places in the arrays below. */
enum { TAMIS_INPUT = 0, TAMIS_GATE = 1, TAMIS_UP = 2, TAMIS_INTERMEDIATE = 3, TAMIS_SITES = 4 };

/* Of what an FFN is made: y = down(gating(gate x) * up x). Begin with all zero: tamis_ffn_parts p = {0}. */
typedef struct tamis_ffn_parts {
    size_t size;                /* sizeof(tamis_ffn_parts) */
    tamis_matrix gate;          /* format NULL: an FFN without a gate, y = down(gating(up x)) */
    tamis_matrix up, down;
    const float *gate_bias, *up_bias, *down_bias; /* NULL: none */
    const char* gating;         /* silu, gelu (by erf), gelu_tanh, relu, relu2, linear, clipped_swiglu, clipped_swiglu(1.702,7),
                                   limited_silu(7), sparse_gelu(.95), sparse_gelu(.95,sample), xielu(p,n); copied */
    const char* rules;          /* "top_p=0.95@input;cett=.01@intermediate", copied; a rule without @ is at the intermediate;
                                   NULL: none, or the plan's */
    const tamis_plan* plan;     /* rules from a calibration, for `layer`; copied */
    size_t layer;
    const float* numbers[TAMIS_SITES]; /* of rules with numbers for each entry: as many as x has at the input, as there are neurons
                                   elsewhere; copied. NULL: at the intermediate the norms of down's neurons, which cett wants */
    const uint64_t* neurons;    /* masks over the neurons that are known before, as tamis_rule_mask lays them out; what lies there when a
                                   call begins is what counts. NULL: none */
    size_t neuron_masks;        /* how many: 0 is one for all tokens, else one a token of a call */
    int masks_only;             /* not 0: rules that leave nothing unread in these layouts are no error */
} tamis_ffn_parts;

/* An FFN, or a linear layer. */
typedef struct tamis_layer tamis_layer;

/* Makes an FFN. Refuses, by name, what does not fit, and a rule that would leave nothing unread. */
TAMIS_API tamis_result tamis_ffn_new(const tamis_ffn_parts* parts, tamis_layer** made, char* error);
/* Makes a linear layer y = W x + bias, with a rule at x or without (NULL). Numbers and masks_only as above. */
TAMIS_API tamis_result tamis_linear_new(const tamis_matrix* w, const float* bias, const char* rule,
                                        const float* numbers, int masks_only, tamis_layer** made, char* error);
TAMIS_API void tamis_layer_free(tamis_layer* layer);
/* The lengths of x and y, and the bytes of all weights; NULL for what is not wanted. */
TAMIS_API tamis_result tamis_layer_sizes(const tamis_layer* layer, size_t* inputs, size_t* outputs,
                                         uint64_t* weight_bytes, char* error);

/* What an observer is shown at a site, once a token: valid during the call alone. */
typedef struct tamis_sighting {
    int site;
    size_t token;
    const float* values; /* before the mask */
    size_t count;
    const uint64_t* words; /* the mask; NULL where there is no rule */
    size_t active;         /* how many are active */
} tamis_sighting;

/* What was masked and read, to which calls add: begin with all zero. */
typedef struct tamis_counts {
    uint64_t entries[TAMIS_SITES]; /* at sites that have a rule */
    uint64_t active[TAMIS_SITES];  /* those of them that masks kept */
    uint64_t bytes_read;           /* of weights */
    uint64_t bytes_dense;          /* what the same call reads without masks: all weights once a group of tokens */
} tamis_counts;

/* A call: x and y are `tokens` rows of numbers, TAMIS_F32, TAMIS_F16 or TAMIS_BF16. Begin with all zero. */
typedef struct tamis_call {
    size_t size; /* sizeof(tamis_call) */
    tamis_type type;
    const void* x;
    void* y;
    size_t tokens;
    size_t x_stride, y_stride; /* entries from a token to the next; 0: directly behind each other */
    void* workspace;
    size_t workspace_bytes;
    size_t tokens_at_a_time; /* 0: as many as go together, with workspace for so many */
    tamis_threads threads;   /* run == NULL: the calling thread */
    tamis_counts* counts;    /* NULL: none */
    void (*observer)(void* context, const tamis_sighting* seen); /* called from the calling thread; NULL: none */
    void* observer_context;
} tamis_call;

/* Bytes of workspace for calls with so many tokens (at a time) on so many threads. */
TAMIS_API tamis_result tamis_layer_workspace(const tamis_layer* layer, size_t tokens, size_t threads,
                                             size_t* bytes, char* error);
/* y = layer(x). */
TAMIS_API tamis_result tamis_layer_run(const tamis_layer* layer, const tamis_call* call, char* error);

#ifdef __cplusplus
}
#endif

#endif
