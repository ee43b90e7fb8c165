#pragma once

#include "error.hpp"
#include "output/folder_lock.hpp"

#include <tamis/element.hpp>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#if __has_include(<unistd.h>)
#include <unistd.h>
#endif

namespace app {

/// "1.500047": a number with so many decimals, whatever the locale of a stream; "nan" without a sign.
inline std::string fixed(double number, int decimals) {
    if (tamis::is_nan(number)) {
        return "nan";
    }
    char text[512]; // 1e308 has its digits
    std::snprintf(text, sizeof text, "%.*f", decimals, number);
    if (text[0] == '-' && std::string_view{text}.find_first_not_of("-0.") == std::string_view::npos) {
        return text + 1; // no "-0.0"
    }
    return text;
}
/// The fewest digits of a double that read back to the bit.
inline std::string shortest(double number) {
    char text[64];
    for (int digits = 6; digits <= 17; ++digits) {
        std::snprintf(text, sizeof text, "%.*g", digits, number);
        if (std::strtod(text, nullptr) == number) {
            break;
        }
    }
    return tamis::is_nan(number) ? std::string{"nan"} : std::string{text};
}
/// All digits of a double, so that it reads back to the bit.
inline std::string number_text(double number) {
    if (tamis::is_nan(number)) {
        return "nan";
    }
    char text[64];
    std::snprintf(text, sizeof text, "%.17g", number);
    return text;
}
inline std::string percent(double share, int decimals = 2) {
    return tamis::is_nan(share) ? "nan" : fixed(100 * share, decimals) + " %";
}

/// What a file that cannot be written leaves: its name, and the system's reason where there is one.
inline error write_error(const std::filesystem::path& path, int code) {
    return error(path.string(), ": cannot be written",
                 code == 0 ? std::string{} : ": " + std::generic_category().message(code));
}

/// A file under the pen. A full disk may show as late as at close(), behind which all of it is on the disk.
class open_file {
  public:
    /// `mode` as fopen's; errors name `shown`, the file that this is going to be.
    open_file(const std::filesystem::path& path, const char* mode, std::filesystem::path shown)
        : shown_{std::move(shown)}, file_{std::fopen(path.string().c_str(), mode)} {
        if (file_ == nullptr) {
            throw write_error(shown_, errno);
        }
    }
    open_file(const open_file&) = delete;
    open_file& operator=(const open_file&) = delete;
    ~open_file() {
        if (file_ != nullptr) {
            std::fclose(file_);
        }
    }

    void write(std::string_view content) {
        errno = 0;
        if (std::fwrite(content.data(), 1, content.size(), file_) != content.size()) {
            throw write_error(shown_, errno);
        }
    }
    void close() {
        errno = 0;
        bool done = std::fflush(file_) == 0;
        int code = errno;
        if (done && !to_disk()) {
            done = false;
            code = errno;
        }
        errno = 0;
        if (std::fclose(std::exchange(file_, nullptr)) != 0 && done) {
            done = false;
            code = errno;
        }
        if (!done) {
            throw write_error(shown_, code);
        }
    }

  private:
    /// False when the disk would not take it; devices and some filesystems know no such thing.
    bool to_disk() const {
#if __has_include(<unistd.h>)
        return fsync(fileno(file_)) == 0 || (errno != ENOSPC && errno != EIO && errno != EDQUOT);
#else
        return true;
#endif
    }

    std::filesystem::path shown_;
    std::FILE* file_;
};

/// A file that is written under a temporary name and takes its own at commit(): whoever looks finds it whole
/// or not at all. Without commit() nothing stays.
class pending_file {
  public:
    explicit pending_file(std::filesystem::path path) : path_{std::move(path)}, part_{path_} {
        part_ += ".part";
    }
    pending_file(const pending_file&) = delete;
    pending_file& operator=(const pending_file&) = delete;
    ~pending_file() {
        std::error_code ignored;
        std::filesystem::remove(part_, ignored);
    }

    void write(std::string_view content) const {
        open_file out{part_, "wb", path_};
        out.write(content);
        out.close();
    }
    void commit() const {
        std::error_code code;
        std::filesystem::rename(part_, path_, code);
        if (code) {
            throw error(path_.string(), ": cannot be written: ", code.message());
        }
    }
    const std::filesystem::path& part() const { return part_; }

  private:
    std::filesystem::path path_, part_;
};

inline void write_file(const std::filesystem::path& path, std::string_view content) {
    const pending_file file{path};
    file.write(content);
    file.commit();
}

/// Makes the folder, takes it for this run (as long as the result lives) and writes a file there for a try: better to know
/// before hours of measuring.
[[nodiscard]] inline folder_lock prepare_folder(const std::filesystem::path& folder) {
    std::error_code code;
    std::filesystem::create_directories(folder, code);
    if (code || !std::filesystem::is_directory(folder, code)) {
        throw error("--out ", folder.string(), ": no folder can be made there",
                    code ? ": " + code.message() : std::string{});
    }
    folder_lock lock{folder};
    pending_file{folder / "report.md"}.write({});
    return lock;
}

} // namespace app
