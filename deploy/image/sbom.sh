#!/bin/sh
# sbom.sh VERSION LOCKFILE: prints what the image contains, as a CycloneDX document. dpkg names the Debian packages, those of the base
# image among them. The package-lock.json names the npm packages that the dashboard is made of, without those that only build it. It
# needs no other tool. The same image gives the same document.
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
# npm writes one member to a line. A scope's @ is %40 in a package URL.
awk '
    $1 ~ /^"node_modules\// { name = $1; gsub(/^"node_modules\/|":$/, "", name); is_built_in = 1 }
    name && $1 == "\"version\":" { version = $2; gsub(/[",]/, "", version) }
    name && $1 == "\"dev\":" { is_built_in = 0 }
    name && /^    }/ {
        purl = "pkg:npm/" name "@" version; sub(/npm\/@/, "npm/%40", purl)
        if (is_built_in)
            printf "    { \"type\": \"library\", \"bom-ref\": \"%s\", \"name\": \"%s\", \"version\": \"%s\", \"purl\": \"%s\" },\n", \
                purl, name, version, purl
        name = ""
    }' "$2"
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
