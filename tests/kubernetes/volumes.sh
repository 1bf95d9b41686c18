#!/usr/bin/env bash
# Volumes for tests/kubernetes/ on a cluster of one node without a provisioner: makes COUNT folders in FOLDER of that node, which is this
# machine, and prints a default StorageClass and a PersistentVolume for each. Each volume is used once; a test run takes eight.
#
#   volumes.sh FOLDER COUNT | kubectl apply -f -
# SPDX-License-Identifier: MIT
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

volume() { # FOLDER NODE
    mkdir -p "$1"
    cat <<YAML
---
apiVersion: v1
kind: PersistentVolume
metadata: { name: "$(basename "$1")" }
spec:
  capacity: { storage: 4Gi }
  accessModes: [ReadWriteOnce]
  storageClassName: local
  local: { path: "$1" }
  nodeAffinity:
    required:
      nodeSelectorTerms:
        - matchExpressions: [{ key: kubernetes.io/hostname, operator: In, values: ["$2"] }]
YAML
}

[[ $# == 2 ]] || usage
node=$(kubectl get nodes -o 'jsonpath={.items[0].metadata.name}')
cat <<YAML
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: local
  annotations: { storageclass.kubernetes.io/is-default-class: "true" }
provisioner: kubernetes.io/no-provisioner
YAML
for number in $(seq "$2"); do volume "$(realpath -m "$1")/volume-$number" "$node"; done
