# shellcheck shell=bash
# The embedded log served over EventStoreDB's protocol, so that several processes share one:
# `infra/dev/up eventstore`, with `--port` (2113) and `--folder` where the log shall outlive `down`,
# which deletes only what was made here. For development and tests; loopback only. One at a time.
# Sourced by `up` and `down`. Prints EVENT_STORE_URL.

root="$(cd "$here/../.." && pwd)"
state="${BIVOUAC_DEV_STATE:-${TMPDIR:-/tmp}/bivouac-dev-$UID}/eventstore"

up() {
  local port=2113 folder="$state/log" tries pid
  while [[ $# -gt 0 ]]; do
    case "$1" in
      --port) port="$2" ;;
      --folder) folder="$(mkdir -p "$2" && cd "$2" && pwd)" ;;
      *) fail "eventstore has no option $1; it has --port and --folder." ;;
    esac
    shift 2
  done
  (umask 077 && mkdir -p "$state")
  if is_server "$(cat "$state/pid" 2>/dev/null || true)"; then
    echo "It is up already; infra/dev/down eventstore ends it." >&2
    grep '^EVENT_STORE_URL=' "$state/out.log"
    return
  fi
  : >"$state/out.log"
  # Its own session and no inherited descriptors: it outlives this script and holds no one's pipe.
  (cd "$root" && exec setsid node --conditions=source --import tsx infra/dev/eventstore/main.ts \
    --folder "$folder" --port "$port") </dev/null >"$state/out.log" 2>&1 &
  pid=$!
  echo "$pid" >"$state/pid"
  for ((tries = 0; tries < 300; tries++)); do
    grep -q '^EVENT_STORE_URL=' "$state/out.log" && break
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  if ! grep -q '^EVENT_STORE_URL=' "$state/out.log"; then
    tail -n 20 "$state/out.log" >&2
    fail "The event store did not start."
  fi
  cat "$state/out.log"
}

down() {
  local pid
  pid="$(cat "$state/pid" 2>/dev/null || true)"
  # A process id is used again; only this server is ended.
  if is_server "$pid"; then
    kill -TERM "$pid"
    tail --pid="$pid" -f /dev/null
  fi
  rm -rf "$state"
}

is_server() {
  [[ "$1" =~ ^[0-9]+$ && -r "/proc/$1/cmdline" ]] &&
    tr '\0' ' ' <"/proc/$1/cmdline" 2>/dev/null | grep -q -- "infra/dev/eventstore/main.ts"
}

fail() {
  echo "$1" >&2
  exit 1
}
