#!/bin/sh
# Installs what the live tests of the event log inject and observe faults with: libfiu and strace.
set -eu
command -v fiu-run >/dev/null && command -v strace >/dev/null && exit 0
apt-get update -qq
apt-get install -y -qq --no-install-recommends fiu-utils strace
