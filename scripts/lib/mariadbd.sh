# Sourced by scripts that start MariaDB for themselves: where it may listen, and whether it still runs.
# shellcheck shell=bash

# A port on which nobody listens, below the range from which outgoing connections take theirs.
free_port() {
    local port
    while
        port=$((10000 + RANDOM % 22000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null
    do :; done
    echo "$port"
}

# `mariadbd_pid DIR`: the process id of the server with its files in DIR, if it runs. Its arguments are compared too, because the
# system uses ids again.
mariadbd_pid() {
    local id
    id=$(cat "$1/pid" 2>/dev/null) || return 1
    grep -qzxF -- "--datadir=$1/data" "/proc/$id/cmdline" 2>/dev/null || return 1
    echo "$id"
}
