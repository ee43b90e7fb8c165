// expect: dangling
// only: Clang, with -Wdangling -Wdangling-gsl -Werror
#include <tamis/tamis.hpp>

// The words of a mask that nobody has named.
void call(const std::vector<float>& x) {
#if defined(TAMIS_FIXED)
    const std::size_t words = tamis::top_p{0.9}(x).words().size();
    (void)words;
#else
    const std::span<const std::uint64_t> words = tamis::top_p{0.9}(x).words();
    (void)words;
#endif
}
