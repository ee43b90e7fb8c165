#pragma once

// tamis: activation sparsity for the feed-forward layers of language models.
//
//     values --score--> magnitudes --rule--> cut --> mask --site--> kernel skips --> y
//
// All of the library; each header below stands by itself. Apart are those that need something more:
//     <tamis/eigen.hpp>        Eigen's vectors as values (Eigen)
//     <tamis/exec/openmp.hpp>  OpenMP's threads
//     <tamis/exec/tbb.hpp>     oneTBB's threads
//     <tamis/exec/team.hpp>    an engine's threads, which all enter a call (<thread>)
//     <tamis/text_rule.hpp>, <tamis/ffn/site_rules.hpp>, <tamis/ffn/text_policies.hpp>, <tamis/ffn/text_gating.hpp>,
//     <tamis/ffn/layer_parts.hpp>, <tamis/ffn/any_layer.hpp>  rules, policies and gatings as text, and a layer that is described
//                              by it (an eighth of what all this takes to compile)
//     <tamis/mpi.hpp>          MPI's ranks (MPI), for <tamis/shard/sharded.hpp>: masks over values that several ranks share
// and <tamis/study/study.hpp>, the measurements of the papers (Eigen).

// values: numbers of any type, in a row; the caller's memory and threads
#include <tamis/any_block.hpp>
#include <tamis/any_numbers.hpp>
#include <tamis/element.hpp>
#include <tamis/error.hpp>
#include <tamis/exec/callback.hpp>
#include <tamis/executor.hpp>
#include <tamis/foreign_handle.hpp>
#include <tamis/foreign_memory.hpp>
#include <tamis/huge_pages.hpp>
#include <tamis/sixteen_bits.hpp>
#include <tamis/text_error.hpp>
#include <tamis/values.hpp>
#include <tamis/whole_number.hpp>
#include <tamis/workspace.hpp>

// score: values to magnitudes
#include <tamis/score/centred.hpp>
#include <tamis/score/group.hpp>
#include <tamis/score/magnitude.hpp>
#include <tamis/score/power.hpp>
#include <tamis/score/score.hpp>
#include <tamis/score/weighted.hpp>

// rule: magnitudes to a cut
#include <tamis/cut.hpp>
#include <tamis/rule/cett.hpp>
#include <tamis/rule/channel_thresholds.hpp>
#include <tamis/rule/combine.hpp>
#include <tamis/rule/given.hpp>
#include <tamis/rule/grouped.hpp>
#include <tamis/rule/guarded.hpp>
#include <tamis/rule/max_p.hpp>
#include <tamis/rule/nonzero.hpp>
#include <tamis/rule/rule.hpp>
#include <tamis/rule/selectors.hpp>
#include <tamis/rule/selects.hpp>
#include <tamis/rule/tail_budget.hpp>
#include <tamis/rule/threshold.hpp>
#include <tamis/rule/top_k.hpp>
#include <tamis/rule/top_p.hpp>

// mask: what a cut leaves active
#include <tamis/any_select.hpp>
#include <tamis/any_selector.hpp>
#include <tamis/mask/apply.hpp>
#include <tamis/mask/mask.hpp>
#include <tamis/mask/set_operations.hpp>
#include <tamis/select.hpp>
#include <tamis/select_active.hpp>
#include <tamis/select_block.hpp>
#include <tamis/write_active.hpp>

// shard: values that several ranks share
#include <tamis/shard/communicator.hpp>
#include <tamis/shard/cuts.hpp>
#include <tamis/shard/sharded.hpp>

// site, policy, weights, kernel: the FFN
#include <tamis/column_blocks.hpp>
#include <tamis/ffn/activation.hpp>
#include <tamis/ffn/any_ffn.hpp>
#include <tamis/ffn/any_format.hpp>
#include <tamis/ffn/any_matrix.hpp>
#include <tamis/ffn/any_packed.hpp>
#include <tamis/ffn/any_policy.hpp>
#include <tamis/ffn/any_projection.hpp>
#include <tamis/ffn/any_repack.hpp>
#include <tamis/ffn/any_weights.hpp>
#include <tamis/ffn/call_ends.hpp>
#include <tamis/ffn/cett_exact.hpp>
#include <tamis/ffn/gating.hpp>
#include <tamis/ffn/gating/clipped_swiglu.hpp>
#include <tamis/ffn/gating/limited_silu.hpp>
#include <tamis/ffn/gating/sparse_gelu.hpp>
#include <tamis/ffn/gating/xielu.hpp>
#include <tamis/ffn/glu_ffn.hpp>
#include <tamis/ffn/in_bf16.hpp>
#include <tamis/ffn/in_int8.hpp>
#include <tamis/ffn/linear_weights.hpp>
#include <tamis/ffn/observer.hpp>
#include <tamis/ffn/pack.hpp>
#include <tamis/ffn/packed_ffn.hpp>
#include <tamis/ffn/packed_projection.hpp>
#include <tamis/ffn/plain_ffn.hpp>
#include <tamis/ffn/policy.hpp>
#include <tamis/ffn/prefill.hpp>
#include <tamis/ffn/projection.hpp>
#include <tamis/ffn/repack.hpp>
#include <tamis/ffn/site.hpp>
#include <tamis/ffn/turn.hpp>
#include <tamis/ffn/union_growth.hpp>
#include <tamis/ffn/weights.hpp>
#include <tamis/format/bf16.hpp>
#include <tamis/format/byte_groups.hpp>
#include <tamis/format/column_blocks.hpp>
#include <tamis/format/f16.hpp>
#include <tamis/format/f32.hpp>
#include <tamis/format/format.hpp>
#include <tamis/format/fp8_blocks.hpp>
#include <tamis/format/fp8_by_row.hpp>
#include <tamis/format/from_fp8.hpp>
#include <tamis/format/from_int4.hpp>
#include <tamis/format/from_nbits.hpp>
#include <tamis/format/int4_groups.hpp>
#include <tamis/format/int8_by_row.hpp>
#include <tamis/format/iq4_nl.hpp>
#include <tamis/format/mxfp4.hpp>
#include <tamis/format/q2_k.hpp>
#include <tamis/format/q3_k.hpp>
#include <tamis/format/q4_0.hpp>
#include <tamis/format/q4_1.hpp>
#include <tamis/format/q4_k.hpp>
#include <tamis/format/q5_0.hpp>
#include <tamis/format/q5_1.hpp>
#include <tamis/format/q5_k.hpp>
#include <tamis/format/q6_k.hpp>
#include <tamis/format/q8_0.hpp>
#include <tamis/format/tq2_0.hpp>
#include <tamis/kernel/measure_tuning.hpp>
#include <tamis/kernel/unpack.hpp>
#include <tamis/matrix.hpp>
#include <tamis/matrix_views.hpp>
