// `using namespace std; using namespace tamis;` at the top of a file: no public name is one that the standard library,
// POSIX or the study has, too. Each is looked up here the way a user writes it; nothing is instantiated. names.py tells
// which of the headers' names are missing here.
#include <algorithm>
#include <any>
#include <array>
#include <atomic>
#include <bit>
#include <bitset>
#include <chrono>
#include <cmath>
#include <compare>
#include <complex>
#include <concepts>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <numbers>
#include <numeric>
#include <optional>
#include <random>
#include <ranges>
#include <ratio>
#include <regex>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <valarray>
#include <variant>
#include <vector>
#include <version>
#if __has_include(<format>)
#include <format>
#endif
#if __has_include(<generator>)
#include <generator>
#endif
#if __has_include(<latch>)
#include <barrier>
#include <latch>
#include <semaphore>
#include <stop_token>
#endif
#if __has_include(<mdspan>)
#include <mdspan>
#endif
#if __has_include(<sys/select.h>)
#include <fcntl.h>
#include <signal.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

#include <tamis/eigen.hpp>
#include <tamis/ffn/prefill.hpp>
#include <tamis/study/study.hpp>
#include <tamis/tamis.hpp>

using namespace std;
using namespace tamis;
using namespace tamis::study;

// clang-format off
template <class...>
struct names_types {};
using all_types = names_types<
    accounting_meter, active_rows, aligned_memory, all_rows, any_joint_selector, any_rounding,
    any_selector, bf16, bisection, bottleneck_fit, calibrated_rule, calibration, centred, cett_bracket,
    cett_ppl_options, cett_ppl_result, cett_ppl_step, context, criterion, critical_point, e4m3, e5m2,
    effective_rank_meter, entry, exact_total, f16, f32, ffn_sizes, frequency_meter, gelu, gelu_tanh,
    glu_biases, histogram_meter, hook_ref, input_major, int8_by_row, joint_plan, law_point, linear,
    magnitude, magnitude_histogram, magnitude_quantiles, mask, mask_block, mask_block_span, mask_drift,
    mask_span, mask_view, max_p, neuron_major, no_hook, no_layer_observer, no_observer, no_progress,
    nonzero, outliers_meter, output_major, owned_workspace, plan, power, prediction_score, probe, q4_0,
    q8_0, quantile_meter, relu, relu2, relu_law, serial, sighting, sign_bits, silu, silu_law, site,
    skipped_matrices, sparsity_meter, spread, stability_meter, state_reader, state_writer, sweep_point,
    sweep_progress, tail_budget, threshold, to_bf16, to_e4m3, to_e5m2, to_f16, to_f32, top_contexts, top_k,
    top_p, traffic, union_growth, weighted, whole_number, workspace>;

template <class T>
using all_aliases = names_types<
    bits_of<T>, both_of<T, T>, either_of<T, T>, parameters<T>, real_of<T>, score_real<T, T>, values_real<T>>;

template <class T>
void class_templates(T t) {
    (void)always_active{t}; (void)at_least{t}; (void)at_most{t}; (void)block{t}; (void)both_rules{t};
    (void)cett_curve{t}; (void)cett_exact{t}; (void)cett_meter{t}; (void)cett_refinement{t};
    (void)cett_steps{t}; (void)chained{t}; (void)cut{t}; (void)either_rule{t}; (void)element_traits{t};
    (void)exact_sum{t}; (void)executor_of{t}; (void)ffn_calls{t}; (void)fitted{t};
    (void)glu_block_error{t}; (void)glu_ffn{t}; (void)glu_weights{t}; (void)guarded{t};
    (void)hooked_ffn{t}; (void)joint_masker{t}; (void)law_fit{t}; (void)low_rank{t}; (void)masker{t};
    (void)matrix{t}; (void)meters{t}; (void)on_threads{t}; (void)packed_glu{t}; (void)packed_matrix{t};
    (void)per_expert{t}; (void)per_layer{t}; (void)plain_ffn{t}; (void)plain_weights{t}; (void)policy{t};
    (void)policy_set{t}; (void)precision_drift{t}; (void)predicted{t}; (void)prediction_watch{t};
    (void)rounded{t}; (void)scored{t}; (void)scores{t}; (void)selects{t}; (void)site_meter{t};
    (void)strided{t}; (void)values_access{t}; (void)without_crossing{t};
}

template <class T>
constexpr bool concepts =
    activation<T> && element<T> && executor<T> && has_members<T, float> && has_state<T> && joint_selector<T> &&
    law<T> && layer_observer<T> && layout<T> && mergeable_result<T> && meter<T> && numbered_meter<T> &&
    observer<T> && own_selector<T> && predictor<T> && rounding<T> && rule<T> && rule_for<T, float> &&
    score<T> && score_for<T, float> && selector<T> && sequential_meter<T> && site_hook<T> && values<T> &&
    values_counter<T> && weight_format<T>;

template <class T>
void functions(T t) {
    active_indices(t); active_selection_bytes(t); at_gate(t); at_input(t); at_intermediate(t);
    at_most_cut(t); at_up(t); average_of(t); bin_of(t); bisect(t); cett(t); cett_bound(t); cett_ppl(t);
    cett_thresholds(t); complement(t); cut_of(t); dot_rows(t); dot_rows_of_block(t);
    dot_rows_of_block_plain(t); dot_rows_plain(t); eigen_block(t); fail(t); fail_sizes(t); fail_value(t);
    find_critical(t); first_of_bin(t); fit_bottleneck(t); fit_law(t); float_at(t); from_words(t);
    greedy_budgets(t); intersect(t); is_nan(t); jaccard(t); keeps_share(t); last_of_bin(t);
    magnitude_bits(t); mask_words(t); name_of(t); neuron_norms(t); only_layer(t); pack(t);
    perplexity_within(t); place_in_bin(t); plain_active_indices(t); plain_cut_bytes(t);
    plain_score_into(t); plain_tail_budget_cut(t); plain_top_k_cut(t); plain_top_p_cut(t);
    plain_write_entries(t); plain_write_indices(t); plain_write_mask(t); plain_write_zeros(t); plan_of(t);
    predict(t); predicted_traffic(t); prefill(t); prefill_workspace_bytes(t); problem_of(t);
    quantile_rules(t); repack(t); repack_in_place(t); repacked_bytes(t); round_all(t);
    rows_selection_bytes(t); rule_workspace_bytes(t); rules_for(t); score_into(t); second_pass(t);
    select(t); select_entries(t); select_in_place(t); select_indices(t); select_joint(t); select_rows(t);
    selection_bytes(t); selector_at(t); selector_of(t); spread_of(t); strided_eigen(t); subtract(t);
    sum_rows(t); sum_rows_of_block(t); sum_rows_of_block_plain(t); sum_rows_plain(t); sweep(t);
    tail_budget_cut(t); to_real(t); to_words(t); top_k_cut(t); top_k_cut_bytes(t); top_p_cut(t);
    top_p_cut_bytes(t); top_p_power(t); unite(t); unpack(t); unpack_plain(t); view_of(t); widen(t);
    workspace_bytes_of(t); write_entries(t); write_indices(t); write_mask(t); write_zeros(t);
    zero_inactive(t);
}

template <class T>
void variables(T) {
    (void)finite_bins; (void)infinity_bits<T>; (void)magnitude_bins; (void)magnitudes_a_bin;
    (void)most_layers; (void)most_tokens; (void)parameters_of<T>; (void)whole_block; (void)whole_row;
    (void)workspace_alignment;
}
// clang-format on

// Some as they are used.
double names_in_use(vector<float>& v) {
    mask m = top_p{0.9}(v) & (at_most(3, top_p{0.5}) | max_p{0.1})(v);
    m = select(threshold{1} & at_least{1, nonzero{}}, v);
    const block rows{v.data(), 1, v.size()};
    owned_workspace memory{selection_bytes(top_k{1}, v.size())};
    select_rows(top_k{1}, rows, mask_block{1, v.size()}.span(), memory);
    intersect(m, m, m.span());
    plan everywhere{2};
    everywhere.set_all(site::input, top_k{1});
    return jaccard(m, top_k::dropping(0.5)(v));
}
