#!/usr/bin/env bash
# Tells dochak what a send API has answered. One registration or an array of them comes on stdin; what dochak has read goes to stdout.
#
#   echo '{"provider": "bizgo", "response": {"code": "A000", "msgKey": "key-17"}, "recipient": "+821012345678"}' |
#   DOCHAK_INGRESS_URL=http://localhost:8080 DOCHAK_INGRESS_KEY=… ./register.sh
#
# The same acceptance twice is one acceptance, so curl asks again where no answer or a 503 came.
# SPDX-License-Identifier: MIT
set -euo pipefail

# The key comes by a file, not by the command line, which every user of the machine can read.
curl --silent --show-error --fail-with-body --max-time 5 --retry 3 --retry-connrefused --data-binary @- \
    --header 'Content-Type: application/json' --header @<(echo "Authorization: Bearer $DOCHAK_INGRESS_KEY") \
    "$DOCHAK_INGRESS_URL/v1/notifications"
