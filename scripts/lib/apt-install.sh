# Sourced by scripts: `apt_install PACKAGE...` installs packages where there is apt-get and the right to use it, and fails elsewhere.
# shellcheck shell=bash

apt_install() {
    command -v apt-get >/dev/null || return 1
    local as_root=()
    if [[ $EUID != 0 ]]; then
        command -v sudo >/dev/null || return 1
        as_root=(sudo)
    fi
    "${as_root[@]}" apt-get update -qq &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}
