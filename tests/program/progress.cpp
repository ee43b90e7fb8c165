#include "output/progress.hpp"

#include <doctest/doctest.h>

#include <chrono>

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

TEST_CASE("a bar never falls: late reports are passed over, and a step that begins anew is another pass") {
    app::progress p{false};
    const auto now = std::chrono::steady_clock::now();
    p.begin("bisecting");
    for (const std::size_t done : {3u, 7u, 5u, 9u, 8u, 10u, 9u}) { // of threads
        const std::size_t before = p.shown();
        p.grow(done, 10, now);
        CHECK(p.shown() >= before);
        CHECK(p.pass() == 1);
    }
    CHECK(p.shown() == 10);
    p.grow(1, 10, now);
    CHECK(p.pass() == 2);
    CHECK(p.shown() == 1);
    p.grow(4, 20, now); // of another size
    CHECK(p.pass() == 3);
    CHECK(p.shown() == 4);
    p.begin("the result");
    p.grow(2, 20, now);
    CHECK(p.pass() == 1);
    CHECK(p.shown() == 2);
}
