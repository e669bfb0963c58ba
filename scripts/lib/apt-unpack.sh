# Sourced by scripts: `apt_unpack DIR PACKAGE...` unpacks packages of this Debian into a folder and installs nothing, since
# installing a server would start it on this machine. What they depend on must be there.
# shellcheck shell=bash

apt_unpack() (
    set -euo pipefail
    command -v apt-get >/dev/null || exit 1
    target_dir=$1
    shift
    apt=(apt-get -qq -o APT::Sandbox::User= -o Acquire::Retries=3)
    debs=$(mktemp -d)
    trap 'rm -rf "$debs"' EXIT
    download() {
        (cd "$debs" && "${apt[@]}" "$@" download "${wanted[@]}") >"$debs/log" 2>&1
    }
    wanted=("$@")
    # Where nobody has looked for packages lately, lists of our own are fetched: those of the system belong to root.
    lists=(-o "Dir::State::Lists=$debs/lists" -o "Dir::Cache=$debs/cache")
    mkdir -p "$debs/lists/partial" "$debs/cache/archives/partial" "$target_dir"
    download || {
        "${apt[@]}" "${lists[@]}" update >"$debs/log" 2>&1 && download "${lists[@]}"
    } || {
        cat "$debs/log" >&2
        exit 1
    }
    for deb in "$debs"/*.deb; do
        dpkg -x "$deb" "$target_dir"
    done
)
