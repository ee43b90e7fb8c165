#!/usr/bin/env bash
# Pictures of the site in headless Chromium: look.sh SITE_FOLDER OUTPUT_FOLDER. Desktop and phone width, light and dark.
set -euo pipefail
command -v chromium >/dev/null || { echo "chromium is not here"; exit 77; }
mkdir -p "$2"
for page in index tutorial how_to/engine faq reference/rule search; do
    for size in 1280,900 500,900; do
        for scheme in light dark; do
            dark=()
            [ $scheme = light ] || dark=(--force-dark-mode --blink-settings=preferredColorScheme=0)
            url=file://$(realpath "$1")/$page.html
            [ $page != search ] || url="$url?q=top_p"
            chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --virtual-time-budget=4000 --allow-file-access-from-files \
                --window-size=$size "${dark[@]}" --screenshot="$2/${page//\//_}_${size%,*}_$scheme.png" "$url" >/dev/null 2>&1
        done
    done
done
ls "$2"

# The search, without a server: what a reader types, and the page that has to be among what is found.
while read -r page words; do
    found=$(chromium --headless --no-sandbox --disable-gpu --virtual-time-budget=8000 --allow-file-access-from-files --dump-dom \
        "file://$(realpath "$1")/search.html?q=$words" 2>/dev/null | grep -oE '<a href="[^"#?]*' | cut -d'"' -f2 | sort -u)
    grep -qxF "$page.html" <<<"$found" || { echo "searching for '$words' does not find $page: $found"; exit 1; }
    echo "search: $words finds $page"
done <<QUERIES
reference/rule top_p
reference/rule top_k
glossary CETT
faq ties
packages vcpkg
faq predictor
contracts NaN
how_to/threads executor
QUERIES
