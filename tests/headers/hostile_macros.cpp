// Every header compiles behind headers that define macros of ordinary names: windows.h, Qt, X11, complex.h, termios.h and
// others. The list of headers is made by CMake; what they stand on is included before, and is not ours to mend.
#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cmath>
#include <concepts>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <numbers>
#include <numeric>
#include <optional>
#include <ranges>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <Eigen/Dense>
#include <nlohmann/json.hpp>
#include <tamis/detail/simd.hpp> // xsimd
#include <unsupported/Eigen/NonLinearOptimization>

// clang-format off
// windows.h and what it brings
#define min(a, b) (((a) < (b)) ? (a) : (b))
#define max(a, b) (((a) > (b)) ? (a) : (b))
#define interface struct
#define near
#define far
#define small char
#define hyper long
#define pascal
#define cdecl
#define IN
#define OUT
#define OPTIONAL
#define CONST const
#define VOID void
#define BOOL int
#define TRUE 1
#define FALSE 0
#define DELETE (0x00010000L)
#define ERROR 0
#define NO_ERROR 0
#define IGNORE 0
#define INFINITE 0xFFFFFFFF
#define THIS
#define TEXT(s) L##s
#define CALLBACK
#define STRICT 1
#define Yield()
#define DIFFERENCE 11
#define TRANSPARENT 1
#define OPAQUE 2
#define ABSOLUTE 1
#define RELATIVE 2
#define rad1 0x0420
#define chr1 0x0400
#define grp1 0x0430
// Qt
#define signals public
#define slots
#define emit
#define foreach(variable, container) for (variable : container)
#define forever for (;;)
// X11
#define None 0L
#define Bool int
#define Status int
#define Success 0
#define True 1
#define False 0
#define Always 2
#define Above 0
#define Below 1
#define Complex 0
#define Unsorted 0
#define Expose 12
// complex.h, math.h, termios.h, ctype of small systems
#define I (__extension__ 1.0iF)
#define complex _Complex
#define imaginary
#define DOMAIN 1
#define OVERFLOW 3
#define UNDERFLOW 4
#define M_PI 3.14159265358979323846
#define PI 3.14159265358979323846
#define B0 0000000
#define B50 0000001
#define _A 1
#define _B 2
#define _C 4
#define _L 8
#define _N 16
#define _P 32
#define _S 64
#define _U 128
#define _X 128
// sysmacros, old Unix, kernels and loggers
#define major(device) ((device) >> 8)
#define minor(device) ((device) & 255)
#define makedev(a, b) ((a) << 8 | (b))
#define unix 1
#define linux 1
#define sun 1
#define BLOCK_SIZE 1024
#define LOG(level)
#define CHECK(condition)
#define ASSERT(condition)
#define FAIL()
#define DEBUG 1
#define INFO 1
#define WARNING 2
#define nil 0
#define likely(x) (x)
#define unlikely(x) (x)
#define SIZE 4
#define EMPTY 0
#define UNUSED
#define F(text) text
// clang-format on

#include "all_headers.hpp"
