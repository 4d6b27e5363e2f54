# Plimsoll in a small image: node, bash for the health check, the libraries both need, and the program as plain JavaScript.
# No package manager, no npm, no shell script between the kernel and the process.
#
#   docker build -t plimsoll .
#   docker run --rm --memory 256m -p 9000:9000 plimsoll                                  # the demo
#   docker run --rm --memory 256m -p 9000:9000 -v "$PWD/maps:/data:ro" plimsoll serve /data
#
# BASE_IMAGE is any Debian with node ≥ 24 and npm; scripts/make-base-image.sh makes one where no image registry is at hand.
ARG BASE_IMAGE=docker.io/library/node:26-bookworm-slim

FROM ${BASE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json ./
# No install scripts: sharp brings its library as a package, and nothing else here compiles.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY src ./src
RUN npm run build

FROM ${BASE_IMAGE} AS modules
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
 && find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.cts' -o -name '*.d.mts' \) -delete \
 && rm -rf node_modules/maplibre-gl/src node_modules/.package-lock.json

# The root of the last stage: what node, bash and the addons are linked with, where they were.
FROM ${BASE_IMAGE} AS root
COPY --from=modules /build/node_modules /modules
RUN set -eu; \
    mkdir -p /root-of-image/etc/ssl/certs /root-of-image/usr/bin /root-of-image/usr/local/bin /root-of-image/app; \
    mkdir -m 1777 /root-of-image/tmp; \
    cd /root-of-image; \
    for link in bin lib lib64; do [ ! -L "/$link" ] || cp -P "/$link" .; done; \
    cp -L "$(command -v node)" usr/local/bin/node; \
    cp -L "$(command -v bash)" usr/bin/bash; \
    cp /etc/nsswitch.conf etc/; \
    cp -L /etc/ssl/certs/ca-certificates.crt etc/ssl/certs/; \
    printf 'root:x:0:0::/:/bin/bash\nnode:x:1000:1000::/app:/bin/bash\n' >etc/passwd; \
    printf 'root:x:0:\nnode:x:1000:\n' >etc/group; \
    { ldd usr/local/bin/node usr/bin/bash; find /modules \( -name '*.node' -o -name '*.so*' \) -exec ldd {} +; } \
      | sed -nE 's,^[^/]*(/[^ :]+) \(0x.*,\1,p' | grep -v '^/modules' | sort -u \
      | while read -r library; do \
          folder=$(readlink -f "$(dirname "$library")"); \
          mkdir -p ".$folder"; \
          cp -L "$library" ".$folder/"; \
        done

FROM scratch
LABEL org.opencontainers.image.title="Plimsoll" \
      org.opencontainers.image.description="Spatial tiles, features and raster windows within a memory limit" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=root /root-of-image/ /
WORKDIR /app
COPY --from=modules /build/node_modules ./node_modules
COPY --from=build /build/dist ./dist
COPY package.json LICENSE* ./
COPY viewer ./viewer
COPY config ./config
COPY demo ./demo
# Heap flags, MALLOC_ARENA_MAX and MALLOC_MMAP_THRESHOLD_ are derived from the container's memory limit: the process starts
# itself anew with them (same pid). Set them here and yours stay.
ENV NODE_ENV=production PATH=/usr/local/bin:/usr/bin SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
USER 1000:1000
EXPOSE 9000
STOPSIGNAL SIGTERM
# By bash and not by node: a second node would take 40 MB of the container's limit at every probe.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/${PLIMSOLL_SERVER_PORT:-${PLIMSOLL_PORT:-9000}} && printf 'GET /livez HTTP/1.0\\r\\n\\r\\n' >&3 && read -r -u 3 _ status _ && [ \"$status\" = 200 ]"]
ENTRYPOINT ["node", "/app/dist/main.js"]
CMD ["serve"]
