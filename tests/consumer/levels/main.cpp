#include <part.hpp>

#include <tamis_levels.hpp>

namespace consumer {

TAMIS_CHOOSE_LEVEL(part, first)

} // namespace consumer

int main() {
    const auto level = consumer::best_level();
    return level.object != nullptr && level.object->sum == 6 ? 0 : 1;
}
