#!/usr/bin/env bash
# Builds the image, runs it as it is meant to be run (256 MB, no swap, read-only, no privileges), asks it for one thing of
# each kind, throws more at it than fits, and stops it while an answer is under way. Says what it saw; fails at the first fault.
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
work=$(mktemp -d)
# Nested containers and small machines often cannot raise their own limits, which is what the default asks for.
read -r -a engine_args <<<"${ENGINE_ARGS---runtime runc}"
read -r -a run_args <<<"${RUN_ARGS---ulimit nofile=4096:4096 --ulimit nproc=4096:4096}"
[ "$engine" = podman ] || engine_args=()

build=(build --tag "$image")
[ "$engine" = podman ] && build+=(--format docker ${BUILD_ARGS:---network host --ulimit nofile=4096:4096 --ulimit nproc=4096:4096})
[ -n "${BASE_IMAGE:-}" ] && build+=(--build-arg "BASE_IMAGE=$BASE_IMAGE")

run() { "$engine" "${engine_args[@]}" "$@"; }
cleanup() { run rm --force "$name" >/dev/null 2>&1 || true; rm -rf "$work"; }
trap cleanup EXIT
fail() { echo "FAIL: $*" >&2; run logs --tail 40 "$name" >&2 || true; exit 1; }

[ -n "${SKIP_BUILD:-}" ] || run "${build[@]}" .
run image inspect --format 'image: {{.Size}} bytes' "$image"
run run --detach --name "$name" "${run_args[@]}" --memory "$memory" --memory-swap "$memory" \
  --read-only --cap-drop ALL --security-opt no-new-privileges --publish "127.0.0.1:$port:9000" "$image" >/dev/null

base=http://127.0.0.1:$port
for i in $(seq 1 60); do
  curl -fsS "$base/readyz" >/dev/null 2>&1 && break
  [ "$i" = 60 ] && fail 'not ready after 30 s'
  sleep 0.5
done
metric() { curl -fsS "$base/metrics" | awk -v name="$1" '$1 == name { printf "%.0f", $2 }'; }

# path, status, content type, least bytes
expect() {
  local got size
  got=$(curl -sS --compressed -o "$work/body" -w '%{http_code} %{content_type}' "$base$1") || fail "$1: no answer"
  size=$(stat -c %s "$work/body")
  [[ $got == "$2 $3"* ]] || fail "$1: $got, expected $2 $3"
  [ "$size" -ge "$4" ] || fail "$1: $size bytes, expected at least $4"
  printf 'ok  %-46s %s, %d bytes\n' "$1" "$got" "$size"
}
expect /livez 200 application/json 2
expect / 200 application/json 200
expect /layers 200 application/json 200
expect /tiles/countries 200 application/json 200
expect /tiles/countries/0/0/0.mvt 200 application/vnd.mapbox-vector-tile 1000
expect /tiles/places/2/2/1.mvt 200 application/vnd.mapbox-vector-tile 100
expect /tiles/world/1/1/0.png 200 image/png 5000
expect /tiles/world/1/1/0.webp 200 image/webp 1000
expect '/tiles/elevation/2/2/1.png?rescale=-8000,6000&colormap_name=terrain' 200 image/png 5000
expect '/cog/bbox/10000,300000,280000,620000/256x256.tif?url=elevation&coord_crs=EPSG:28992' 200 image/tiff 1000
expect '/cog/point/86.9,28?url=elevation' 200 application/json 10
expect '/collections/places/items?limit=5' 200 application/geo+json 500
expect /metrics 200 text/plain 1000
expect /tiles/nothing/0/0/0.mvt 404 application/problem+json 20

[ "$(run exec "$name" node -p 'process.getuid()')" = 1000 ] || fail 'not uid 1000'
run exec "$name" bash -c 'echo x >/app/x' 2>/dev/null && fail 'the root file system can be written'
run healthcheck run "$name" >/dev/null 2>&1 || [ "$engine" != podman ] || fail 'the health check fails'
want=$(node -p "const [, n, u] = /^(\d+)([kmg])$/.exec('$memory'); n * 1024 ** ('kmg'.indexOf(u) + 1)")
[ "$(metric plimsoll_memory_limit_bytes)" = "$want" ] || fail "it sees a limit of $(metric plimsoll_memory_limit_bytes), not $want"
echo "ok  uid 1000, read-only root, health check, limit of $want bytes seen"

# Every URL is another tile, so the cache answers none; 64 at once is more than the limit holds.
burst() {
  curl -sS --parallel --parallel-immediate --parallel-max 64 --max-time 60 -w '%{http_code}\n' -o /dev/null \
    "$base/tiles/world/4/[0-15]/[0-15]@2x.png" -o /dev/null "$base/tiles/countries/4/[0-15]/[0-15].mvt" \
    -o /dev/null "$base/cog/bbox/-180,-80,180,80/[1000-1031]x1000.png?url=elevation&rescale=-8000,6000" 2>"$work/curl"
}
burst >"$work/codes" || fail "the burst broke connections: $(head -3 "$work/curl")"
strange=$(grep -cvE '^(200|204|429|503)$' "$work/codes" || true)
[ "$strange" = 0 ] || fail "strange answers to the burst: $(sort "$work/codes" | uniq -c | tr '\n' ';')"
peak=$(metric plimsoll_memory_used_bytes)
echo "ok  burst: $(sort "$work/codes" | uniq -c | sed -E 's/ *([0-9]+) ([0-9]+)/\1 × \2/' | paste -sd ' ') ; $((peak / 1048576)) MiB in use after it"
for i in $(seq 1 60); do
  curl -fsS "$base/readyz" >/dev/null 2>&1 && break
  [ "$i" = 60 ] && fail 'not ready again 30 s after the burst'
  sleep 0.5
done

# A slow reader has begun when SIGTERM comes: it gets all of its answer.
curl -sS --limit-rate 2M -o "$work/items" -w '%{http_code}' "$base/collections/countries/items?limit=250" >"$work/code" &
reader=$!
for i in $(seq 1 50); do [ -s "$work/items" ] && break; sleep 0.1; done
run stop --time 30 "$name" >/dev/null 2>&1
wait "$reader" || fail 'the answer under way at SIGTERM was cut off'
node -e "const { features } = JSON.parse(require('fs').readFileSync('$work/items', 'utf8')); if (features.length !== 250) process.exit(1)" ||
  fail 'the answer under way at SIGTERM is not whole'
state=$(run inspect --format '{{.State.ExitCode}} {{.State.OOMKilled}}' "$name")
[ "$state" = '0 false' ] || fail "it ended with: exit code and OOM flag $state"
echo "ok  drained: $(stat -c %s "$work/items") bytes under way at SIGTERM arrived whole; exit code 0, not OOM-killed"
