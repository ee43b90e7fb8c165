#pragma once

#include "support/generate.hpp"

#include <tamis/executor.hpp>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

// Executors to test with: real threads, and one thread that takes the parts in an order that nobody would.

/// `width` threads that take parts as they come.
inline auto threads_of(std::size_t width) {
    return tamis::executor_of{width, [width](std::size_t count, auto&& task) {
                                  std::atomic<std::size_t> next{0};
                                  const auto work = [&] {
                                      for (std::size_t i = next++; i < count; i = next++) {
                                          task(i);
                                      }
                                  };
                                  std::vector<std::thread> others;
                                  for (std::size_t i = 1; i < std::min(width, count); ++i) {
                                      others.emplace_back(work);
                                  }
                                  work();
                                  for (std::thread& other : others) {
                                      other.join();
                                  }
                              }};
}

/// Says that it has `width` threads, and takes the last part first.
inline auto reversed_of(std::size_t width) {
    return tamis::executor_of{width, [](std::size_t count, auto&& task) {
                                  for (std::size_t i = count; i-- > 0;) {
                                      task(i);
                                  }
                              }};
}

/// The same in any order.
inline auto shuffled_of(std::size_t width, std::uint64_t seed) {
    return tamis::executor_of{width, [seed](std::size_t count, auto&& task) {
                                  engine random{seed};
                                  for (const std::size_t i : shuffled(count, random)) {
                                      task(i);
                                  }
                              }};
}
