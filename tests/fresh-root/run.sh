#!/usr/bin/env bash
# Proves the two commands of the README on a machine that has nothing: a fresh Debian 12 root with its own Node 18.
#
#   tests/fresh-root/run.sh [start|test|setup ...]
#
# Without arguments all steps run, in the order that inside.sh gives them. Needs root, Debian or its kin, 3 GB below
# TMPDIR and about 15 minutes; run by hand, not in CI. The last commit is tested; WORKTREE=1 tests the files as they
# stand. KEEP=1 leaves the root in place. MIRROR=URL names another Debian mirror than the one that apt uses here.
#
# Mounts and processes live in namespaces of their own: whatever happens, none of them outlives this script.
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

say() { printf 'fresh-root: %s\n' "$*"; }

main() {
  [ "$(id -u)" = 0 ] || { say 'needs root, for debootstrap and chroot'; exit 1; }
  if ! command -v debootstrap > /dev/null; then
    say 'installing debootstrap'
    apt-get update --quiet=2
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet=2 --no-install-recommends debootstrap
  fi
  root=$(mktemp --directory --tmpdir orbit-fresh-root.XXXXXXXX)
  trap finish EXIT
  say "building Debian 12 in $root"
  unshare --mount debootstrap --variant=minbase --include=ca-certificates bookworm "$root" "$(debian_mirror)" \
    > "$root.log" 2>&1 || { tail -n 20 "$root.log"; exit 1; }
  copy_network_settings
  copy_repository
  say 'installing what somebody has who clones: nodejs, npm and git of Debian 12'
  enter sh -ec 'apt-get update --quiet=2; apt-get install --yes --quiet=2 --no-install-recommends nodejs npm git' \
    > "$root.log" 2>&1 || { tail -n 20 "$root.log"; exit 1; }
  say "entering, Node $(enter node --version), npm $(enter npm --version)"
  enter bash /srv/orbitkv/tests/fresh-root/inside.sh "$@"
  say 'passed'
}

# Runs a command in the root, with mounts and processes that end with it.
enter() {
  # shellcheck disable=SC2016 # the inner shell expands these
  unshare --mount --pid --fork --kill-child sh -ec '
    mount -t proc proc "$1/proc"
    mount --rbind /dev "$1/dev"
    root=$1
    shift
    exec chroot "$root" /usr/bin/env --ignore-environment "$@"
  ' sh "$root" "${environment[@]}" "$@"
}

finish() {
  rm -f "$root.log"
  if [ "${KEEP:-}" = 1 ]; then say "left in $root"; else rm -rf --one-file-system "$root"; fi
}

debian_mirror() {
  local files='/etc/apt/sources.list /etc/apt/sources.list.d/*'
  # shellcheck disable=SC2086 # a list of patterns
  local found=$(cat $files 2> /dev/null | grep --only-matching --max-count=1 --extended-regexp 'https?://[^ ]+/debian/?( |$)')
  printf '%s' "${MIRROR:-${found:-http://deb.debian.org/debian}}"
}

# The root reaches the network as this machine does: name servers, proxies, certificates, registry. Nothing else is
# copied; in particular no package source that would bring another Node than Debian's.
copy_network_settings() {
  local mirror
  mirror=$(debian_mirror)
  cp --dereference /etc/resolv.conf /etc/hosts "$root/etc/"
  cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
  printf 'deb %s bookworm main\ndeb %s bookworm-updates main\n' "$mirror" "$mirror" > "$root/etc/apt/sources.list"
  apt-config dump | grep --extended-regexp '^Acquire::(https?|Check-[A-Za-z-]+|Retries)(::| )' \
    > "$root/etc/apt/apt.conf.d/99network" || true
  local npm_settings='^((@[^:]+:)?registry|cafile|proxy|https-proxy|noproxy|//[^=]+) *='
  cat "$HOME/.npmrc" "$(npm config get globalconfig 2> /dev/null)" 2> /dev/null \
    | grep --extended-regexp "$npm_settings" > "$root/srv/.npmrc" || true
  environment=(HOME=/srv LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
  local name
  for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY npm_config_registry; do
    if [ -n "${!name:-}" ]; then environment+=("$name=${!name}"); fi
  done
  environment+=(NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt)
}

copy_repository() {
  mkdir "$root/srv/orbitkv"
  if [ "${WORKTREE:-}" = 1 ]; then
    git -C "$repository" ls-files --cached --others --exclude-standard -z \
      | tar --directory "$repository" --create --null --files-from=- | tar --directory "$root/srv/orbitkv" --extract
  else
    git clone --quiet --no-local "$repository" "$root/srv/orbitkv"
  fi
}

main "$@"
