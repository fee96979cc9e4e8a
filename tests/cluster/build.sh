#!/bin/sh
# Builds the control plane of the cluster tests from source: etcd, kube-apiserver, kube-controller-manager,
# kube-scheduler, kubectl and kwok, and copies the Gateway API's CRDs beside them. Needs Go and a shell, no
# container engine.
#
# Everything goes to $KUBEBUILDER_ASSETS if that is set (binaries that are already there are kept, whatever
# their version), else to tests/cluster/.bin, where what has the right version is skipped.
# Cold: about 6 minutes on 2 cores, and some 5 GB in Go's build and module caches.
set -eu

KUBERNETES=v1.34.2
ETCD=3.6.4
KWOK=v0.8.0
GATEWAY_API=v1.4.1

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
bin=${KUBEBUILDER_ASSETS:-$here/.bin}
command -v go >/dev/null || { echo "build.sh: go is not on PATH; install it from https://go.dev/dl/" >&2; exit 1; }
mkdir -p "$bin"
bin=$(CDPATH='' cd -- "$bin" && pwd)
export CGO_ENABLED=0 GOWORK=off # no C compiler needed, and nobody's workspace is used

# The version that a binary states of itself, or nothing when it is not there.
stated() {
    [ -x "$bin/$1" ] || return 0
    case $1 in
        kubectl) "$bin/kubectl" version --client 2>/dev/null | sed -n 's/^Client Version: //p' ;;
        etcd) "$bin/etcd" --version 2>/dev/null | sed -n 's/^etcd Version: //p' ;;
        *) "$bin/$1" --version 2>/dev/null | sed -n '1s/.* \(v[0-9][0-9.]*\).*/\1/p' ;;
    esac
}

# present NAME VERSION: true when NAME need not be built.
present() {
    found=$(stated "$1")
    [ -n "$found" ] || return 1
    if [ "$found" = "$2" ] || [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
        echo "$1 $found: already there"
        return 0
    fi
    return 1
}

# Where the module cache holds MODULE@VERSION, which is downloaded if need be.
module_dir() {
    (cd / && go mod download -json "$1") | sed -n 's/^[[:space:]]*"Dir": "\(.*\)",\{0,1\}$/\1/p'
}

# build NAME VERSION FOLDER PACKAGE LDFLAGS: written under another name first, so that a build that was stopped
# leaves nothing that looks whole.
build() {
    echo "$1 $2: building"
    (cd "$3" && go build -buildvcs=false -trimpath -ldflags "-s -w $5" -o "$bin/.$1.part" "$4") 2>"$bin/.$1.log" || {
        cat "$bin/.$1.log" >&2
        exit 1
    }
    rm "$bin/.$1.log"
    mv "$bin/.$1.part" "$bin/$1"
}

# kubectl and the API server compare versions: without this stamp they call themselves v0.0.0.
minor=${KUBERNETES#v1.}
stamp=k8s.io/component-base/version
kubernetes_flags="-X $stamp.gitVersion=$KUBERNETES -X $stamp.gitMajor=1 -X $stamp.gitMinor=${minor%%.*}"

present etcd "$ETCD" || build etcd "$ETCD" "$here/build" ./cmd/etcd ""
for name in kube-apiserver kube-controller-manager kube-scheduler kubectl; do
    present "$name" "$KUBERNETES" || build "$name" "$KUBERNETES" "$here/build" "./cmd/$name" "$kubernetes_flags"
done
present kwok "$KWOK" ||
    build kwok "$KWOK" "$(module_dir "sigs.k8s.io/kwok@$KWOK")" ./cmd/kwok "-X sigs.k8s.io/kwok/pkg/consts.Version=$KWOK"

if [ -f "$bin/gateway-api/$GATEWAY_API" ]; then
    echo "gateway-api $GATEWAY_API: already there"
else
    echo "gateway-api $GATEWAY_API: copying the standard CRDs"
    crds=$(module_dir "sigs.k8s.io/gateway-api@$GATEWAY_API")/config/crd/standard
    rm -rf "$bin/gateway-api"
    mkdir "$bin/gateway-api"
    cp "$crds"/gateway.networking.k8s.io_*.yaml "$bin/gateway-api/"
    chmod u+w "$bin/gateway-api"/* # the module cache is read-only
    : >"$bin/gateway-api/$GATEWAY_API"
fi
echo "ready: $bin"
