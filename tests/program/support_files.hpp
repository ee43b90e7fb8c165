#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace study_test {

inline std::string content(const std::filesystem::path& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}
inline void put(const std::filesystem::path& path, const std::string& text) {
    std::ofstream{path, std::ios::binary} << text;
}

} // namespace study_test
