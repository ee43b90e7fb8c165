#include <tamis/exec/tbb.hpp>

#include "exec/support.hpp"

TEST_CASE("oneTBB's threads as an executor") {
    for (const int threads : {1, 2, 3}) {
        CAPTURE(threads);
        tbb::task_arena arena{threads};
        CHECK(tamis::on_tbb{arena}.width() == static_cast<std::size_t>(threads));
        check_executor(tamis::on_tbb{arena});
    }
}
