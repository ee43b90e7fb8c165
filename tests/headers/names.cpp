// `using namespace std; using namespace tamis;` at the top of a file: no public name is one that the standard library,
// POSIX or the study has, too. Each is looked up here the way a user writes it; nothing is instantiated.
#include <algorithm>
#include <any>
#include <array>
#include <atomic>
#include <bit>
#include <bitset>
#include <chrono>
#include <cmath>
#include <compare>
#include <complex>
#include <concepts>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <numbers>
#include <numeric>
#include <optional>
#include <random>
#include <ranges>
#include <ratio>
#include <regex>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <valarray>
#include <variant>
#include <vector>
#include <version>
#if __has_include(<format>)
#include <format>
#endif
#if __has_include(<generator>)
#include <generator>
#endif
#if __has_include(<latch>)
#include <barrier>
#include <latch>
#include <semaphore>
#include <stop_token>
#endif
#if __has_include(<mdspan>)
#include <mdspan>
#endif
#if __has_include(<sys/select.h>)
#include <fcntl.h>
#include <signal.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

#include <tamis/eigen.hpp>
#include <tamis/ffn/any_layer.hpp>
#include <tamis/ffn/prefill.hpp>
#include <tamis/ffn/site_rules.hpp>
#include <tamis/ffn/text_gating.hpp>
#include <tamis/ffn/text_policies.hpp>
#include <tamis/study/study.hpp>
#include <tamis/tamis.hpp>
#include <tamis/text_rule.hpp>

using namespace std;
using namespace tamis;
using namespace tamis::study;

#include "all_names.hpp" // made by names.py from the headers

// Some as they are used.
double names_in_use(vector<float>& v) {
    mask m = top_p{0.9}(v) & (at_most(3, top_p{0.5}) | max_p{0.1})(v);
    m = select(threshold{1} & at_least{1, nonzero{}}, v);
    const block rows{v.data(), 1, v.size()};
    owned_workspace memory{selection_bytes(top_k{1}, v.size())};
    select_rows(top_k{1}, rows, mask_block{1, v.size()}.span(), memory);
    intersect(m, m, m.span());
    plan everywhere{2};
    everywhere.set_all(site::input, top_k{1});
    return jaccard(m, top_k::dropping(0.5)(v));
}
