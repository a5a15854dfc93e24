#!/usr/bin/env bash
# Installs what is missing, builds, and runs the test projects one after the other.
#   tools/test.sh                   all of them
#   tools/test.sh PromQL Compiler   only these
# The last line counts all tests: N passed, N failed, N skipped.
set -uo pipefail
cd "$(dirname "$0")/.."

bash tools/install.sh || exit 1
if ! dotnet build OptiInfra.sln -v q -nologo; then
  echo "0 passed, 1 failed, 0 skipped"
  exit 1
fi

passed=0 failed=0 skipped=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for project in tests/*/*.csproj; do
  name=$(basename "$project" .csproj)
  if [ $# -gt 0 ] && [[ ! " $* " =~ " ${name%.Tests} " ]]; then continue; fi
  echo "== $name"
  dotnet test "$project" --no-build -nologo --logger "console;verbosity=minimal" 2>&1 | tee "$log"
  status=${PIPESTATUS[0]}
  # A run that ends without counting (the test host died) or fails without a failed test counts as one failure.
  read -r f p s < <(sed -nE 's/.*Failed: +([0-9]+), Passed: +([0-9]+), Skipped: +([0-9]+).*/\1 \2 \3/p' "$log" | tail -1) || { f=0 p=0 s=0; }
  if [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then f=1; fi
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
