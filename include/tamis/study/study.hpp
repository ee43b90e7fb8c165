#pragma once

// The study: both papers' measurements, on anyone's model. A model takes part through hooks at the sites of its FFNs
// (hook.hpp) and a callable that runs it and says how well it did; nothing here reads or writes a file. Optional, like
// <tamis/eigen.hpp>: it needs Eigen. <tamis/study/calibrate/calibration_json.hpp> and
// <tamis/study/calibrate/calibration_json_reader.hpp>, which need nlohmann's json, are apart.

// the model's side: hooks, and an FFN that has them
#include <tamis/study/hook.hpp>
#include <tamis/study/hooked_ffn.hpp>

// what is done there: masks by a plan, joint masks, rounding
#include <tamis/study/any_joint_selector.hpp>
#include <tamis/study/fp8.hpp>
#include <tamis/study/joint_masker.hpp>
#include <tamis/study/masker.hpp>
#include <tamis/study/plan.hpp>
#include <tamis/study/round.hpp>
#include <tamis/study/rounded.hpp>
#include <tamis/study/without_crossing.hpp>

// who looks on: meters that merge from threads and machines
#include <tamis/study/exact_total.hpp>
#include <tamis/study/figure.hpp>
#include <tamis/study/meter.hpp>
#include <tamis/study/meter/accounting.hpp>
#include <tamis/study/meter/cett.hpp>
#include <tamis/study/meter/drift.hpp>
#include <tamis/study/meter/effective_rank.hpp>
#include <tamis/study/meter/experts.hpp>
#include <tamis/study/meter/frequency.hpp>
#include <tamis/study/meter/outliers.hpp>
#include <tamis/study/meter/sparsity.hpp>
#include <tamis/study/meter/stability.hpp>
#include <tamis/study/meter/top_contexts.hpp>
#include <tamis/study/state.hpp>

// sweeps over rules, sites and values; what the model tolerates, and how sure that is
#include <tamis/study/bootstrap.hpp>
#include <tamis/study/critical.hpp>
#include <tamis/study/sweep.hpp>
#include <tamis/study/sweep_over.hpp>

// thresholds from a text: CETT and CETT-PPL, TEAL, CATS
#include <tamis/study/calibrate/bisect.hpp>
#include <tamis/study/calibrate/calibration.hpp>
#include <tamis/study/calibrate/cett_curve.hpp>
#include <tamis/study/calibrate/cett_ppl.hpp>
#include <tamis/study/calibrate/cett_refinement.hpp>
#include <tamis/study/calibrate/glu_block_error.hpp>
#include <tamis/study/calibrate/greedy_budgets.hpp>
#include <tamis/study/calibrate/magnitude_histogram.hpp>
#include <tamis/study/calibrate/quantile_calibration.hpp>
#include <tamis/study/calibrate/rules_as_text.hpp>
#include <tamis/study/calibrate/rules_of_layer.hpp>

// predictors: masks of neurons from x alone
#include <tamis/study/predictor/low_rank.hpp>
#include <tamis/study/predictor/predicted.hpp>
#include <tamis/study/predictor/score.hpp>
#include <tamis/study/predictor/sign_bits.hpp>

// laws: activation against training data, width and depth
#include <tamis/study/laws/fit_law.hpp>
#include <tamis/study/laws/relu_law.hpp>
#include <tamis/study/laws/silu_law.hpp>
#include <tamis/study/laws/width_depth.hpp>
