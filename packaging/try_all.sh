#!/usr/bin/env bash
# Every way to get tamis, tried: bash packaging/try_all.sh [way...]. One line a way at the end, with the seconds of processors;
# what cannot be had here is skipped.
cd "$(dirname "$0")" || exit 1
ways=("$@")
[ $# -gt 0 ] || for script in */try.sh; do ways+=("${script%/try.sh}"); done
failed=0
lines=()
used=$(mktemp)
trap 'rm -f "$used"' EXIT
TIMEFORMAT='%U %S'
for way in "${ways[@]}"; do
    { time { output=$(bash "$way/try.sh" 2>&1); code=$?; }; } 2>"$used"
    case $code in
        0) outcome=passed ;;
        77) outcome="SKIPPED: $(tail -1 <<<"$output")" ;;
        *) outcome=FAILED; failed=1; tail -n 60 <<<"$output" ;;
    esac
    lines+=("$way: $outcome, $(awk '{ printf "%.0f", $1 + $2 }' "$used") s")
done
printf '%s\n' "${lines[@]}"
exit $failed
