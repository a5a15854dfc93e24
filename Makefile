# Every command of the project. `make` alone lists them.
CONFIG  ?= Release
VERSION := $(shell cat VERSION)
IMAGE   ?= optiinfra/operator:$(VERSION)
CLI     := dotnet run --project src/Cli --

.DEFAULT_GOAL := help
.PHONY: help build test lint fmt golden crds chart image bench dev e2e e2e-k3d e2e-kind tools clean

help: ## this list
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build everything; warnings are errors
	dotnet build OptiInfra.sln -nologo -v q

test: ## install missing tools, build, run all tests   [ONLY="PromQL Compiler"]
	@bash tools/test.sh $(ONLY)

lint: build ## formatting, analyzers, and our own linter over the samples
	dotnet format OptiInfra.sln --no-restore --verify-no-changes
	$(CLI) lint config/samples

fmt: ## format the code
	dotnet format OptiInfra.sln --no-restore

golden: ## rewrite golden files, approved APIs and generated docs; review the diff
	OPTIINFRA_GOLDEN=write bash tools/test.sh

crds: ## write the CRDs to config/crd and into the chart
	$(CLI) crds --output config/crd
	$(CLI) crds --output deploy/helm/optiinfra/crds

chart: crds ## package the Helm chart
	@command -v helm >/dev/null || { echo "make chart needs helm on the PATH"; exit 1; }
	helm lint deploy/helm/optiinfra
	helm package deploy/helm/optiinfra --destination artifacts/chart

image: ## build the container image              [IMAGE=name:tag]
	@command -v docker >/dev/null || { echo "make image needs docker on the PATH"; exit 1; }
	docker build --build-arg VERSION=$(VERSION) -t $(IMAGE) .

bench: ## run the benchmarks and print one table  [ONLY=name]
	@bash tools/install.sh prom-3.5 prom-2.53
	dotnet run -c $(CONFIG) --project bench -- $(ONLY)

dev: ## a laptop cluster: API server, operator, Prometheus, demo fleet
	@bash tools/install.sh prom-3.5 alertmanager kubectl
	$(CLI) dev

e2e: ## end-to-end tests alone; KUBECONFIG or KUBEBUILDER_ASSETS choose another cluster
	@bash tools/test.sh EndToEnd

e2e-k3d: ## the same against a throwaway k3d cluster
	bash tools/e2e-cluster.sh k3d

e2e-kind: ## the same against a throwaway kind cluster
	bash tools/e2e-cluster.sh kind

tools: ## download Prometheus, Alertmanager, kubectl, exporters into .tools/
	@bash tools/install.sh

clean: ## remove what was built
	rm -rf artifacts
