#pragma once

#include <tamis/detail/read_double.hpp>
#include <tamis/ffn/any_weights.hpp>
#include <tamis/ffn/gating/clipped_swiglu.hpp>
#include <tamis/ffn/gating/limited_silu.hpp>
#include <tamis/ffn/gating/sparse_gelu.hpp>
#include <tamis/ffn/gating/xielu.hpp>

#include <array>
#include <optional>
#include <string>
#include <string_view>

TAMIS_BEGIN

/// The arguments of a gating as text: `limited_silu(7)` has one.
using gating_arguments = std::span<const std::string_view>;

namespace detail {

/// Names, forms and arguments of the library's own gatings.
template <class G>
struct words_of_gating;

/// A gating without arguments.
template <class G>
struct gating_without_numbers {
    static std::optional<G> read(gating_arguments a) { return a.empty() ? std::optional{G{}} : std::nullopt; }
};
inline bool read_float(std::string_view text, float& value) {
    double number = 0;
    const bool is_one = read_double(text, number);
    value = static_cast<float>(number);
    return is_one;
}

template <>
struct words_of_gating<silu> : gating_without_numbers<silu> {
    static constexpr const char *name = "silu", *form = name;
};
template <>
struct words_of_gating<gelu> : gating_without_numbers<gelu> {
    static constexpr const char *name = "gelu", *form = name;
};
template <>
struct words_of_gating<gelu_tanh> : gating_without_numbers<gelu_tanh> {
    static constexpr const char *name = "gelu_tanh", *form = name;
};
template <>
struct words_of_gating<relu> : gating_without_numbers<relu> {
    static constexpr const char *name = "relu", *form = name;
};
template <>
struct words_of_gating<relu2> : gating_without_numbers<relu2> {
    static constexpr const char *name = "relu2", *form = name;
};
template <>
struct words_of_gating<linear> : gating_without_numbers<linear> {
    static constexpr const char *name = "linear", *form = name;
};
template <>
struct words_of_gating<clipped_swiglu> {
    static constexpr const char *name = "clipped_swiglu", *form = "clipped_swiglu(alpha,limit)";
    static std::optional<clipped_swiglu> read(gating_arguments a) {
        float alpha = 0, limit = 0;
        if (a.size() == 2 && read_float(a[0], alpha) && read_float(a[1], limit)) {
            return clipped_swiglu{alpha, limit};
        }
        return a.empty() ? std::optional{clipped_swiglu{}} : std::nullopt;
    }
};
template <>
struct words_of_gating<limited_silu> {
    static constexpr const char *name = "limited_silu", *form = "limited_silu(limit)";
    static std::optional<limited_silu> read(gating_arguments a) {
        float limit = 0;
        return a.size() == 1 && read_float(a[0], limit) ? std::optional{limited_silu{limit}} : std::nullopt;
    }
};
template <>
struct words_of_gating<sparse_gelu> {
    static constexpr const char *name = "sparse_gelu", *form = "sparse_gelu(target) or (target,sample)";
    static std::optional<sparse_gelu> read(gating_arguments a) {
        double target = 0;
        const bool by_sample = a.size() == 2 && a[1] == "sample";
        if ((a.size() != 1 && !by_sample) || !read_double(a[0], target)) {
            return std::nullopt;
        }
        return sparse_gelu{target, by_sample ? deviation::of_sample : deviation::of_population};
    }
};
template <>
struct words_of_gating<xielu> {
    static constexpr const char *name = "xielu", *form = "xielu(p,n)";
    static std::optional<xielu> read(gating_arguments a) {
        float p = 0, n = 0;
        return a.size() == 2 && read_float(a[0], p) && read_float(a[1], n) ? std::optional{xielu{p, n}}
                                                                           : std::nullopt;
    }
};

} // namespace detail

/// How a gating is written. Specialise it for one of your own, with
///     static constexpr const char *name = "mine", *form = "mine(factor)"; // the second for messages
///     static std::optional<mine> read(gating_arguments a);                // nothing where they are others
template <class G>
struct gating_text : detail::words_of_gating<G> {};

/// What was read, or why it was not.
template <class... Gs>
struct gating_reading {
    /// The gating, as any_ffn::gating_type holds it, if it is one.
    std::optional<std::variant<Gs...>> value{};
    /// Else the text, and what there is.
    std::string error{};
};

/// Reads a gating of a list, as a setting, a file or another language names it:
///     silu, gelu, gelu_tanh, relu, relu2, linear, clipped_swiglu, clipped_swiglu(1.702,7), limited_silu(7),
///     sparse_gelu(.95), sparse_gelu(.95,sample), xielu(p,n)
/// What is no gating of the list, or is written in another way, is said. Refuses numbers that the gating itself refuses. Allocates.
///     using known = gatings<silu, gelu_tanh>;
///     auto read = read_gating(known{}, "gelu_tanh");
template <class... Gs>
gating_reading<Gs...> read_gating(gatings<Gs...>, std::string_view text) {
    const std::string_view name = text.substr(0, text.find('('));
    std::string_view rest = text.substr(name.size());
    std::array<std::string_view, 4> arguments;
    std::size_t count = 0;
    bool is_right = rest.empty() || (rest.size() > 2 && rest.back() == ')');
    rest = is_right && !rest.empty() ? rest.substr(1, rest.size() - 2) : std::string_view{};
    while (!rest.empty() && is_right) {
        const std::size_t comma = detail::smaller(rest.find(','), rest.size());
        is_right = count < arguments.size() && comma != 0 && comma + 1 != rest.size();
        if (is_right) {
            arguments[count++] = rest.substr(0, comma);
        }
        rest.remove_prefix(detail::smaller(comma + 1, rest.size()));
    }
    gating_reading<Gs...> result;
    std::string known;
    const auto read_as = [&]<class G>(std::optional<G>) {
        using words = gating_text<G>;
        known.append(known.empty() ? "" : ", ").append(words::form);
        if (is_right && name == words::name) {
            if (auto read = words::read({arguments.data(), count})) {
                result.value = std::move(*read);
            }
        }
    };
    (read_as(std::optional<Gs>{}), ...);
    if (!result.value) {
        result.error =
            "tamis: there is no gating '" + std::string{text.substr(0, 60)} + "'; there are " + known;
    }
    return result;
}

TAMIS_END
