#!/usr/bin/env bash
# Every way to get tamis, tried: bash packaging/try_all.sh [way...]. One line a way at the end; what cannot be had here is skipped.
cd "$(dirname "$0")" || exit 1
ways=("$@")
[ $# -gt 0 ] || for script in */try.sh; do ways+=("${script%/try.sh}"); done
failed=0
lines=()
for way in "${ways[@]}"; do
    started=$SECONDS
    output=$(bash "$way/try.sh" 2>&1)
    code=$?
    case $code in
        0) outcome=passed ;;
        77) outcome="SKIPPED: $(tail -1 <<<"$output")" ;;
        *) outcome=FAILED; failed=1; tail -n 60 <<<"$output" ;;
    esac
    lines+=("$way: $outcome, $((SECONDS - started)) s")
done
printf '%s\n' "${lines[@]}"
exit $failed
