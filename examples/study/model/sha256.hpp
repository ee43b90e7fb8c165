#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace app {

/// The SHA-256 of bytes in hexadecimal, as sha256sum prints it.
std::string sha256(std::span<const std::byte> bytes);

} // namespace app
