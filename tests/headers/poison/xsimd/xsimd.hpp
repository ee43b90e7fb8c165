#error "this header needs spans alone: it must not include <xsimd/xsimd.hpp>"
