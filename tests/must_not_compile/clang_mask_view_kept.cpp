// expect: dangling
// only: Clang, with -Wdangling -Wdangling-gsl -Werror
#include <tamis/tamis.hpp>

// A view of a mask that nobody has named: right as an argument, wrong as a variable.
void call(const std::vector<float>& x) {
#if defined(TAMIS_FIXED)
    tamis::mask twice{x.size()};
    tamis::unite(tamis::top_p{0.9}(x), tamis::top_k{3}(x), twice.span());
#else
    const tamis::mask_view view = tamis::top_p{0.9}(x);
    (void)view.size();
#endif
}
