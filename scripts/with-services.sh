#!/usr/bin/env bash
# Runs a command with a PostgreSQL server and an S3 server of its own, and ends both in any case.
#
#   scripts/with-services.sh cargo nextest run -p gateway
#
# Needs Debian's postgresql and python3-venv (`make setup-services`). The command finds the servers in
# RONGGUI_TEST_POSTGRES and RONGGUI_TEST_S3. Both listen on 127.0.0.1 only, keep what they have in a
# folder that is removed at the end, and die with this script, even when it is killed.
set -euo pipefail

if (($# == 0)); then
    sed -n '2,8s/^# \{0,1\}//p' "$0"
    exit 2
fi

root=$(cd "$(dirname "$0")/.." && pwd)
venv=${RONGGUI_VENV:-$root/target/services-venv}
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1 || true)
if [[ -z $bin ]]; then
    echo "with-services: PostgreSQL is not installed; run: make setup-services" >&2
    exit 1
fi
wanted=$root/scripts/services-requirements.txt
if ! cmp -s "$wanted" "$venv/requirements.txt"; then
    rm -rf "$venv"
    python3 -m venv "$venv" || {
        echo "with-services: no virtual environment; run: make setup-services" >&2
        exit 1
    }
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$wanted"
    cp "$wanted" "$venv/requirements.txt"
fi

# A short path: the name of a socket has at most 107 bytes.
dir=$(mktemp -d /tmp/ronggui-services.XXXXXX)
pids=()
stop() {
    trap - EXIT
    for pid in "${pids[@]}"; do
        kill -INT "$pid" 2>/dev/null || true
    done
    for pid in "${pids[@]}"; do
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$dir"
}
trap stop EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# PostgreSQL refuses to run as root.
as=()
if ((EUID == 0)); then
    as=(--reuid=postgres --regid=postgres --clear-groups)
    chown postgres "$dir"
fi
free_port() {
    "$venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
password=$(head -c 18 /dev/urandom | base64 | tr '+/' 'ab')
port=$(free_port)
(cd "$dir" && setpriv "${as[@]}" "$bin/initdb" --pgdata "$dir/data" --username admin --auth-local trust \
    --auth-host scram-sha-256 --encoding UTF8 --locale C.UTF-8 --no-instructions >"$dir/initdb.log") || {
    cat "$dir/initdb.log" >&2
    exit 1
}
(cd "$dir" && exec setpriv "${as[@]}" --pdeathsig INT "$bin/postgres" -D "$dir/data" -k "$dir" \
    -c listen_addresses=127.0.0.1 -c "port=$port" -c max_connections=400 -c shared_buffers=64MB \
    >"$dir/postgres.log" 2>&1) &
pids+=($!)
admin=("$bin/psql" --quiet --no-psqlrc --host "$dir" --port "$port" --username admin --dbname postgres)
for ((tries = 0; ; tries++)); do
    "${admin[@]}" --command 'SELECT 1' >/dev/null 2>&1 && break
    if ((tries == 150)); then
        cat "$dir/postgres.log" >&2
        echo "with-services: PostgreSQL does not answer" >&2
        exit 1
    fi
    sleep 0.1
done
"${admin[@]}" --command "CREATE ROLE gateway LOGIN PASSWORD '$password'" \
    --command 'CREATE DATABASE ronggui OWNER gateway'
export RONGGUI_TEST_POSTGRES="postgres://gateway:$password@127.0.0.1:$port/ronggui"

s3=$(free_port)
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1
setpriv --pdeathsig INT "$venv/bin/moto_server" -H 127.0.0.1 -p "$s3" >"$dir/s3.log" 2>&1 &
pids+=($!)
for ((tries = 0; ; tries++)); do
    "$venv/bin/python" - "http://127.0.0.1:$s3" 2>"$dir/bucket.log" <<'PYTHON' && break
import sys
import boto3
from botocore.config import Config

store = boto3.client("s3", endpoint_url=sys.argv[1], config=Config(retries={"max_attempts": 1}))
store.create_bucket(Bucket="ronggui-test")
PYTHON
    if ((tries == 30)); then
        cat "$dir/s3.log" "$dir/bucket.log" >&2
        echo "with-services: the S3 server does not answer" >&2
        exit 1
    fi
    sleep 0.2
done
export RONGGUI_TEST_S3="http://127.0.0.1:$s3/ronggui-test"

# Not `exec`: the servers have to be ended afterwards.
"$@"
