#!/usr/bin/env bash
# Debian, Ubuntu: what tests/slurm needs, about 30 MB. Starts no daemon, leaves no other trace. Run it as root.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

# Packages start their daemons when installed unless this file forbids it.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
fi

apt-get update -qq
apt-get install -y -qq -o Acquire::Retries=3 --no-install-recommends munge slurmctld slurmd slurm-client \
    slurmdbd mariadb-server-core mariadb-client-core >/dev/null
