#!/usr/bin/env bash
# The end-to-end suite against a throwaway cluster: build the image, create the cluster, helm install, run, delete.
#   tools/e2e-cluster.sh k3d|kind
set -euo pipefail
cd "$(dirname "$0")/.."
kind=${1:?k3d or kind}
name=optiinfra-e2e
image=optiinfra/operator:$(cat VERSION)
for tool in docker helm kubectl "$kind"; do
  command -v "$tool" >/dev/null || { echo "make e2e-$kind needs $tool on the PATH"; exit 1; }
done

make image IMAGE="$image"
KUBECONFIG=$(mktemp)
export KUBECONFIG
case $kind in
  k3d)
    trap 'k3d cluster delete $name; rm -f "$KUBECONFIG"' EXIT
    k3d cluster create $name --wait --kubeconfig-update-default=false
    k3d kubeconfig get $name > "$KUBECONFIG"
    k3d image import "$image" -c $name ;;
  kind)
    trap 'kind delete cluster --name $name; rm -f "$KUBECONFIG"' EXIT
    kind create cluster --name $name --wait 120s --kubeconfig "$KUBECONFIG"
    kind load docker-image "$image" --name $name ;;
  *) echo "unknown cluster tool $kind: k3d or kind"; exit 2 ;;
esac

helm install optiinfra deploy/helm/optiinfra --namespace optiinfra-system --create-namespace \
  --set image.repository="${image%:*}" --set image.tag="${image#*:}" --wait --timeout 3m
OPTIINFRA_E2E=cluster bash tools/test.sh EndToEnd
