/* The C interface from C99: what it gives is compared with the plainest loops. Prints what is wrong; 0 if nothing is. */
#include "tamis.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char error[TAMIS_ERROR_BYTES];
static int failures = 0;

static void check(int right, const char* what) {
    if (!right) {
        ++failures;
        printf("wrong: %s (%s)\n", what, error);
    }
}
#define CHECK(right) check(right, #right)
#define OK(call) check((call) == TAMIS_OK, #call)
#define REFUSED(call, code, words) check((call) == (code) && strstr(error, words) != NULL, #call " says " words)

static unsigned state = 1;
static float number(void) { /* in (-1, 1) */
    state = state * 1664525u + 1013904223u;
    return (float)(int)(state >> 8) / 8388608.0f - 1.0f;
}
static float* numbers(size_t n) {
    float* const result = malloc(n * sizeof(float));
    for (size_t i = 0; i < n; ++i) {
        result[i] = number();
    }
    return result;
}
static int active(const uint64_t* words, size_t i) { return (int)(words[i / 64] >> (i % 64) & 1); }

/* Threads that take the tasks in an order of their own. */
static size_t runs = 0;
static void run_backwards(void* context, size_t count, void (*task)(void*, size_t), void* argument) {
    ++*(size_t*)context;
    while (count-- > 0) {
        task(argument, count);
    }
}

static void masks(void) {
    enum { n = 300, rows = 3 };
    float* const x = numbers(n * rows);
    tamis_rule* rule;
    OK(tamis_rule_new("top_k=20 & threshold=0.05", NULL, 0, &rule, error));
    size_t bytes = 0;
    OK(tamis_rule_workspace(rule, TAMIS_F32, n, &bytes, error));
    void* const workspace = malloc(bytes);
    uint64_t words[rows * ((n + 63) / 64)];
    uint64_t count = 0;
    OK(tamis_rule_mask(rule, TAMIS_F32, x, rows, n, n, 1, words, sizeof words / 8, workspace, bytes, &count, error));
    CHECK(count == 20 * rows);
    for (int row = 0; row < rows; ++row) { /* the k largest: none outside is above any inside */
        float least = 2, most = 0;
        for (int i = 0; i < n; ++i) {
            const float v = fabsf(x[row * n + i]);
            if (active(words + row * 5, (size_t)i)) {
                least = v < least ? v : least;
            } else {
                most = v > most ? v : most;
            }
        }
        CHECK(least > most && least >= 0.05f);
    }
    /* doubles, bytes, binary16 and bfloat16; a column of a matrix */
    double doubles[n];
    int8_t bytes_of[n];
    uint16_t halves[n], upper[n];
    for (int i = 0; i < n; ++i) {
        uint32_t bits;
        memcpy(&bits, &x[i * rows], sizeof bits);
        doubles[i] = x[i * rows];
        bytes_of[i] = (int8_t)(x[i * rows] * 100);
        upper[i] = (uint16_t)(bits >> 16);
        halves[i] = (uint16_t)((upper[i] & 0x8000) | 0x3c00); /* 1 or -1 */
    }
    uint64_t of_column[5], other[5];
    const void* const same[] = {doubles, upper, bytes_of, halves};
    const tamis_type types[] = {TAMIS_F64, TAMIS_BF16, TAMIS_INT8, TAMIS_F16};
    OK(tamis_rule_mask(rule, TAMIS_F32, x, 1, n, 0, rows, of_column, 5, workspace, bytes, NULL, error));
    for (int t = 0; t < 4; ++t) {
        OK(tamis_rule_workspace(rule, types[t], n, &bytes, error));
        void* const memory = malloc(bytes);
        OK(tamis_rule_mask(rule, types[t], same[t], 1, n, n, 1, other, 5, memory, bytes, &count, error));
        free(memory);
        CHECK(t != 0 || memcmp(other, of_column, sizeof other) == 0);
        CHECK(t == 3 ? count == n : count >= 20 && count < 30); /* with ties */
    }
    tamis_rule_free(rule);
    free(workspace);
    free(x);
    REFUSED(tamis_rule_new("top_q=1", NULL, 0, &rule, error), TAMIS_WRONG, "there is no rule 'top_q'");
    CHECK(rule == NULL);
    REFUSED(tamis_rule_new(NULL, NULL, 0, &rule, error), TAMIS_WRONG, "text is a null pointer");
}

/* y = down (silu(gate x) * up x), with entries of the intermediate below eps / norm left out. */
static void plain_ffn(const float* gate, const float* up, const float* down, const float* x, size_t h, size_t d, float eps,
                      double* y, size_t* kept) {
    *kept = 0;
    for (size_t j = 0; j < h; ++j) {
        y[j] = 0;
    }
    for (size_t i = 0; i < d; ++i) {
        double g = 0, u = 0, squares = 0;
        for (size_t j = 0; j < h; ++j) {
            g += (double)gate[i * h + j] * x[j];
            u += (double)up[i * h + j] * x[j];
            squares += (double)down[j * d + i] * down[j * d + i];
        }
        const double value = g / (1 + exp(-g)) * u;
        if (fabs(value) * sqrt(squares) >= eps) {
            ++*kept;
            for (size_t j = 0; j < h; ++j) {
                y[j] += value * down[j * d + i];
            }
        }
    }
}

static size_t seen = 0;
static void see(void* context, const tamis_sighting* s) {
    seen += s->site == TAMIS_INTERMEDIATE && s->words != NULL ? s->active : 0;
    *(int*)context += 1;
}

static void layers(void) {
    enum { h = 64, d = 150, tokens = 3 };
    float *const gate = numbers(d * h), *const up = numbers(d * h), *const down = numbers(h * d), *const x = numbers(tokens * h);
    /* down by neurons, in memory of ours */
    const tamis_matrix stored = {"f32", TAMIS_OUTPUT_MAJOR, down, h, d, 0};
    tamis_matrix packed;
    size_t bytes = 0, weights = 0;
    OK(tamis_pack_bytes(&stored, "f32", TAMIS_NEURON_MAJOR, &bytes, error));
    void* const by_neurons = malloc(bytes);
    const tamis_threads backwards = {2, run_backwards, &runs};
    OK(tamis_pack(&stored, "f32", TAMIS_NEURON_MAJOR, by_neurons, bytes, &backwards, &packed, error));
    CHECK(packed.rows == d && packed.columns == h && packed.data == by_neurons);

    tamis_ffn_parts parts = {0};
    parts.size = sizeof parts;
    parts.gate = (tamis_matrix){"f32", TAMIS_NEURON_MAJOR, gate, d, h, 0};
    parts.up = (tamis_matrix){"f32", TAMIS_NEURON_MAJOR, up, d, h, 0};
    parts.down = stored;
    parts.gating = "silu";
    parts.rules = "cett=8";
    tamis_layer* ffn;
    REFUSED(tamis_ffn_new(&parts, &ffn, error), TAMIS_WRONG, "saves nothing");
    parts.down = packed;
    OK(tamis_ffn_new(&parts, &ffn, error));
    uint64_t of_weights = 0;
    OK(tamis_layer_sizes(ffn, &weights, NULL, &of_weights, error));
    CHECK(weights == h && of_weights == 3 * h * d * 4);

    OK(tamis_layer_workspace(ffn, tokens, 2, &bytes, error));
    void* const workspace = malloc(bytes);
    float y[tokens * h], again[tokens * h];
    tamis_counts counts = {{0}, {0}, 0, 0};
    int sightings = 0;
    tamis_call call = {0};
    call.size = sizeof call;
    call.x = x;
    call.y = y;
    call.tokens = tokens;
    call.workspace = workspace;
    call.workspace_bytes = bytes;
    call.counts = &counts;
    call.observer = see;
    call.observer_context = &sightings;
    call.threads = backwards;
    runs = 0;
    OK(tamis_layer_run(ffn, &call, error));
    CHECK(runs > 0 && sightings == 4 * tokens);
    size_t kept = 0, all = 0;
    for (size_t t = 0; t < tokens; ++t) {
        double expected[h];
        plain_ffn(gate, up, down, x + t * h, h, d, 8, expected, &kept);
        all += kept;
        for (size_t j = 0; j < h; ++j) {
            check(fabs(expected[j] - y[t * h + j]) < 2e-4, "y is that of the plain loop");
        }
    }
    CHECK(counts.entries[TAMIS_INTERMEDIATE] == tokens * d && counts.active[TAMIS_INTERMEDIATE] == all && seen == all);
    CHECK(all > 0 && all < tokens * d && counts.bytes_read < counts.bytes_dense);
    call.threads.run = NULL;
    call.y = again;
    OK(tamis_layer_run(ffn, &call, error));
    CHECK(memcmp(y, again, sizeof y) == 0); /* whatever the threads are */
    call.workspace_bytes = 100;
    REFUSED(tamis_layer_run(ffn, &call, error), TAMIS_TOO_SMALL, "the workspace needs");
    call.workspace_bytes = bytes;
    call.y = (void*)x;
    REFUSED(tamis_layer_run(ffn, &call, error), TAMIS_WRONG, "overlap");
    REFUSED(tamis_layer_run((const tamis_layer*)(const void*)"not at all a layer, but long enough", &call, error), TAMIS_WRONG, "layer");
    tamis_layer_free(ffn);

    /* the same rule from a calibration */
    const char* const json = "{\"format\": \"tamis-calibration\", \"version\": 1, \"model\": \"m\", \"source\": \"s\", \"kind\": \"cett\","
                             "\"target\": 0.2, \"tokens\": 9, \"layers\": 2, \"rules\": ["
                             "{\"layer\": 0, \"site\": \"intermediate\", \"rule\": \"cett\", \"value\": 1},"
                             "{\"layer\": 1, \"site\": \"intermediate\", \"rule\": \"cett\", \"value\": 8}]}";
    tamis_plan* plan;
    OK(tamis_plan_new(json, strlen(json), &plan, error));
    CHECK(tamis_plan_layers(plan) == 2);
    parts.rules = NULL;
    parts.plan = plan;
    parts.layer = 1;
    OK(tamis_ffn_new(&parts, &ffn, error));
    tamis_plan_free(plan);
    memset(again, 0, sizeof again);
    call.y = again;
    OK(tamis_layer_run(ffn, &call, error));
    CHECK(memcmp(y, again, sizeof y) == 0);
    tamis_layer_free(ffn);
    REFUSED(tamis_plan_new("{", 1, &plan, error), TAMIS_WRONG, "tamis calibration");

    /* neurons that are known before */
    uint64_t none[3] = {0, 0, 0};
    parts.plan = NULL;
    parts.neurons = none;
    OK(tamis_ffn_new(&parts, &ffn, error));
    OK(tamis_layer_workspace(ffn, tokens, 1, &bytes, error));
    CHECK(bytes <= call.workspace_bytes);
    OK(tamis_layer_run(ffn, &call, error));
    for (size_t j = 0; j < tokens * h; ++j) {
        check(again[j] == 0, "no neuron, no y");
    }
    none[2] = ~(uint64_t)0;
    REFUSED(tamis_layer_run(ffn, &call, error), TAMIS_WRONG, "bits behind the last");
    tamis_layer_free(ffn);

    /* a linear layer by its inputs */
    const tamis_matrix linear = {"f32", TAMIS_INPUT_MAJOR, down, h, d, 0};
    OK(tamis_linear_new(&linear, NULL, "top_k=9", NULL, 0, &ffn, error));
    float out[d];
    call.tokens = 1;
    call.y = out;
    free(workspace);
    OK(tamis_layer_workspace(ffn, 1, 1, &call.workspace_bytes, error));
    call.workspace = malloc(call.workspace_bytes);
    memset(&counts, 0, sizeof counts);
    OK(tamis_layer_run(ffn, &call, error));
    CHECK(counts.active[TAMIS_INPUT] == 9 && counts.bytes_read == 9 * d * 4);
    float sorted[h];
    for (int j = 0; j < h; ++j) { /* the ninth largest */
        int at = j;
        for (; at > 0 && sorted[at - 1] < fabsf(x[j]); --at) {
            sorted[at] = sorted[at - 1];
        }
        sorted[at] = fabsf(x[j]);
    }
    for (int i = 0; i < d; ++i) {
        double sum = 0;
        for (int j = 0; j < h; ++j) {
            sum += fabsf(x[j]) >= sorted[8] ? (double)down[j * d + i] * x[j] : 0;
        }
        check(fabs(sum - out[i]) < 1e-4, "the linear layer is that of the plain loop");
    }
    free(call.workspace);
    tamis_layer_free(ffn);
    free(gate);
    free(up);
    free(down);
    free(x);
    free(by_neurons);
}

int main(void) {
    printf("tamis %s, %s\n", tamis_version(), tamis_level());
    size_t formats = 0, bytes = 0;
    while (tamis_format(formats) != NULL) {
        OK(tamis_format_bytes(tamis_format(formats++), 256, &bytes, error));
        CHECK(bytes >= 64);
    }
    CHECK(formats > 0);
    masks();
    layers();
    tamis_rule_free(NULL);
    printf("%d wrong\n", failures);
    return failures != 0;
}
