# shellcheck shell=bash
# LXD from Debian's own packages, for live tests and the demo on real containers. Needs root; needs
# neither systemd nor AppArmor. Sourced by `up` and `down`. Prints NODE_URL and the bridge's subnet.

state="${BIVOUAC_DEV_STATE:-/var/lib/bivouac-dev}/lxd"
packages=(lxd lxd-client dnsmasq-base uidmap attr squashfs-tools btrfs-progs nftables busybox-static)
pool=bivouac
pool_size=10GiB
bridge=bvbr0
# Inside RFC 1918 and nobody's default; containers' own NICs are routed and do not depend on it.
bridge_address=10.88.0.1/16

up() {
  [[ $EUID -eq 0 ]] || fail "LXD needs root; run it with sudo."
  install_packages
  start_daemon
  preseed
  echo "NODE_URL=lxd+unix:"
  echo "LXD_SUBNET=$(lxc network get "$bridge" ipv4.address)"
}

down() {
  local pid
  if ! lxc query /1.0 >/dev/null 2>&1; then
    echo "LXD is not running." >&2
    return
  fi
  # Stops the containers too; they start again with the daemon, as on a node that reboots.
  lxd shutdown --timeout 60 || true
  pid="$(cat "$state/pid" 2>/dev/null || true)"
  if [[ "$pid" =~ ^[0-9]+$ ]] && kill -0 "$pid" 2>/dev/null; then
    tail --pid="$pid" -f /dev/null
  fi
  rm -f "$state/pid"
}

install_packages() {
  local missing=() package
  for package in "${packages[@]}"; do
    [[ "$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null)" == *'ok installed' ]] || missing+=("$package")
  done
  [[ ${#missing[@]} -eq 0 ]] && return
  mkdir -p "$state"
  export DEBIAN_FRONTEND=noninteractive
  if ! { apt-get update && apt-get install -y --no-install-recommends "${missing[@]}"; } \
    >"$state/apt.log" 2>&1; then
    tail -n 20 "$state/apt.log" >&2
    fail "Installing ${missing[*]} failed."
  fi
}

start_daemon() {
  mkdir -p "$state"
  if lxc query /1.0 >/dev/null 2>&1; then return; fi
  # Its own session and no inherited descriptors: it outlives this script and holds no one's pipe.
  setsid lxd --group root --logfile "$state/lxd.log" </dev/null >"$state/lxd.out" 2>&1 &
  echo $! >"$state/pid"
  lxd waitready --timeout 60 || {
    tail -n 20 "$state/lxd.log" "$state/lxd.out" >&2
    fail "LXD did not become ready."
  }
}

preseed() {
  # What is there is left as it is: a pool or bridge in use cannot be made anew.
  lxc storage show "$pool" >/dev/null 2>&1 ||
    lxc storage create "$pool" btrfs "size=$pool_size" >/dev/null
  lxc network show "$bridge" >/dev/null 2>&1 ||
    lxc network create "$bridge" "ipv4.address=$bridge_address" ipv4.nat=true ipv6.address=none \
      >/dev/null
  lxc profile device get default root pool >/dev/null 2>&1 ||
    lxc profile device add default root disk path=/ "pool=$pool" >/dev/null
  lxc profile device get default eth0 network >/dev/null 2>&1 ||
    lxc profile device add default eth0 nic name=eth0 "network=$bridge" >/dev/null
}

fail() {
  echo "$1" >&2
  exit 1
}
