# shellcheck shell=bash
# Redis from Debian's package, on a port of its own, in memory alone and on loopback only:
# `infra/dev/up redis`, with `--port <n>` or `--maxmemory <bytes>` (and then `--policy <name>`).
# What is already up stays. Sourced by `up` and `down`. Prints CACHE_URL. Tests that kill, fill or
# silence a Redis start one each for themselves, with the program that this installs.

state="${BIVOUAC_DEV_STATE:-${TMPDIR:-/tmp}/bivouac-dev-$UID}/redis"

up() {
  local port=7379 maxmemory=64mb policy=noeviction
  while [[ $# -gt 0 ]]; do
    case "$1" in
      --port) port="$2" ;;
      --maxmemory) maxmemory="$2" ;;
      --policy) policy="$2" ;;
      *) fail "redis has no option $1; it has --port, --maxmemory and --policy." ;;
    esac
    shift 2
  done
  (umask 077 && mkdir -p "$state")
  install_redis
  if ! is_ours "$(cat "$state/pid" 2>/dev/null || true)"; then
    # Its own session and no inherited descriptors: it outlives this script and holds no one's pipe.
    setsid redis-server --port "$port" --bind 127.0.0.1 --save '' --appendonly no --dir "$state" \
      --maxmemory "$maxmemory" --maxmemory-policy "$policy" --proc-title-template "{title} $state" \
      </dev/null >>"$state/out.log" 2>&1 &
    echo $! >"$state/pid"
    echo "$port" >"$state/port"
  fi
  await_redis
  echo "CACHE_URL=redis://127.0.0.1:$(cat "$state/port")"
}

down() {
  local pid
  pid="$(cat "$state/pid" 2>/dev/null || true)"
  # A process id is used again; only our own is ended.
  if is_ours "$pid"; then
    kill -TERM "$pid"
    tail --pid="$pid" -f /dev/null
  fi
  rm -rf "$state"
}

is_ours() {
  [[ "$1" =~ ^[0-9]+$ && -r "/proc/$1/cmdline" ]] && tr '\0' ' ' <"/proc/$1/cmdline" 2>/dev/null | grep -q -- "$state"
}

install_redis() {
  command -v redis-server >/dev/null && return
  [[ $EUID -eq 0 ]] || fail "redis-server is missing; run this with sudo, or install it."
  export DEBIAN_FRONTEND=noninteractive
  { apt-get update && apt-get install -y --no-install-recommends redis-server; } \
    >"$state/apt.log" 2>&1 || fail "Installing Redis failed: see $state/apt.log."
}

await_redis() {
  local pid tries port
  pid="$(cat "$state/pid")"
  port="$(cat "$state/port")"
  for ((tries = 0; tries < 150; tries++)); do
    [[ "$(redis-cli -p "$port" ping 2>/dev/null)" == PONG ]] && return
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  tail -n 20 "$state/out.log" >&2
  fail "Redis did not start on port $port."
}

fail() {
  echo "$1" >&2
  exit 1
}
