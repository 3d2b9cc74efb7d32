# shellcheck shell=bash
# Apache Kafka (KRaft, no ZooKeeper) from Maven Central's artifacts, each broker a process of its own
# that can be killed alone: `infra/dev/up kafka`, or `--brokers 3` for a cluster. Loopback only; what
# is already up stays, what was killed is started again on its data. `down` deletes the data.
# Sourced by `up` and `down`. Prints BUS_URL, and BUS_URL_SECURE of listeners that demand TLS and SCRAM.

kafka_version=4.1.2
log4j_version=2.25.1
state="${BIVOUAC_DEV_STATE:-${TMPDIR:-/tmp}/bivouac-dev-$UID}/kafka"
user=bivouac
password=only-for-tests

up() {
  local brokers=1 b
  while [[ $# -gt 0 ]]; do
    case "$1" in
      --brokers) brokers="$2" ;;
      *) fail "kafka has no option $1; it has --brokers <1 or 3>." ;;
    esac
    shift 2
  done
  [[ "$brokers" == 1 || "$brokers" == 3 ]] || fail "--brokers is $brokers; a quorum is 1 or 3."
  (umask 077 && mkdir -p "$state")
  if [[ -f "$state/brokers" && "$(cat "$state/brokers")" != "$brokers" ]]; then
    fail "A cluster of $(cat "$state/brokers") is here: infra/dev/down kafka first."
  fi
  install_java
  fetch_kafka
  [[ -f "$state/brokers" ]] || make_cluster "$brokers"
  for ((b = 1; b <= brokers; b++)); do start_broker "$b"; done
  for ((b = 1; b <= brokers; b++)); do await_broker "$b"; done
  echo "BUS_URL=kafka://$(addresses "$brokers" 2)"
  echo "BUS_URL_SECURE=kafka://$(addresses "$brokers" 4)?ca=$state/tls/broker.crt&sasl=scram-sha-512&user=$user&passwordFile=$state/password"
}

down() {
  local file pid
  for file in "$state"/broker-*.pid; do
    [[ -f "$file" ]] || continue
    pid="$(cat "$file")"
    # A process id is used again; only a process of this broker's own is ended.
    if is_broker "$pid"; then
      # Its data goes anyway; an orderly end waits for a quorum that ends with it.
      kill -KILL "$pid"
      tail --pid="$pid" -f /dev/null
    fi
  done
  rm -rf "$state"/broker-* "$state/brokers" "$state/tls" "$state/password"
}

# Ports of broker b: 9x92 plain, 9x93 the quorum, 9x94 TLS and SCRAM.
port() { echo $((9000 + 100 * ($1 - 1) + 90 + $2)); }

addresses() {
  local b all=()
  for ((b = 1; b <= $1; b++)); do all+=("127.0.0.1:$(port "$b" "$2")"); done
  (IFS=, && echo "${all[*]}")
}

install_java() {
  command -v java >/dev/null && command -v mvn >/dev/null && command -v openssl >/dev/null && return
  [[ $EUID -eq 0 ]] || fail "Java 17, Maven or openssl is missing; run this with sudo."
  export DEBIAN_FRONTEND=noninteractive
  { apt-get update && apt-get install -y --no-install-recommends openjdk-17-jre-headless maven openssl; } \
    >"$state/apt.log" 2>&1 || fail "Installing Java and Maven failed: see $state/apt.log."
}

fetch_kafka() {
  local lib="$state/lib-$kafka_version"
  [[ -d "$lib" ]] && return
  mkdir -p "$state/fetch"
  # log4j is not among the broker's own dependencies: whoever runs it chooses.
  cat >"$state/fetch/pom.xml" <<XML
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>bivouac.dev</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$kafka_version</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-core</artifactId><version>$log4j_version</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>$log4j_version</version></dependency>
  </dependencies>
</project>
XML
  rm -rf "$lib.part"
  mvn -q -B -f "$state/fetch/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
    "-DoutputDirectory=$lib.part" >"$state/fetch/mvn.log" 2>&1 || {
    tail -n 20 "$state/fetch/mvn.log" >&2
    fail "Fetching Kafka $kafka_version failed."
  }
  # Whole or not at all: a fetch cut short begins anew.
  mv "$lib.part" "$lib"
}

kafka() {
  java -XX:TieredStopAtLevel=1 -cp "$state/lib-$kafka_version/*" "$@"
}

make_cluster() {
  local brokers=$1 b voters=() id replicas=$(($1 < 3 ? 1 : 3))
  mkdir -p "$state/tls"
  openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=localhost \
    -addext subjectAltName=IP:127.0.0.1,DNS:localhost \
    -keyout "$state/tls/broker.key" -out "$state/tls/broker.crt" 2>/dev/null
  cat "$state/tls/broker.key" "$state/tls/broker.crt" >"$state/tls/broker.pem"
  printf '%s' "$password" >"$state/password"
  for ((b = 1; b <= brokers; b++)); do voters+=("$b@127.0.0.1:$(port "$b" 3)"); done
  id="$(kafka kafka.tools.StorageTool random-uuid)"
  for ((b = 1; b <= brokers; b++)); do
    mkdir -p "$state/broker-$b"
    cat >"$state/broker-$b/server.properties" <<PROPERTIES
process.roles=broker,controller
node.id=$b
controller.quorum.voters=$(IFS=, && echo "${voters[*]}")
listeners=PLAINTEXT://127.0.0.1:$(port "$b" 2),CONTROLLER://127.0.0.1:$(port "$b" 3),SASL_SSL://127.0.0.1:$(port "$b" 4)
advertised.listeners=PLAINTEXT://127.0.0.1:$(port "$b" 2),SASL_SSL://127.0.0.1:$(port "$b" 4)
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.keystore.type=PEM
ssl.keystore.location=$state/tls/broker.pem
log.dirs=$state/broker-$b/data
num.partitions=1
auto.create.topics.enable=false
offsets.topic.num.partitions=4
offsets.topic.replication.factor=$replicas
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=$replicas
transaction.state.log.min.isr=$((replicas < 3 ? 1 : 2))
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=$replicas
share.coordinator.state.topic.min.isr=$((replicas < 3 ? 1 : 2))
group.initial.rebalance.delay.ms=0
num.network.threads=2
num.io.threads=4
log.index.size.max.bytes=262144
log.cleaner.dedupe.buffer.size=4194304
PROPERTIES
    kafka kafka.tools.StorageTool format -t "$id" -c "$state/broker-$b/server.properties" \
      --add-scram "SCRAM-SHA-512=[name=$user,password=$password]" >"$state/broker-$b/format.log" 2>&1 || {
      cat "$state/broker-$b/format.log" >&2
      fail "Formatting the storage of broker $b failed."
    }
  done
  echo "$brokers" >"$state/brokers"
}

is_broker() {
  [[ "$1" =~ ^[0-9]+$ && -r "/proc/$1/cmdline" ]] && tr '\0' ' ' <"/proc/$1/cmdline" 2>/dev/null | grep -q -- "-Dbivouac.broker=$state/"
}

start_broker() {
  local broker="broker-$1"
  is_broker "$(cat "$state/$broker.pid" 2>/dev/null || true)" && return
  # Its own session and no inherited descriptors: it outlives this script and holds no one's pipe.
  # setsid becomes the broker (it forks only as the leader of a group), so the id kept is the broker's.
  setsid java -Xms64m -Xmx256m -XX:+UseSerialGC "-Dbivouac.broker=$state/$broker" \
    -cp "$state/lib-$kafka_version/*" kafka.Kafka "$state/$broker/server.properties" \
    </dev/null >>"$state/$broker/out.log" 2>&1 &
  echo $! >"$state/$broker.pid"
}

await_broker() {
  local tries again=0
  # The port opens when the broker has joined the quorum and takes requests.
  for ((tries = 0; tries < 600; tries++)); do
    (: <"/dev/tcp/127.0.0.1/$(port "$1" 2)") 2>/dev/null && return
    if ! is_broker "$(cat "$state/broker-$1.pid")"; then
      # One that was killed a moment ago looked alive when it was to be started.
      ((again++ == 0)) || break
      start_broker "$1"
    fi
    sleep 0.2
  done
  tail -n 20 "$state/broker-$1/out.log" >&2
  fail "Broker $1 did not start."
}

fail() {
  echo "$1" >&2
  exit 1
}
