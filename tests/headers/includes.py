"""Every header includes what it uses of the standard library, Eigen and JSON itself, or by a header of tamis that it includes: other
standard libraries include less behind one's back. includes.py INCLUDE_DIR; prints what is missing."""
import pathlib
import re
import sys

NAMES = {
    "algorithm": "count move_backward min max sort transform clamp fill fill_n copy copy_n copy_if find find_if count_if all_of any_of none_of "
    "nth_element lower_bound upper_bound equal max_element min_element minmax_element reverse rotate unique remove_if "
    "partition stable_sort binary_search is_sorted equal_range",
    "array": "array to_array",
    "atomic": "atomic atomic_ref memory_order_relaxed memory_order_acquire memory_order_release memory_order_acq_rel",
    "bit": "bit_cast popcount countr_zero countl_zero bit_width has_single_bit bit_ceil bit_floor rotl endian",
    "charconv": "from_chars to_chars",
    "chrono": "chrono",
    "cmath": "sqrt exp log log2 log1p expm1 pow tanh erf erfc abs fabs floor ceil round ldexp frexp isnan isinf isfinite hypot "
    "lround nearbyint trunc signbit nextafter",
    "compare": "strong_ordering partial_ordering",
    "concepts": "same_as convertible_to integral signed_integral unsigned_integral floating_point derived_from invocable "
    "copyable copy_constructible constructible_from default_initializable regular predicate move_constructible",
    "condition_variable": "condition_variable",
    "cstddef": "size_t ptrdiff_t byte nullptr_t max_align_t to_integer",
    "cstdint": "uint8_t uint16_t uint32_t uint64_t int8_t int16_t int32_t int64_t uintptr_t",
    "cstdio": "fprintf snprintf printf",
    "cstdlib": "abort strtod",
    "cstring": "memcpy memset memcmp strlen",
    "exception": "exception exception_ptr current_exception rethrow_exception",
    "functional": "function plus minus multiplies less greater identity bit_and bit_or invoke ref reference_wrapper",
    "initializer_list": "initializer_list",
    "iterator": "input_iterator_tag forward_iterator_tag back_inserter distance next prev advance",
    "limits": "numeric_limits",
    "map": "map multimap",
    "memory": "unique_ptr shared_ptr make_unique make_shared align uninitialized_default_construct_n addressof",
    "mutex": "mutex lock_guard unique_lock scoped_lock",
    "new": "align_val_t nothrow bad_alloc",
    "numbers": "numbers",
    "numeric": "accumulate iota reduce inner_product midpoint",
    "optional": "optional nullopt",
    "range access": "begin end size data empty",
    "ranges": "ranges",
    "set": "set",
    "span": "span as_bytes as_writable_bytes dynamic_extent",
    "stdexcept": "invalid_argument runtime_error logic_error out_of_range",
    "string": "string to_string getline",
    "string_view": "string_view",
    "system_error": "errc error_code",
    "thread": "thread this_thread",
    "tuple": "get tuple tie apply make_tuple tuple_size forward_as_tuple tuple_cat ignore",
    "type_traits": "is_same_v is_same conditional_t remove_cv_t remove_cvref_t remove_reference_t remove_const_t is_const_v "
    "is_void_v is_enum_v is_class_v is_scalar_v is_arithmetic_v is_integral_v is_signed_v is_unsigned_v enable_if_t "
    "is_convertible_v is_trivially_copyable_v is_trivially_destructible_v true_type false_type integral_constant "
    "bool_constant is_base_of_v is_move_assignable_v is_floating_point_v is_constructible_v decay_t invoke_result_t is_invocable_v "
    "is_invocable_r_v add_const_t void_t make_unsigned_t make_signed_t is_default_constructible_v underlying_type_t "
    "is_constant_evaluated is_pointer_v is_array_v is_empty_v is_copy_constructible_v remove_pointer_t common_type_t "
    "type_identity_t is_lvalue_reference_v is_trivially_default_constructible_v",
    "unordered_map": "unordered_map",
    "utility": "move forward declval index_sequence make_index_sequence index_sequence_for integer_sequence pair swap "
    "exchange in_range as_const make_pair",
    "variant": "variant visit monostate holds_alternative get_if",
    "vector": "vector",
}
HEADER_OF = {name: header for header, names in NAMES.items() for name in names.split()}
# What these headers are bound to bring, by the standard.
BRINGS = {
    "array": ["initializer_list", "compare", "range access"],
    "iterator": ["range access"],
    "map": ["initializer_list", "compare", "range access"],
    "memory": ["compare"],
    "optional": ["compare"],
    "ranges": ["iterator"],
    "span": ["cstddef", "range access"],
    "string": ["initializer_list", "compare", "range access"],
    "tuple": ["compare"],
    "utility": ["initializer_list", "compare"],
    "vector": ["initializer_list", "compare", "range access"],
}


def main(include_dir):
    root = pathlib.Path(include_dir)
    text = {str(p.relative_to(root)): p.read_text() for p in sorted(root.rglob("*.hpp"))}
    included = {name: re.findall(r"^\s*#\s*include\s*<([^>]+)>", t, re.M) for name, t in text.items()}

    def reach(name, seen):
        if name not in seen:
            seen.add(name)
            for other in included.get(name, BRINGS.get(name, [])):
                reach(other, seen)
        return seen

    missing = 0
    unknown = {}
    for name, t in text.items():
        code = re.sub(r"//[^\n]*|\"(?:\\.|[^\"\\\n])*\"", "", t)
        there = reach(name, set())
        for word in sorted(set(re.findall(r"\bstd::(\w+)", code))):
            header = HEADER_OF.get(word)
            if header is None:
                unknown.setdefault(word, name)
            elif header not in there:
                missing += 1
                print(f"{name}: std::{word} needs <{header}>")
        for library in ("Eigen", "nlohmann"):
            if re.search(rf"\b{library}::", code) and not any(header.startswith(library + "/") for header in there):
                missing += 1
                print(f"{name}: {library}:: needs a header of <{library}/...>")
    for word, name in unknown.items():
        print(f"{name}: std::{word} is not in the list of {pathlib.Path(__file__).name}")
    return 1 if missing or unknown else 0


sys.exit(main(sys.argv[1]))
