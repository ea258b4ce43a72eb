#!/bin/sh
# Installs the Debian packages of packages.txt, or of another list, that are
# missing: prints the apt-get line, and runs it where it may (as root, or with
# sudo -n). install-packages.sh [LIST]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
missing=
for package in $(grep -v '^#' "$here/${1:-packages.txt}"); do
  status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
  [ "$status" = "install ok installed" ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

line="apt-get install -y --no-install-recommends$missing"
echo "qopt needs these packages:"
echo "  $line"
if [ "$(id -u)" = 0 ]; then
  run=
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
  run=sudo
else
  echo "run that line as root, then call make again" >&2
  exit 1
fi
$run env DEBIAN_FRONTEND=noninteractive apt-get update -qq
# shellcheck disable=SC2086
$run env DEBIAN_FRONTEND=noninteractive $line >/dev/null
