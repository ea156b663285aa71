# The chores of working on Readout. `make` alone prints them.
#
# Nothing here is needed to use Readout: `go run ./cmd/readout demo` and `go test ./...` work on a fresh clone.

GO      ?= go
GOLANGCI_LINT_VERSION := v2.15.0
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)

# The packages that start goroutines: `make race` and .ci/run run these under the race detector.
RACE := ./account/... ./analysis/... ./auth/... ./client/... ./export/... ./graph/... ./history/... ./ingest/... ./internal/edge/... ./job/... ./journal/... ./live/... ./mail/... ./pack/... ./store/... ./tail/... ./verify/...

.PHONY: help
help: ## print these targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## run a server with eight simulated greenhouse devices (Ctrl-C ends it)
	$(GO) run ./cmd/readout demo

.PHONY: run
run: ## run a server, configured by READOUT_… variables (with no database named: the embedded one; without SMTP: no verification)
	READOUT_VERIFICATION=$(if $(READOUT_SMTP_URL),on,off) $(GO) run ./cmd/readout serve

.PHONY: build
build: ## build bin/readout, static
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o bin/readout ./cmd/readout

.PHONY: test
test: ## run every test, against a real PostgreSQL that the tests start
	$(GO) test ./...

.PHONY: race
race: ## run the tests of the packages with goroutines under the race detector (needs a C compiler)
	$(GO) test -race $(RACE)

.PHONY: lint
lint: ## check formatting, go vet and golangci-lint
	$(GO) vet ./...
	$(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION) run ./...

.PHONY: format
format: ## format the Go code as the linter wants it
	$(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION) fmt

.PHONY: generate
generate: ## generate ent/db, graph/gql (from what ent writes) and the configuration's page anew
	$(GO) run ./ent/entc.go
	$(GO) tool gqlgen
	$(GO) test ./cmd/readout -run '^TestDocumentsSayWhatCanBeSet$$' -update

.PHONY: web
web: ## build the playground's bundle, web/dist, anew (needs Node 20.19 or newer)
	cd web && npm ci && npm run build

.PHONY: clients
clients: ## run the clients of docs/clients against a demo server (needs Node 20.19 or newer)
	cd docs/clients && npm ci --silent && npm test --silent

.PHONY: bench
bench: ## list the benchmarks; run one with: make bench NAME=ingest-batch QUICK=-quick
	$(GO) run ./bench $(if $(NAME),$(NAME) $(QUICK),-list)

.PHONY: torture
torture: ## kill server, database and backends 200 times under load and count (ROUNDS=n for another number)
	READOUT_TORTURE_ROUNDS=$(or $(ROUNDS),200) $(GO) test ./cmd/readout -run '^TestNothingIsLostWhenProcessesAreKilled$$' -v -count 1 -timeout 120m

.PHONY: ci
ci: ## run what continuous integration runs (installs Debian packages where some are missing)
	bash .ci/run
