#!/bin/sh
# sbom.sh VERSION: prints what an image made of Debian packages contains, as a CycloneDX document. It asks dpkg, so it lists every
# package of the image, those of its base among them, and needs no other tool. The same image gives the same document.
# SPDX-License-Identifier: MIT
set -eu
. /etc/os-release # ID and VERSION_ID

cat <<HEAD
{
  "\$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
  "bomFormat": "CycloneDX",
  "specVersion": "1.5",
  "version": 1,
  "metadata": {
    "component": {
      "type": "container", "bom-ref": "dochak", "name": "dochak", "version": "$1",
      "licenses": [{ "license": { "id": "MIT" } }]
    }
  },
  "components": [
HEAD
# In a package URL a plus is %2B and a colon %3A.
dpkg-query -W -f '${db:Status-Status} ${Package} ${Version} ${Architecture} ${source:Package} ${source:Version}\n' |
    awk -v distro="$ID-$VERSION_ID" '
        function escaped(text) { gsub(/\+/, "%2B", text); gsub(/:/, "%3A", text); return text }
        $1 == "installed" {
            purl = "pkg:deb/debian/" escaped($2) "@" escaped($3) "?arch=" $4 "&distro=" distro
            upstream = escaped($5) "%40" escaped($6)
            printf "%s    { \"type\": \"library\", \"bom-ref\": \"%s\", \"name\": \"%s\", \"version\": \"%s\", \"purl\": \"%s&upstream=%s\" }", \
                comma, purl, $2, $3, purl, upstream
            comma = ",\n"
        }
        END { print "" }'
cat <<TAIL
  ]
}
TAIL
