#pragma once

#include "error.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <ios>
#include <span>
#include <string>
#include <system_error>
#include <type_traits>
#include <vector>

namespace app {

/// Bytes and the name that errors give them: a file's path, or "embedded swiglu.bin".
struct source {
    std::string name;
    std::span<const std::byte> bytes;

    std::string text() const { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
};

/// A file read whole; it stays in memory for as long as views of it are in use.
class file {
  public:
    explicit file(const std::string& path) : name_{path} {
        std::error_code code;
        const auto status = std::filesystem::status(path, code);
        if (!std::filesystem::exists(status)) {
            throw error(path, ": no such file");
        }
        if (!std::filesystem::is_regular_file(status)) {
            throw error(path, ": not a regular file");
        }
        const std::uintmax_t size = std::filesystem::file_size(path, code);
        std::ifstream in{path, std::ios::binary};
        if (code || !in) {
            throw error(path, ": cannot be opened for reading");
        }
        bytes_.resize(static_cast<std::size_t>(size));
        in.read(reinterpret_cast<char*>(bytes_.data()), static_cast<std::streamsize>(bytes_.size()));
        if (static_cast<std::uintmax_t>(in.gcount()) != size) {
            throw error(path, ": could be read only up to byte ", in.gcount(), " of ", size);
        }
    }

    /// Standard input, read to its end when it is first asked for.
    static const file& standard_input() {
        static const file all;
        return all;
    }

    operator source() const { return {name_, bytes_}; }

  private:
    file() : name_{"standard input"} {
        for (std::size_t size = 0, got = 1; got > 0; size += got) {
            bytes_.resize(size + (1 << 16));
            got = std::fread(bytes_.data() + size, 1, 1 << 16, stdin);
            bytes_.resize(size + got);
        }
        if (std::ferror(stdin) != 0) {
            throw error(name_, ": cannot be read behind byte ", bytes_.size());
        }
    }

    std::string name_;
    std::vector<std::byte> bytes_;
};

/// Reads a source from front to back; a read past the end is an error that says what was expected there.
class reader {
  public:
    explicit reader(const source& from) : from_{from} {}

    template <class T>
        requires std::is_trivially_copyable_v<T>
    T take(const std::string& what) {
        T value;
        std::memcpy(&value, take_bytes(sizeof(T), what).data(), sizeof(T));
        return value;
    }

    std::span<const std::byte> take_bytes(std::size_t count, const std::string& what) {
        const std::size_t left = from_.bytes.size() - offset_;
        if (count > left) {
            throw error(from_.name, ": truncated: ", what, " needs ", count, " bytes at byte ", offset_,
                        ", where ", left, " are left of the file's ", from_.bytes.size());
        }
        offset_ += count;
        return from_.bytes.subspan(offset_ - count, count);
    }

    /// Nothing may follow what was read: trailing bytes mean another file, or another format.
    void expect_end(const std::string& what) const {
        if (offset_ != from_.bytes.size()) {
            throw error(from_.name, ": ", from_.bytes.size() - offset_, " trailing bytes: ", what,
                        " ends at byte ", offset_, ", the file at byte ", from_.bytes.size());
        }
    }

    std::size_t offset() const { return offset_; }

  private:
    source from_;
    std::size_t offset_ = 0;
};

} // namespace app
