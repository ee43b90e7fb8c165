// expect: a joint mask has one cut
#include <tamis/rule/selectors.hpp>
#include <tamis/rule/top_k.hpp>
#include <tamis/score/centred.hpp>
#include <tamis/select_block.hpp>

tamis::mask_block f(tamis::block<const float> tokens) {
    const tamis::scored shifted{tamis::centred{0.5}, tamis::top_k{9}};
#if defined(TAMIS_FIXED)
    return tamis::select_joint(shifted, tokens);
#else
    return tamis::select_joint(shifted | tamis::top_k{9}, tokens);
#endif
}
