#!/usr/bin/env bash
# Installs what tests, benchmarks and `optiinfra dev` use beside the .NET SDK: Prometheus (the oldest and the newest
# version we promise), Alertmanager, kubectl, exporters. Everything is unpacked into .tools/ (or $OPTIINFRA_TOOLS);
# the system itself is not changed (but for Alertmanager's templates, see below). Packages come from the machine's own Debian archive, of which newer suites are
# derived: Debian 12's Prometheus is too old for scrape_config_files.
#   tools/install.sh            everything
#   tools/install.sh prom-3.5   only what is named
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
tools=${OPTIINFRA_TOOLS:-$root/.tools}
mkdir -p "$tools"

# name | suite | packages | files to take, from=to (to is relative to the tools folder)
catalogue() {
  cat <<'LIST'
prom-2.53|trixie|prometheus promtool|usr/bin/prometheus=prom-2.53/prometheus usr/bin/promtool=prom-2.53/promtool
prom-3.5|sid|prometheus promtool|usr/bin/prometheus=prom-3.5/prometheus usr/bin/promtool=prom-3.5/promtool
alertmanager|trixie|prometheus-alertmanager|usr/bin/prometheus-alertmanager=alertmanager usr/bin/amtool=amtool
kubectl|sid|kubernetes-client|usr/bin/kubectl=kubectl
node-exporter|trixie|prometheus-node-exporter|usr/bin/prometheus-node-exporter=node_exporter
redis-exporter|trixie|prometheus-redis-exporter|usr/bin/prometheus-redis-exporter=redis_exporter
postgres-exporter|trixie|prometheus-postgres-exporter|usr/bin/prometheus-postgres-exporter=postgres_exporter
LIST
}

wanted=("$@")
is_wanted() { [ ${#wanted[@]} -eq 0 ] || [[ " ${wanted[*]} " == *" $1 "* ]]; }
is_there() { # every file of the entry exists
  local pair
  for pair in $1; do [ -x "$tools/${pair#*=}" ] || return 1; done
}

missing=()
while IFS='|' read -r name suite packages files; do
  if ! is_wanted "$name" || is_there "$files"; then continue; fi
  if [ "$name" = kubectl ] && command -v kubectl >/dev/null; then continue; fi
  missing+=("$name|$suite|$packages|$files")
done < <(catalogue)
if [ ${#missing[@]} -eq 0 ]; then echo "tools: all there ($tools)"; exit 0; fi

left_out() {
  echo "tools: left out: $(printf '%s\n' "${missing[@]}" | cut -d'|' -f1 | tr '\n' ' ')"
  echo "tools: $1"
  echo "tools: tests that need them will say so; put the binaries into $tools to run these."
  # CI promises the whole suite, so there a missing tool is a failure.
  if [ "${CI:-}" = true ]; then exit 1; fi
  exit 0
}
if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
  left_out "this machine has no apt; the script knows Debian and its derivatives with a Debian source."
fi

# The archive: the first configured source that carries Debian's main component.
archive=$(apt-get indextargets --format '$(REPO_URI) $(COMPONENT)' 'Created-By: Packages' 2>/dev/null \
  | awk '$2 == "main" && $1 ~ /\/debian\/?$/ { print $1; exit }') || true
if [ -z "$archive" ]; then left_out "no Debian archive is configured on this machine."; fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch"/{lists/partial,cache/archives/partial}
suites=$(printf '%s\n' "${missing[@]}" | cut -d'|' -f2 | sort -u)
for suite in $suites; do
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $archive $suite main" >> "$scratch/sources.list"
done
apt() {
  apt-get -q -o Dir::Etc::sourcelist="$scratch/sources.list" -o Dir::Etc::sourceparts=- \
    -o Dir::State::lists="$scratch/lists" -o Dir::Cache="$scratch/cache" -o Dir::State::status=/dev/null \
    -o APT::Sandbox::User=root -o Acquire::Retries=3 -o Acquire::Languages=none "$@" >"$scratch/log" 2>&1
}
# The distribution's Alertmanager reads its default templates from one fixed path: the only thing written outside .tools/.
alertmanager_templates() {
  local place=/usr/share/prometheus/alertmanager
  if [ -f $place/default.tmpl ]; then return; fi
  mkdir -p $place 2>/dev/null && cp usr/share/prometheus/alertmanager/*.tmpl $place/ \
    || echo "tools: alertmanager starts only once its default.tmpl is in $place (not writable for this user)"
}

echo "tools: reading the package lists of" $suites
apt update || { tail -5 "$scratch/log"; left_out "the package lists could not be read."; }

for entry in "${missing[@]}"; do
  IFS='|' read -r name suite packages files <<<"$entry"
  echo "tools: $name"
  rm -rf "$scratch/unpack"; mkdir -p "$scratch/unpack"; cd "$scratch/unpack"
  for package in $packages; do
    apt download "$package/$suite" || { tail -3 "$scratch/log"; left_out "package $package of $suite could not be fetched."; }
  done
  for deb in ./*.deb; do dpkg-deb -x "$deb" .; done
  for pair in $files; do
    mkdir -p "$(dirname "$tools/${pair#*=}")"
    install -m 755 "${pair%%=*}" "$tools/${pair#*=}"
  done
  if [ "$name" = alertmanager ]; then alertmanager_templates; fi
done
echo "tools: ready in $tools"
