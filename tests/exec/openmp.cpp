#include <tamis/exec/openmp.hpp>

#include "exec/support.hpp"

TEST_CASE("OpenMP's threads as an executor") {
    for (const std::size_t threads : {1u, 2u, 3u}) {
        CAPTURE(threads);
        CHECK(tamis::openmp{threads}.width() == threads);
        check_executor(tamis::openmp{threads});
    }
    CHECK(tamis::openmp{}.width() >= 1);
}
