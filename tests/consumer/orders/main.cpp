#include <sieve.hpp>

#if !__has_include(<tamis/tamis.hpp>) || !__has_include(<Eigen/Core>)
#error "what the library has in its interface comes with it"
#endif

int main() { return words_for(65) == 2 ? 0 : 1; }
