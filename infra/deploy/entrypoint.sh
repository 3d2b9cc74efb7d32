#!/bin/sh
# Starts the role that the arguments name, as the container's only process, so that it gets the signals.
set -eu
cd /app
export NODE_ENV=production
role="${1:-}"
[ $# -eq 0 ] || shift
case "$role" in
  service)
    case "${1:-}" in
      accounts | containers | quotas | packages | billing | provisioning | audit) ;;
      *) echo "service: name one of accounts, containers, quotas, packages, billing, provisioning, audit" >&2; exit 2 ;;
    esac
    exec node "services/$1/dist/main.js"
    ;;
  relay) exec node infra/dist/process/relay-main.js ;;
  gateway) exec node graphql/dist/main.js ;;
  endpoint) exec node services/all/dist/endpoint/main.js ;;
  agent) exec node services/agent/dist/main.js ;;
  embedded) exec node --max-semi-space-size=64 services/all/dist/main.js ;;
  bivouac) exec node services/all/dist/cli.js "$@" ;;
  identities) exec sh infra/deploy/identities.sh ;;
  *) echo "Say a role: service <name>, relay, gateway, endpoint, agent, embedded, bivouac, identities" >&2; exit 2 ;;
esac
