# shellcheck shell=bash
# rpm, rpmbuild and createrepo_c from Debian's own packages: live tests build packages and repositories
# with them, and compare with what rpm does. Needs root only to install. Sourced by `up` and `down`.
# There is no server, so there is nothing to stop.

up() {
  if ! command -v rpm >/dev/null || ! command -v rpmbuild >/dev/null ||
    ! command -v createrepo_c >/dev/null; then
    if [[ $EUID -ne 0 ]]; then
      echo "rpm or createrepo-c is not installed; run this with sudo." >&2
      exit 1
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update >/dev/null
    apt-get install -y --no-install-recommends rpm createrepo-c >/dev/null
  fi
  rpm --version >&2
  createrepo_c --version >&2
}

down() {
  echo "rpm runs nothing; it stays installed." >&2
}
