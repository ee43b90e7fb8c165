#pragma once

// For clang (and MSVC), which tell where the result of a call is kept longer than what it lies in. It stands behind a
// parameter or behind the declarator of a member function.
#if defined(__has_cpp_attribute)
#if __has_cpp_attribute(clang::lifetimebound)
#define TAMIS_LIFETIMEBOUND [[clang::lifetimebound]]
#elif __has_cpp_attribute(msvc::lifetimebound)
#define TAMIS_LIFETIMEBOUND [[msvc::lifetimebound]]
#endif
#endif
#if !defined(TAMIS_LIFETIMEBOUND)
#define TAMIS_LIFETIMEBOUND
#endif
