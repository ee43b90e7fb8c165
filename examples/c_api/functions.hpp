#pragma once

#include "tamis.h"

// The functions of tamis.h that need kernels are compiled once for each level of instruction sets; tamis.cpp calls those of the best one.

namespace tamis_c {

struct functions {
    decltype(&tamis_rule_new) rule_new;
    decltype(&tamis_rule_free) rule_free;
    decltype(&tamis_rule_workspace) rule_workspace;
    decltype(&tamis_rule_mask) rule_mask;
    decltype(&tamis_format) format;
    decltype(&tamis_format_bytes) format_bytes;
    decltype(&tamis_pack_bytes) pack_bytes;
    decltype(&tamis_pack) pack;
    decltype(&tamis_plan_new) plan_new;
    decltype(&tamis_plan_layers) plan_layers;
    decltype(&tamis_plan_free) plan_free;
    decltype(&tamis_ffn_new) ffn_new;
    decltype(&tamis_linear_new) linear_new;
    decltype(&tamis_layer_free) layer_free;
    decltype(&tamis_layer_sizes) layer_sizes;
    decltype(&tamis_layer_workspace) layer_workspace;
    decltype(&tamis_layer_run) layer_run;
};

} // namespace tamis_c
