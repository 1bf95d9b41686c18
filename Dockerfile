# SPDX-License-Identifier: MIT
# One image, both services: `dochak-ingress`, `dochak-processor`, `dochak-processor migrate`. It needs no capability, no writable
# file system and no user but its own. Plain enough for the builder before BuildKit.

FROM debian:bookworm-slim AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends gcc libc6-dev cmake ninja-build pkg-config \
    librdkafka-dev libcivetweb-dev libjansson-dev libpq-dev libsqlite3-dev zlib1g-dev libssl-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cmake --preset release && cmake --build --preset release \
 && DESTDIR=/stage cmake --install build/release --prefix /usr/local --strip
# Modes are given, not taken over: a checkout made under umask 077 gives the same image.
RUN install -D -m 0755 deploy/compose/ready.sh /stage/usr/local/bin/dochak-ready \
 && install -D -m 0755 deploy/compose/secrets.sh /stage/usr/local/bin/dochak-secrets \
 && install -D -m 0644 deploy/dev/endpoints.json /stage/etc/dochak/endpoints.json

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends \
    librdkafka1 libcivetweb1 libjansson4 libpq5 libsqlite3-0 zlib1g libssl3 ca-certificates \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/* /var/log/*
# /run/dochak is where docker-compose.yml mounts the keys, /var/lib/dochak where the spool is; a new volume takes its owner and mode
# from here.
RUN groupadd --gid 10001 dochak \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin dochak \
 && install -d -o 10001 -g 10001 -m 0711 /run/dochak \
 && install -d -o 10001 -g 10001 -m 0700 /var/lib/dochak
COPY --from=build /stage /
ARG REVISION=unknown
LABEL org.opencontainers.image.title="dochak" \
      org.opencontainers.image.description="Did the message actually arrive? Takes in what messaging providers report and raises an alert for what did not." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.revision="$REVISION"
USER 10001:10001
CMD ["dochak-ingress", "--help"]
