#include "output/document.hpp"

namespace app {

std::string document::about() const {
    for (const auto& part : parts_) {
        if (const auto* words = std::get_if<std::string>(&part);
            words != nullptr && !words->starts_with("## ")) {
            return *words;
        }
    }
    return {};
}

std::string document::plain(std::size_t width) const {
    std::string text = title_ + "\n";
    for (const auto& sentence : headlines_) {
        text += wrapped(sentence, screen_width);
    }
    for (const auto& part : parts_) {
        if (const auto* words = std::get_if<std::string>(&part)) {
            text += "\n" + wrapped(words->starts_with("## ") ? words->substr(3) : *words, screen_width);
        } else if (const auto* t = std::get_if<table>(&part)) {
            text += "\n" + t->plain(width);
        } else if (const auto* only = std::get_if<shown_only>(&part)) {
            text += "\n" + only->t.plain(width);
        }
    }
    return text;
}

std::string document::screen(std::size_t rows) const {
    std::string text = wrapped(title_ + (measured.empty() ? "" : " (" + measured + ")"), screen_width);
    for (const auto& sentence : headlines_) {
        text += wrapped(sentence, screen_width);
    }
    const table* shown = screen_.empty() ? nullptr : &screen_.front();
    if (shown == nullptr) {
        each_shown_table([&](const table& t) { shown = shown == nullptr ? &t : shown; });
    }
    return shown == nullptr ? text : text + shown->plain(screen_width, rows);
}

} // namespace app
