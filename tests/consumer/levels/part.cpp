// Compiled for each level, with what its target was given after tamis_compile_for_levels.
#include <part.hpp>

#if !defined(OF_A_LIBRARY) || !defined(OF_AN_OPTION)
#error "what the target was given later is missing"
#endif
#if !defined(__OPTIMIZE__)
#error "sources of levels are optimised, whatever the build is"
#endif

namespace consumer::TAMIS_LEVEL {

constexpr int numbers[] = {NUMBERS};
extern const part first;
const part first{numbers[0] + numbers[1] + numbers[2]};

} // namespace consumer::TAMIS_LEVEL
