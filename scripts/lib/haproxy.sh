# Sourced by scripts that have sourced apt-unpack.sh: `unpack_haproxy DIR` unpacks this Debian's HAProxy into a folder, with the libraries
# that this machine lacks, and installs nothing. DIR/haproxy runs it.
# shellcheck shell=bash

unpack_haproxy() {
    apt_unpack "$1" haproxy || return 1
    local dir missing
    dir=$(cd "$1" && pwd)
    cat >"$dir/haproxy" <<WRAPPER
#!/bin/sh
LD_LIBRARY_PATH=\$(echo "$dir"/usr/lib/*-linux-gnu) exec "$dir/usr/sbin/haproxy" "\$@"
WRAPPER
    chmod +x "$dir/haproxy"
    # A library may want another one. Debian names their packages after their files: libabc.so.1 is in libabc1, libabc2.so.0 in libabc2-0.
    for _ in 1 2 3; do
        mapfile -t missing < <(LD_LIBRARY_PATH=$(echo "$dir"/usr/lib/*-linux-gnu) ldd "$dir/usr/sbin/haproxy" |
            sed -nE 's/^\s*(\S+) => not found$/\1/p' | sed -E 's/([0-9])\.so\.([0-9]+)$/\1-\2/; s/\.so\.([0-9]+)$/\1/')
        ((${#missing[@]})) || break
        apt_unpack "$dir" "${missing[@]}" || return 1
    done
    "$dir/haproxy" -v >/dev/null
}
