#!/bin/sh
# Measures the network on this machine's GPU and writes gpu-report.json and gpu-report.md to a folder, in at most eight
# minutes, whatever happens. The report is also printed.
#
#     sh run.sh OUT [--seconds N] [--photos 1,8] …      (gpu-report run --help names all options)
set -u
here="$(cd "$(dirname "$0")" && pwd)"
limit=465
copy=

usage() {
    echo "usage: $0 OUT [--seconds N] [--photos 1,8] [--blocks N] [--python PROGRAM]" >&2
    exit 2
}

[ $# -ge 1 ] || usage
case "$1" in -*) usage ;; esac
out="$1"
shift

# What kept it from starting goes where the report would be, and to the terminal.
give_up() {
    text="**No GPU was measured**: $*"
    echo "$text" >&2
    # Where it can't be written, it was said.
    { mkdir -p "$out" && printf '# GPU report\n\n%s\n' "$text" >"$out/gpu-report.md"; } 2>/dev/null
    exit 1
}

[ "$(uname -s) $(uname -m)" = "Linux x86_64" ] ||
    give_up "this is built for Linux x86_64; this machine is $(uname -s) $(uname -m)."

program="$here/gpu-report"
[ -f "$program" ] || give_up "$program is missing: make the folder with tools/gpu-report/pack.sh."
# Some ways of copying lose the permission to execute, some file systems never give it.
if ! [ -x "$program" ]; then
    chmod +x "$program" 2>/dev/null
fi
why="$("$program" --version 2>&1)"
if [ $? -ne 0 ]; then
    copy="$(mktemp -d 2>/dev/null)/gpu-report"
    cp "$program" "$copy" 2>/dev/null && chmod +x "$copy" 2>/dev/null
    if "$copy" --version >/dev/null 2>&1; then
        program="$copy"
    else
        give_up "the program does not start: $why. It needs $(cat "$here/needs.txt" 2>/dev/null) or newer; this machine has $(ldd --version 2>&1 | head -n 1)."
    fi
fi

# The program keeps the time itself; the limit below is for the case that it can't.
given=
previous=
for option in "$@"; do
    case "$option" in --seconds=*) given="${option#*=}" ;; esac
    [ "$previous" != --seconds ] || given="$option"
    previous="$option"
done
[ -n "$given" ] || set -- "$@" --seconds "$limit"
given="${given:-$limit}"
limit="${given%.*}"
case "$limit" in '' | *[!0-9]*) usage ;; esac
if command -v timeout >/dev/null 2>&1; then
    timeout -k 5 $((limit + 5)) "$program" run "$out" --packed "$here/lib" "$@"
else
    "$program" run "$out" --packed "$here/lib" "$@"
fi
status=$?
[ -z "$copy" ] || rm -rf "$(dirname "$copy")"
case $status in
124 | 137) echo "It was ended from outside, at the latest after $((limit + 5)) s; what it had written is in $out." >&2 ;;
esac
exit $status
