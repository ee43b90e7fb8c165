#pragma once

#include "error.hpp"

#include <tamis/element.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace app {

/// "1.500047": a number with so many decimals, whatever the locale of a stream; "nan" without a sign.
inline std::string fixed(double number, int decimals) {
    if (tamis::is_nan(number)) {
        return "nan";
    }
    char text[64];
    std::snprintf(text, sizeof text, "%.*f", decimals, number);
    return text;
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
        std::ofstream out{part_, std::ios::binary};
        out << content << std::flush;
        if (!out) {
            throw error(part_.string(), ": cannot be written");
        }
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

/// Makes the folder and writes a file there for a try: better to know before hours of measuring.
inline void prepare_folder(const std::filesystem::path& folder) {
    std::error_code code;
    std::filesystem::create_directories(folder, code);
    if (code || !std::filesystem::is_directory(folder, code)) {
        throw error("--out ", folder.string(), ": no folder can be made there",
                    code ? ": " + code.message() : std::string{});
    }
    pending_file{folder / "report.md"}.write({});
}

} // namespace app
