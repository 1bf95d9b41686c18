# SPDX-License-Identifier: MIT
# One image, both services: `dochak-ingress`, `dochak-processor`, `dochak-processor migrate`. It needs no capability, no writable
# file system and no user but its own. It declares no HEALTHCHECK, since that of one service would be wrong for the other:
# `dochak-ingress --ready` and `dochak-processor --ready` are for those who run it. Plain enough for the builder before BuildKit.

# The dashboard has a stage of its own, so that npm and its packages are nowhere else, and a change of the C code builds it no second time.
FROM debian:bookworm-slim AS dashboard
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates nodejs npm \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src/dashboard
COPY dashboard .
RUN ./build.sh /dashboard

FROM debian:bookworm-slim AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends gcc libc6-dev cmake ninja-build pkg-config \
    librdkafka-dev libcivetweb-dev libjansson-dev libpq-dev libcurl4-openssl-dev libsqlite3-dev zlib1g-dev libssl-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
COPY --from=dashboard /dashboard dashboard/dist
RUN cmake --preset release -DDOCHAK_DASHBOARD_DIST=/src/dashboard/dist && cmake --build --preset release \
 && DESTDIR=/stage cmake --install build/release --prefix /usr/local --strip
# Modes are given, not taken over: a checkout made under umask 077 gives the same image.
RUN install -D -m 0755 deploy/compose/secrets.sh /stage/usr/local/bin/dochak-secrets \
 && install -D -m 0644 -t /stage/usr/share/dochak deploy/dev/endpoints.json \
 && install -D -m 0644 -t /stage/usr/share/dochak/providers schemas/providers/*.json

FROM debian:bookworm-slim AS base
RUN apt-get update \
 && apt-get install -y --no-install-recommends \
    librdkafka1 libcivetweb1 libjansson4 libpq5 libcurl4 libsqlite3-0 zlib1g libssl3 ca-certificates \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/* /var/log/*
# A new volume for the spool takes its owner and mode from here.
RUN groupadd --gid 10001 dochak \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin dochak \
 && install -d -o 10001 -g 10001 -m 0700 /var/lib/dochak

FROM base AS sbom
COPY deploy/image/sbom.sh dashboard/package-lock.json /
COPY --from=build /stage/usr/local/bin/dochak-ingress /
RUN sh /sbom.sh "$(/dochak-ingress --version | sed 's/.* //')" /package-lock.json >/sbom.cdx.json && chmod 0644 /sbom.cdx.json

FROM base
COPY --from=build /stage /
COPY --from=sbom /sbom.cdx.json /usr/share/doc/dochak/sbom.cdx.json
ARG REVISION=unknown
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="dochak" \
      org.opencontainers.image.description="Did the message actually arrive? Takes in what messaging providers report and raises an alert for what did not." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.base.name="docker.io/library/debian:bookworm-slim"
USER 10001:10001
CMD ["dochak-ingress", "--help"]
