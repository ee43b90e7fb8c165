#pragma once

#include <tamis/detail/config.hpp>

#include <cstddef>
#include <span>

TAMIS_BEGIN

// std::sort for small things that are copied. Its own is made of functions over plain numbers, which units for other
// instruction sets share by name (see config.hpp).

namespace detail {

template <class T, class Less>
void sift_down(T* items, std::size_t at, std::size_t count, Less less) {
    const T item = items[at];
    for (std::size_t child = 2 * at + 1; child < count; child = 2 * at + 1) {
        child += child + 1 < count && less(items[child], items[child + 1]) ? 1 : 0;
        if (!less(item, items[child])) {
            break;
        }
        items[at] = items[child];
        at = child;
    }
    items[at] = item;
}

template <class T, class Less>
void heap_sort(T* items, std::size_t count, Less less) {
    for (std::size_t i = count / 2; i-- > 0;) {
        sift_down(items, i, count, less);
    }
    for (std::size_t last = count; last-- > 1;) {
        const T largest = items[0];
        items[0] = items[last];
        items[last] = largest;
        sift_down(items, 0, last, less);
    }
}

template <class T, class Less>
void insertion_sort(T* items, std::size_t count, Less less) {
    for (std::size_t i = 1; i < count; ++i) {
        const T item = items[i];
        std::size_t to = i;
        for (; to > 0 && less(item, items[to - 1]); --to) {
            items[to] = items[to - 1];
        }
        items[to] = item;
    }
}

/// Quicksort; where its pivots are bad `depth` times, by a heap.
template <class T, class Less>
void sort_to_depth(T* items, std::size_t count, Less less, int depth) {
    while (count > 24) {
        if (depth-- == 0) {
            return heap_sort(items, count, less);
        }
        const T a = items[0];
        const T b = items[count / 2];
        const T c = items[count - 1];
        const T pivot = less(a, b) ? (less(b, c)   ? b
                                      : less(a, c) ? c
                                                   : a)
                                   : (less(a, c)   ? a
                                      : less(b, c) ? c
                                                   : b);
        std::size_t left = 0;      // before it: none above the pivot
        std::size_t right = count; // from it on: none below
        while (left < right) {
            while (less(items[left], pivot)) {
                ++left;
            }
            while (less(pivot, items[right - 1])) {
                --right;
            }
            if (left < right) {
                const T moved = items[left];
                items[left++] = items[--right];
                items[right] = moved;
            }
        }
        sort_to_depth(items + left, count - left, less, depth);
        count = right;
    }
    insertion_sort(items, count, less);
}

/// Ascending by `less`, a strict weak order. O(n log n); equal ones in any order.
template <class T, class Less>
void sort(std::span<T> items, Less less) {
    int depth = 4;
    for (std::size_t n = items.size(); n > 1; n /= 2) {
        depth += 2;
    }
    sort_to_depth(items.data(), items.size(), less, depth);
}

} // namespace detail

TAMIS_END
