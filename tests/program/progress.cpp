#include "output/progress.hpp"

#include <doctest/doctest.h>

TEST_CASE("a duration is rounded to seconds, and to minutes from an hour on") {
    CHECK(app::duration(0) == "0 s");
    CHECK(app::duration(0.4) == "0 s");
    CHECK(app::duration(8.6) == "9 s");
    CHECK(app::duration(59.4) == "59 s");
    CHECK(app::duration(59.6) == "1 min 00 s");
    CHECK(app::duration(127) == "2 min 07 s");
    CHECK(app::duration(3599) == "59 min 59 s");
    CHECK(app::duration(3600) == "1 h 00 min");
    CHECK(app::duration(3900) == "1 h 05 min");
    CHECK(app::duration(100000) == "27 h 46 min");
}

TEST_CASE("the bar fills up, and says what is left as long as that took") {
    using app::progress;
    CHECK(progress::bar("sweep", 0, 10, 0) == "sweep [--------------------] 0 %");
    CHECK(progress::bar("sweep", 3, 10, 30) == "sweep [######--------------] 30 %, 1 min 10 s left");
    CHECK(progress::bar("sweep", 10, 10, 30) == "sweep [####################] 100 %, 0 s left");
    CHECK(progress::bar("sweep", 3, 10, 0.2) == "sweep [######--------------] 30 %"); // too early to tell
    CHECK(progress::bar("sweep", 0, 10, 60) == "sweep [--------------------] 0 %");   // nothing to go by
    CHECK(progress::bar("s", 1, 1'000'000, 1) == "s [--------------------] 0 %, 277 h 46 min left");
}

TEST_CASE("progress without a terminal takes everything and shows nothing") {
    app::progress shown{false};
    shown.begin("a step");
    shown.update(0, 0);
    shown.update(1, 2);
    shown.clear();
}
