#pragma once

#include <bit>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>

namespace app {

/// 64-bit FNV-1a: says whether two studies saw the same.
class fingerprint {
  public:
    fingerprint& add(std::uint64_t value) {
        for (int byte = 0; byte < 8; ++byte) {
            hash_ = (hash_ ^ ((value >> (8 * byte)) & 0xff)) * 0x100000001b3;
        }
        return *this;
    }
    fingerprint& add(std::span<const float> values) {
        for (const float v : values) { // whole words: weights are many
            hash_ = (hash_ ^ std::bit_cast<std::uint32_t>(v)) * 0x100000001b3;
        }
        return *this;
    }
    fingerprint& add(std::string_view text) {
        for (const char c : text) {
            hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 0x100000001b3;
        }
        return add(text.size());
    }
    std::uint64_t value() const { return hash_; }
    std::string hexadecimal() const {
        char text[17];
        std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash_));
        return text;
    }

  private:
    std::uint64_t hash_ = 0xcbf29ce484222325;
};

} // namespace app
