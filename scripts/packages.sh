# Sourced by start.sh and test.sh: Debian 12's packages that are needed, and how they are installed.

build_packages="build-essential cmake ninja-build pkg-config libsqlite3-dev libsystemd-dev libnng-dev libmsgpack-dev
        libh2o-evloop-dev libwslay-dev libssl-dev libsodium-dev libyajl-dev libcurl4-openssl-dev libmagic-dev libinih-dev
        uthash-dev libcmocka-dev libjansson-dev zlib1g-dev util-linux"
test_packages="clang clang-tidy cppcheck libclang-rt-14-dev llvm-14 python3-pytest python3-websockets python3-msgpack
        python3-aiosmtpd curl strace valgrind gdb systemd dbus-daemon mmdebstrap iproute2 yggdrasil chromium git"

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
