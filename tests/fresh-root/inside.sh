#!/usr/bin/env bash
# The part of run.sh that runs inside the fresh root: what the README promises to somebody who has just cloned.
# Steps: start (npm start and a Redis client), test (npm test); setup, by name only, sets up and nothing more.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
wait_seconds_max=600
stop_seconds_max=30

say() { printf 'fresh-root: %s\n' "$*"; }
fail() { say "FAILED: $*"; exit 1; }

step_setup() {
  node tools/setup.mjs
}

step_start() {
  say 'npm start'
  npm start &
  local server=$!
  say 'installing redis-tools, meanwhile'
  apt-get update --quiet=2
  apt-get install --yes --quiet=2 --no-install-recommends redis-tools > /dev/null
  local waited=0
  until [ "$(redis-cli -p 7379 ping 2> /dev/null)" = PONG ]; do
    kill -0 "$server" 2> /dev/null || fail 'the server ended'
    [ "$waited" -lt "$wait_seconds_max" ] || fail "no answer within $wait_seconds_max s"
    sleep 1
    waited=$((waited + 1))
  done
  [ "$(redis-cli -p 7379 set a 1)" = OK ] || fail 'set a 1'
  [ "$(redis-cli -p 7379 get a)" = 1 ] || fail 'get a'
  kill -TERM "$server"
  wait "$server" || say "npm start ended with code $?"
  # A signal that npm 9 alone gets ends the shell below it; the server sees that within a second, and drains.
  waited=0
  while [ -n "$(redis-cli -p 7379 ping 2> /dev/null)" ]; do
    [ "$waited" -lt "$stop_seconds_max" ] || fail 'the server outlives npm start'
    sleep 1
    waited=$((waited + 1))
  done
  say 'npm start: redis-cli sets and gets'
}

step_test() {
  say 'npm test'
  npm test
  say 'npm test: passed'
}

if [ $# = 0 ]; then set -- start test; fi
for step in "$@"; do "step_$step"; done
