#define TAMIS_COMPILES_THEM
#include "support/compiled.hpp"

TAMIS_COMPILED()
