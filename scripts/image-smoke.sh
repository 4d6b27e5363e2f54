#!/usr/bin/env bash
# Builds the image, runs it as it is meant to be run (256 MB, no swap, read-only, no privileges) and asks it for one thing
# of each kind; then stops it and looks at how it ended.
#
#   BASE_IMAGE=localhost/plimsoll-base:bookworm scripts/image-smoke.sh
#   MEMORY=128m ENGINE=docker scripts/image-smoke.sh
set -euo pipefail
cd "$(dirname "$0")/.."

engine=${ENGINE:-podman}
image=${IMAGE:-localhost/plimsoll:smoke}
memory=${MEMORY:-256m}
port=${PORT:-19000}
name=plimsoll-smoke-$$
# Nested containers and small machines often cannot raise their own limits, which is what the default asks for.
read -r -a engine_args <<<"${ENGINE_ARGS---runtime runc}"
read -r -a run_args <<<"${RUN_ARGS---ulimit nofile=4096:4096 --ulimit nproc=4096:4096}"
[ "$engine" = podman ] || engine_args=()

build=(build --tag "$image")
[ "$engine" = podman ] && build+=(--format docker ${BUILD_ARGS:---network host --ulimit nofile=4096:4096 --ulimit nproc=4096:4096})
[ -n "${BASE_IMAGE:-}" ] && build+=(--build-arg "BASE_IMAGE=$BASE_IMAGE")
[ -n "${SKIP_BUILD:-}" ] || "$engine" "${engine_args[@]}" "${build[@]}" .

cleanup() { "$engine" "${engine_args[@]}" rm --force "$name" >/dev/null 2>&1 || true; }
trap cleanup EXIT
"$engine" "${engine_args[@]}" run --detach --name "$name" "${run_args[@]}" --memory "$memory" --memory-swap "$memory" \
  --read-only --cap-drop ALL --security-opt no-new-privileges --publish "127.0.0.1:$port:9000" "$image" >/dev/null

fail() { echo "FAIL: $*" >&2; "$engine" "${engine_args[@]}" logs --tail 40 "$name" >&2; exit 1; }
base=http://127.0.0.1:$port
for i in $(seq 1 60); do
  curl -fsS "$base/readyz" >/dev/null 2>&1 && break
  [ "$i" = 60 ] && fail 'not ready after 30 s'
  sleep 0.5
done

# path, status, content type, least bytes
expect() {
  local got
  got=$(curl -sS --compressed -o /tmp/"$name".body -w '%{http_code} %{content_type}' "$base$1") || fail "$1: no answer"
  local size
  size=$(stat -c %s /tmp/"$name".body)
  rm -f /tmp/"$name".body
  [[ $got == "$2 $3"* ]] || fail "$1: $got, expected $2 $3"
  [ "$size" -ge "$4" ] || fail "$1: $size bytes, expected at least $4"
  printf 'ok  %-46s %s, %d bytes\n' "$1" "$got" "$size"
}
expect /livez 200 application/json 2
expect /layers 200 application/json 200
expect /tiles/countries 200 application/json 200
expect /tiles/countries/0/0/0.mvt 200 application/vnd.mapbox-vector-tile 1000
expect /tiles/places/2/2/1.mvt 200 application/vnd.mapbox-vector-tile 100
expect /tiles/world/1/1/0.png 200 image/png 5000
expect '/tiles/elevation/2/2/1.png?rescale=-8000,6000&colormap_name=terrain' 200 image/png 5000
expect '/cog/point/86.9,28?url=elevation' 200 application/json 10
expect '/collections/places/items?limit=5' 200 application/geo+json 500
expect /metrics 200 text/plain 1000
expect /tiles/nothing/0/0/0.mvt 404 application/problem+json 20

"$engine" "${engine_args[@]}" exec "$name" id -u | grep -qx 1000 || fail 'it does not run as uid 1000'
curl -fsS "$base/metrics" | awk '/^plimsoll_memory_(limit|rss)_bytes/ { printf "%s %.0f MiB\n", $1, $2 / 1048576 }'
"$engine" "${engine_args[@]}" stop --time 30 "$name" >/dev/null
state=$("$engine" "${engine_args[@]}" inspect --format '{{.State.ExitCode}} {{.State.OOMKilled}}' "$name")
[ "$state" = '0 false' ] || fail "it ended with: exit code and OOM flag $state"
"$engine" "${engine_args[@]}" image inspect --format 'image {{.Size}} bytes' "$image"
echo 'the image serves the demo, runs without root, and drains on SIGTERM'
