#!/usr/bin/env bash
# A base image like node:26-bookworm-slim where no image registry can be reached: Debian by debootstrap, node out of the
# npm package `node` that package-lock.json pins, npm out of its own package.
#
#   scripts/make-base-image.sh [NAME]        (root; needs debootstrap, podman, npm; default name localhost/plimsoll-base)
set -euo pipefail
cd "$(dirname "$0")/.."

name=${1:-localhost/plimsoll-base:bookworm}
suite=${DEBIAN_SUITE:-bookworm}
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}

for tool in debootstrap podman npm; do
  command -v "$tool" >/dev/null || { echo "make-base-image: $tool is missing" >&2; exit 2; }
done
[ "$(id -u)" -eq 0 ] || { echo 'make-base-image: debootstrap needs root' >&2; exit 2; }
[ -x node_modules/.bin/node ] || { echo 'make-base-image: run npm ci first' >&2; exit 2; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root

debootstrap --variant=minbase --include=ca-certificates,libatomic1 "$suite" "$root" "$mirror" >"$work/debootstrap.log" 2>&1 ||
  { tail -20 "$work/debootstrap.log" >&2; exit 1; }
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,locale,info}/*

install -m 755 "$(readlink -f node_modules/.bin/node)" "$root/usr/local/bin/node"
(cd "$work" && npm pack --silent npm@11 >/dev/null && mkdir -p "$root/usr/local/lib/node_modules/npm" &&
  tar -xzf npm-11*.tgz --strip-components=1 -C "$root/usr/local/lib/node_modules/npm")
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
# The certificates this machine trusts, so that the build reaches the same registry by the same way.
install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
mkdir -p "$root/usr/local/etc"
echo 'cafile=/etc/ssl/certs/ca-certificates.crt' >"$root/usr/local/etc/npmrc"
chroot "$root" useradd --uid 1000 --user-group --create-home --shell /bin/bash node
chroot "$root" node --version

tar -C "$root" -c . | podman import --quiet --change 'CMD ["node"]' - "$name"
echo "$name"
