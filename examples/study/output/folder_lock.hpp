#pragma once

#include "error.hpp"

#include <cerrno>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#if __has_include(<sys/file.h>) && __has_include(<unistd.h>)
#define TAMIS_STUDY_FLOCK 1
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace app {

/// Takes a folder for one run: two that write the same files would leave a mixture. A file in the folder says who has it.
/// Where there is flock the system lets go when the process ends, however it ends, so that nothing stale is ever in the way;
/// elsewhere the file's being there is the lock, and the error says how to get rid of it.
class folder_lock {
  public:
    folder_lock() = default;
    /// An error names the folder and the other run.
    explicit folder_lock(const std::filesystem::path& folder) : path_{folder / ".tamis-study.lock"} {
        take(folder);
    }
    folder_lock(folder_lock&& other) noexcept
        : path_{std::exchange(other.path_, {})}, held_{std::exchange(other.held_, -1)} {}
    folder_lock& operator=(folder_lock&& other) noexcept {
        std::swap(path_, other.path_);
        std::swap(held_, other.held_);
        return *this;
    }
    ~folder_lock() {
        if (held_ >= 0) {
            std::error_code ignored;
            std::filesystem::remove(path_, ignored); // while it is held: who waits for it looks again
#if TAMIS_STUDY_FLOCK
            ::close(held_);
#endif
        }
    }

  private:
    static std::string myself() {
        const std::time_t now = std::time(nullptr);
        char since[32] = "";
        std::strftime(since, sizeof since, "%Y-%m-%d %H:%M:%S", std::localtime(&now));
#if TAMIS_STUDY_FLOCK
        return line("process ", ::getpid(), ", since ", since);
#else
        return line("since ", since);
#endif
    }
    std::string holder() const {
        char text[128] = "";
        if (std::FILE* f = std::fopen(path_.string().c_str(), "rb")) {
            text[std::fread(text, 1, sizeof text - 1, f)] = '\0';
            std::fclose(f);
        }
        std::string who{text};
        return who.substr(0, who.find('\n'));
    }
    [[noreturn]] void refuse(const std::filesystem::path& folder, const char* way_out) const {
        const std::string who = holder();
        throw error("--out ", folder.string(), ": another run is writing there",
                    who.empty() ? "" : " (" + who + ")", "; ", way_out);
    }

#if TAMIS_STUDY_FLOCK
    void take(const std::filesystem::path& folder) {
        for (;;) {
            held_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
            if (held_ < 0) {
                throw error("--out ", folder.string(),
                            ": cannot be written: ", std::generic_category().message(errno));
            }
            if (::flock(held_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
                ::close(std::exchange(held_, -1));
                refuse(folder, "wait for it, end it, or choose another folder");
            } // or a filesystem that can not lock: then there is no lock
            struct stat mine {};
            struct stat there {};
            if (::fstat(held_, &mine) == 0 && ::stat(path_.c_str(), &there) == 0 &&
                mine.st_ino == there.st_ino && mine.st_dev == there.st_dev) {
                break;
            }
            ::close(held_); // its holder removed it as this run opened it
        }
        const std::string text =
            myself() + "\n"; // a full disk only means that the next one does not read who it is
        [[maybe_unused]] const bool said =
            ::ftruncate(held_, 0) == 0 && ::write(held_, text.data(), text.size()) > 0;
    }
#else
    void take(const std::filesystem::path& folder) {
        std::FILE* f = std::fopen(path_.string().c_str(), "wbx");
        if (f == nullptr) {
            if (std::filesystem::exists(path_)) {
                refuse(folder, ("if none is, delete " + path_.string()).c_str());
            }
            throw error("--out ", folder.string(),
                        ": cannot be written: ", std::generic_category().message(errno));
        }
        std::fputs((myself() + "\n").c_str(), f);
        std::fclose(f);
        held_ = 0;
    }
#endif

    std::filesystem::path path_;
    int held_ = -1; ///< flock: the descriptor
};

} // namespace app
