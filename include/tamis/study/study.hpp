#pragma once

// The study: both papers' measurements, on anyone's model. A model takes part through hooks at the sites of its FFNs
// (hook.hpp) and a callable that runs it and says how well it did; nothing here reads or writes a file. Optional, like
// <tamis/eigen.hpp>: it needs Eigen.

// the model's side: hooks, and an FFN that has them
#include <tamis/study/hook.hpp>
#include <tamis/study/hooked_ffn.hpp>

// what is masked where, and who looks on
#include <tamis/study/masker.hpp>
#include <tamis/study/meter.hpp>
#include <tamis/study/plan.hpp>
