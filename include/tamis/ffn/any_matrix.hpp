#pragma once

#include <tamis/column_blocks.hpp>
#include <tamis/matrix.hpp>

#include <cstdio>
#include <string_view>

TAMIS_BEGIN

/// The layouts as values.
enum class weight_layout { neuron_major, input_major, output_major };

constexpr const char* name_of(weight_layout l) {
    switch (l) {
        case weight_layout::neuron_major: return "neuron_major";
        case weight_layout::input_major: return "input_major";
        default: return "output_major";
    }
}
template <layout L>
inline constexpr weight_layout value_of_layout =
    std::is_same_v<L, neuron_major>  ? weight_layout::neuron_major
    : std::is_same_v<L, input_major> ? weight_layout::input_major
                                     : weight_layout::output_major;

/// A matrix whose format and layout are known at run time: what a file says of a tensor. The format goes by its name (bf16::name
/// is "bf16"). Borrowed, as every matrix; whether it is one is checked by what takes it, which knows the formats.
class any_matrix {
  public:
    /// Of a matrix whose types are known.
    template <class F, class L>
    any_matrix(const matrix<F, L>& m)
        : any_matrix{F::name, value_of_layout<L>, m.row(0), m.rows(), m.columns(), m.stride_bytes()} {}
    /// stride_bytes = 0: rows directly behind each other.
    any_matrix(std::string_view format, weight_layout l, const void* data, std::size_t rows,
               std::size_t columns, std::size_t stride_bytes = 0)
        : data_{data}, rows_{rows}, columns_{columns}, stride_bytes_{stride_bytes}, layout_{l} {
        length_ = format.copy(name_, sizeof name_);
    }

    /// The format's name.
    std::string_view format() const { return {name_, length_}; }
    /// What a row is.
    weight_layout layout() const { return layout_; }
    /// Where the first row begins.
    const void* data() const { return data_; }
    /// How many rows.
    std::size_t rows() const { return rows_; }
    /// How many entries a row has.
    std::size_t columns() const { return columns_; }
    /// Bytes from a row to the next (of column_blocks: from a block of rows).
    std::size_t stride_bytes() const { return stride_bytes_; }

  private:
    const void* data_;
    std::size_t rows_, columns_, stride_bytes_;
    weight_layout layout_;
    char name_[32];
    std::size_t length_ = 0;
};

/// Formats to choose from at run time; an any_ffn is compiled for them and no other. column_blocks<F> are among them, for matrices
/// whose rows are inputs.
template <class... Fs>
    requires((weight_format<Fs> || detail::column_blocked<Fs>) && ...)
struct formats {
    static_assert(sizeof...(Fs) != 0, "tamis::formats: at least one format is needed");
    /// How many there are.
    static constexpr std::size_t count = sizeof...(Fs);

    /// The place of a name in the list; count if it has none.
    static std::size_t index_of(std::string_view name) {
        std::size_t index = 0;
        (void)((name == Fs::name ? true : (++index, false)) || ...);
        return index;
    }
    /// The name at a place; null behind the last.
    static const char* name_at(std::size_t index) {
        constexpr const char* names[]{Fs::name...};
        return index < count ? names[index] : nullptr;
    }
    /// Whether a name is in the list.
    static bool has(std::string_view name) { return index_of(name) != count; }
};

namespace detail {

/// Writes "f32, bf16, q8_0" into what there is room for.
template <class... Fs>
void list_names(formats<Fs...>, char* text, std::size_t room) {
    std::size_t at = 0;
    const auto add = [&](const char* name) {
        const int written =
            at < room ? std::snprintf(text + at, room - at, "%s%s", at == 0 ? "" : ", ", name) : 0;
        at += static_cast<std::size_t>(written);
    };
    (add(Fs::name), ...);
}

/// No layout type: it is known at run time.
struct run_time_layout {};

/// A matrix of one of a list's formats that was checked: what FFNs' weights are made of where these are known at run time.
template <class Formats>
class listed_matrix;
template <class... Fs>
class listed_matrix<formats<Fs...>> {
  public:
    using formats_type = formats<Fs...>;
    using layout_type = run_time_layout;

    /// Refuses a format that is not in the list, by the matrix's name and the list, and what `matrix` refuses.
    listed_matrix(const char* name, const any_matrix& m)
        : index_{formats_type::index_of(m.format())}, layout_{m.layout()} {
        if (index_ == formats_type::count) {
            char known[128];
            char text[256];
            list_names(formats_type{}, known, sizeof known);
            std::snprintf(
                text, sizeof text,
                "tamis: %s is '%.*s', but this is compiled for %s: add it to formats<...>, or repack", name,
                static_cast<int>(m.format().size()), m.format().data(), known);
            fail(text);
        }
        as_it_is([&]<class F>(F) {
            std::size_t stride = m.stride_bytes();
            if constexpr (column_blocked<F>) {
                stride = stride == 0 ? F::block_bytes(m.columns()) : stride;
                is_by_columns_ = true;
            } else {
                stride = stride == 0 ? F::row_bytes(m.columns()) : stride;
            }
            const matrix<F, neuron_major> checked{m.data(), m.rows(), m.columns(), stride};
            data_ = checked.row(0);
            rows_ = checked.rows();
            columns_ = checked.columns();
            stride_bytes_ = stride;
            bytes_ = bytes_of_all(checked);
        });
    }

    std::size_t rows() const { return rows_; }
    std::size_t columns() const { return columns_; }
    std::size_t stride_bytes() const { return stride_bytes_; }
    std::uint64_t bytes() const { return bytes_; }
    const std::byte* data() const { return data_; }
    /// Whether scales lie down its columns, so that a row of it can not be read alone.
    bool is_by_columns() const { return is_by_columns_; }
    weight_layout layout() const { return layout_; }

    /// Calls f with the format, which is a type without a state.
    template <class Call>
    void as_it_is(Call&& f) const {
        std::size_t at = 0;
        (void)((at++ == index_ ? (f(type<Fs>{}.get()), true) : false) || ...);
    }

  private:
    template <class F>
    struct type {
        F get() const { return {}; }
    };

    std::size_t index_;
    weight_layout layout_;
    const std::byte* data_ = nullptr;
    std::size_t rows_ = 0, columns_ = 0, stride_bytes_ = 0;
    std::uint64_t bytes_ = 0;
    bool is_by_columns_ = false;
};

} // namespace detail

TAMIS_END
