# A gateway and nothing else: no shell, no package manager, no file that it does not open.
#
#   docker build --build-arg COMMIT="$(git rev-parse --short HEAD)" --tag clawlet .
#   docker run --read-only --init --volume clawlet:/home/clawlet --publish 18789:18789 \
#     --env OPENCLAW_GATEWAY_TOKEN clawlet
#
# Without a token or password it refuses to start: a published port is beyond loopback. Any UID will do (--user), as
# long as it may write to the volume, which is the only place that is written to.

FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY README.md LICENSE tsconfig.json ./
COPY scripts scripts
COPY adapters adapters
COPY src src
ARG COMMIT
ENV CLAWLET_COMMIT=$COMMIT
RUN npm run build -- --binary
# The libraries it asks for, at the paths where it looks for them; and a home for any UID of group 0, as some clusters
# choose them.
RUN mkdir /program \
  && cp release/clawlet-* /program/clawlet \
  && cp release/THIRD-PARTY.txt release/clawlet.cdx.json LICENSE /program/ \
  && ldd /program/clawlet | grep -o '/[^ ]*' | xargs -I '{}' cp --dereference --parents '{}' /program \
  && install -d -m 0770 -o 65532 -g 0 /homes/clawlet

FROM scratch
COPY --from=build /program/ /
COPY --from=build --chown=65532:0 /homes/ /home/
USER 65532:0
ENV HOME=/home/clawlet
VOLUME ["/home/clawlet"]
EXPOSE 18789
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["/clawlet", "gateway", "health"]
ENTRYPOINT ["/clawlet"]
CMD ["gateway", "--bind", "lan", "--allow-unconfigured"]
