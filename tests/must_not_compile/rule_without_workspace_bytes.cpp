// expect: add .?std::size_t workspace_bytes
#include <tamis/select.hpp>

#include <array>

struct mine {
    tamis::cut<float> cut_of(tamis::scores<float> s, tamis::workspace w) const {
        return tamis::cut<float>::at(static_cast<float>(w.take<float>(s.size()).size()));
    }
#if defined(TAMIS_FIXED)
    static std::size_t workspace_bytes(std::size_t n) { return tamis::workspace_bytes_of<float>(n); }
#endif
};

tamis::mask f(const std::array<float, 4>& v) { return tamis::select(mine{}, v); }
