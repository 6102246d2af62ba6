#!/bin/sh
# Packs what a bare x86-64 Linux machine with an NVIDIA driver needs to measure the network on its GPU: this program,
# Vulkan's loader, and the X11 libraries that the driver links. On Debian or Ubuntu; needs cargo, apt-get and dpkg-deb.
#
#     sh tools/gpu-report/pack.sh FOLDER [BINARY]
#
# BINARY is a gpu-report that is built already.
set -eu
here="$(cd "$(dirname "$0")" && pwd)"
folder="${1:?usage: $0 FOLDER [BINARY]}"
binary="${2:-}"
most_kib=$((60 * 1024))

fail() {
    echo "pack.sh: $*" >&2
    exit 1
}

[ "$(uname -m)" = x86_64 ] || fail "the machine with the GPU is x86-64; pack on such a machine, this is $(uname -m)"
for tool in apt-get dpkg-deb; do
    command -v "$tool" >/dev/null || fail "$tool is missing: pack on Debian or Ubuntu"
done

if [ -z "$binary" ]; then
    (cd "$here/../.." && cargo build --release --package gpu-report)
    target="$(cd "$here/../.." && cargo metadata --format-version 1 --no-deps |
        sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')"
    binary="$target/release/gpu-report"
fi

rm -rf "$folder"
mkdir -p "$folder/lib/loader" "$folder/lib/x11" "$folder/licences"
folder="$(cd "$folder" && pwd)"
cp "$binary" "$folder/gpu-report"
# Names of functions are of no use there.
strip "$folder/gpu-report" 2>/dev/null || true
cp "$here/run.sh" "$here/README.md" "$folder/"
cp "$here/../../LICENSE-MIT" "$here/../../LICENSE-APACHE" "$folder/licences/"

scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
# apt-get downloads as another user.
chmod 755 "$scratch"
packages() {
    into="$1"
    shift
    for package in "$@"; do
        (cd "$scratch" && apt-get download -q "$package" >/dev/null 2>"$scratch/why") ||
            fail "$package can't be downloaded (apt-get update may help): $(tail -1 "$scratch/why")"
        dpkg-deb -x "$scratch/${package}"_*.deb "$scratch/$package"
        # The libraries under the names by which they are linked; links are followed.
        find "$scratch/$package" -name 'lib*.so.*' ! -name '*.so.*.*' | while read -r library; do
            cp -L "$library" "$into/"
        done
        cp "$scratch/$package/usr/share/doc/$package/copyright" "$folder/licences/$package.txt"
    done
}
# Apache-2.0.
packages "$folder/lib/loader" libvulkan1
# MIT, BSD and ISC.
packages "$folder/lib/x11" libx11-6 libxext6 libxcb1 libxau6 libxdmcp6 libbsd0 libmd0

for library in loader/libvulkan.so.1 x11/libX11.so.6 x11/libXext.so.6 x11/libxcb.so.1; do
    [ -s "$folder/lib/$library" ] || fail "$library is in none of the packages"
done
chmod -R u+rwX,go+rX "$folder"
chmod 755 "$folder/gpu-report" "$folder/run.sh"
"$folder/gpu-report" --version >/dev/null || fail "what was packed does not start"
kib="$(du -sk "$folder" | cut -f1)"
[ "$kib" -le "$most_kib" ] || fail "$folder has $kib KiB, more than $most_kib: a machine may take no more"
# Which version of the C library the machine must have.
needs="$(grep -aoh 'GLIBC_2\.[0-9]*' "$folder/gpu-report" "$folder"/lib/*/* | sort -Vu | tail -1)"
echo "$needs" >"$folder/needs.txt"
echo "$folder: $kib KiB of at most $most_kib; needs an x86-64 Linux with $needs or newer"
