# Sourced by start.sh and test.sh: Debian 12's packages that are needed, and how they are installed.

build_packages="build-essential cmake ninja-build pkg-config libsqlite3-dev libsystemd-dev libnng-dev libmsgpack-dev
        libh2o-evloop-dev libwslay-dev libssl-dev libsodium-dev libyajl-dev libcurl4-openssl-dev libmagic-dev libinih-dev
        uthash-dev libcmocka-dev libjansson-dev zlib1g-dev util-linux"
test_packages="clang clang-tidy cppcheck libclang-rt-14-dev llvm-14 python3-pytest python3-websockets python3-msgpack
        python3-aiosmtpd curl strace valgrind gdb systemd dbus-daemon mmdebstrap iproute2 yggdrasil chromium fonts-dejavu-core openssl git"

# install_packages NAME...: those that are not there yet; as root, or by sudo.
install_packages() {
        local missing=() package sudo=
        for package in "$@"; do
                dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
        done
        [ ${#missing[@]} -gt 0 ] || return 0
        [ "$(id -u)" = 0 ] || sudo=sudo
        echo "installing ${missing[*]}"
        # none of their services is to start here
        DEBIAN_FRONTEND=noninteractive $sudo apt-get update -qq &&
                DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
        case " ${missing[*]} " in
        *" yggdrasil "*) [ ! -d /run/systemd/system ] || $sudo systemctl disable --quiet --now yggdrasil ;;
        esac
}

# Node.js for the web client: the system's where it is new enough, else a newer one in clients/web/.node, which Debian's npm fetches.
node_version=24.21.0 npm_version=11.21.2
install_node() {
        local dir=clients/web/.node arch
        if [ -n "${1-}" ] && grep -qs '^ASSIST_WEB:BOOL=OFF' "$1/CMakeCache.txt"; then
                return 0
        fi
        if [ "$("$dir/bin/node" --version 2>/dev/null)" = "v$node_version" ] || { is_least 20.19 node && is_least 11 npm; }; then
                return 0
        fi
        arch=$(dpkg --print-architecture)
        install_packages nodejs npm
        echo "installing Node.js $node_version in $dir"
        npm install --prefix "$dir" --no-save --ignore-scripts --no-audit --no-fund --loglevel=error \
                "node-linux-${arch/amd64/x64}@$node_version" "npm@$npm_version" >/dev/null
        mkdir -p "$dir/bin"
        ln -sfn "../node_modules/node-linux-${arch/amd64/x64}/bin/node" "$dir/bin/node"
        printf '#!/bin/sh\nhere=$(dirname "$0")\nexec "$here/node" "$here/../node_modules/npm/bin/npm-cli.js" "$@"\n' >"$dir/bin/npm"
        chmod +x "$dir/bin/npm"
}

# is_least VERSION PROGRAM: whether it is there and at least of that version.
is_least() {
        local version
        version=$("$2" --version 2>/dev/null) && printf '%s\n' "$1" "${version#v}" | sort -VC
}

# The services' users and their callers' groups, as units/sysusers.d has them, on machines without systemd too.
make_users() {
        local kind name group
        while read -r kind name group _; do
                case $kind in
                g) getent group "$name" >/dev/null || groupadd --system "$name" ;;
                u) getent passwd "$name" >/dev/null || useradd --system --user-group --no-create-home --home-dir / --shell /usr/sbin/nologin "$name" ;;
                m) id -nG "$name" | grep -qw -- "$group" || gpasswd --add "$name" "$group" >/dev/null ;;
                esac
        done <units/sysusers.d/assist.conf
}
