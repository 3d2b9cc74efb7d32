# shellcheck shell=bash
# rpm from Debian's own packages: the oracle that live tests compare version order with. Needs root
# only to install. Sourced by `up` and `down`. It is no server, so there is nothing to stop.

up() {
  if ! command -v rpm >/dev/null; then
    if [[ $EUID -ne 0 ]]; then
      echo "rpm is not installed; run this with sudo." >&2
      exit 1
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update >/dev/null
    apt-get install -y --no-install-recommends rpm >/dev/null
  fi
  rpm --version >&2
}

down() {
  echo "rpm runs nothing; it stays installed." >&2
}
