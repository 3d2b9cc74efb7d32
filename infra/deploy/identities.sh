#!/bin/sh
# Makes, once, what processes know each other by: a key for each caller in a folder of its own, the list of
# those trusted, and the certificate of the agents' endpoint. What is there stays; a run that was cut
# short is completed by the next.
set -eu
identities="${IDENTITIES_DIR:-/identities}"
trusted="${TRUSTED_DIR:-/trusted}"
for name in gateway endpoint; do
  [ ! -e "$identities/$name/$name.json" ] || continue
  # The list is one for all, and is written beside the key: it goes along.
  [ ! -e "$trusted/trusted-callers.json" ] || cp "$trusted/trusted-callers.json" "$identities/$name/"
  node services/all/dist/cli.js identity new --name "$name" --folder "$identities/$name"
  cp "$identities/$name/trusted-callers.json" "$trusted/trusted-callers.json.new"
  mv "$trusted/trusted-callers.json.new" "$trusted/trusted-callers.json"
done
if [ ! -e "$trusted/endpoint.pem" ]; then
  (umask 077 && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 \
    -subj /CN=endpoint -addext subjectAltName=DNS:endpoint,DNS:localhost \
    -keyout "$identities/endpoint/endpoint.key" -out "$trusted/endpoint.pem.new")
  chmod 644 "$trusted/endpoint.pem.new"
  mv "$trusted/endpoint.pem.new" "$trusted/endpoint.pem"
fi
