# Readout as one static binary in an otherwise empty image. It needs a PostgreSQL: see docker-compose.yml.
#
#   docker build --build-arg VERSION="$(git describe --tags --always)" -t readout .
#
# The build runs on the builder's own architecture and compiles for the image's.
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG VERSION=devel TARGETOS TARGETARCH
# timetzdata: the empty image has no zone files, and times without a zone may be given one.
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -tags timetzdata -ldflags "-s -w -X main.version=$VERSION" -o /out/readout ./cmd/readout

FROM scratch
# For PostgreSQL over TLS with a certificate of a public authority.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /src/LICENSE /src/web/dist/licenses.md /licenses/
COPY --from=build /out/readout /readout
# Nobody in particular; nothing in the image belongs to it, and nothing is written.
USER 65532:65532
ENV HOME=/nonexistent READOUT_ADDR=:8080
EXPOSE 8080
STOPSIGNAL SIGTERM
# No HEALTHCHECK: the image has no program that could ask. Whoever routes to it asks /readyz, and /livez to restart it.
ENTRYPOINT ["/readout"]
CMD ["serve"]
