#!/bin/bash
# Builds the desk and starts it here, without systemd, with a demo project: for a first look and for development. As root, each
# service runs under its own user; else all under yours. Running it again is harmless: it starts what does not run, and what is new.
#   --root DIR   where the desk lives; else /var/lib/assist-demo (as root), $XDG_RUNTIME_DIR/assist-demo or ~/.local/state/assist-demo
#   --port N     where it listens, on 127.0.0.1 (7272)
#   --stop       end it; its data stays
#   --env        print what makes assist and assistctl find it: eval "$(scripts/start.sh --env)"
#   --no-build   start what ${ASSIST_BUILD:-build} has
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/packages.sh

services=(mycelium-supervisor identity store fanout gateway courier)
build=${ASSIST_BUILD:-build}
root= port= action=start make=yes
self=scripts/start.sh           # with what it takes to mean this desk again
while [ $# -gt 0 ]; do
        case $1 in
        --root) root=$2; self="$self --root $(printf %q "$2")"; shift ;;
        --port) port=$2; shift ;;
        --stop) action=stop ;;
        --env) action=env ;;
        --no-build) make= ;;
        *) sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
        esac
        shift
done
if [ -z "$root" ]; then
        if [ "$(id -u)" = 0 ]; then
                root=/var/lib/assist-demo
        elif [ -w "${XDG_RUNTIME_DIR:-/nonexistent}" ]; then
                root=$XDG_RUNTIME_DIR/assist-demo
        else
                root=$HOME/.local/state/assist-demo
        fi
fi
if [ ${#root} -gt 60 ] || [ "${root#/}" = "$root" ]; then
        echo "start.sh: $root must be an absolute path of up to 60 characters: a socket's path has little room" >&2
        exit 2
fi

# ---- what runs ----

# The process of a service, where it runs: a pid alone may be somebody else's by now.
running() {
        local pid
        pid=$(cat "$root/run/$1.pid" 2>/dev/null) || return 1
        case $(readlink "/proc/$pid/exe" 2>/dev/null) in
        "$root/bin/assist-$1" | "$root/bin/assist-$1 (deleted)") echo "$pid" ;;
        *) return 1 ;;
        esac
}

stop_service() {
        local pid
        if pid=$(running "$1"); then
                kill "$pid"
                for _ in {1..300}; do
                        running "$1" >/dev/null || break
                        sleep 0.05
                done
                if running "$1" >/dev/null; then
                        echo "assist-$1 does not stop by itself: killed" >&2
                        kill -9 "$pid"
                fi
        fi
        rm -f "$root/run/$1.pid"
}

# Under its own user where we may. Its group is that of its callers, for whom its socket is.
start_service() {
        local service=$1 log=$root/log/$1.log as=() group=assist-$1 seen
        case $service in
        store | identity | fanout) group=assist-$service-callers ;;
        mycelium-supervisor) group=assist-supervisor-callers ;;
        esac
        if [ "$(id -u)" = 0 ]; then
                as=(setpriv --reuid "assist-$service" --regid "$group" --init-groups --bounding-set=-all --inh-caps=-all --no-new-privs)
        fi
        touch "$log"
        seen=$(wc -c <"$log")
        setsid "${as[@]}" "$root/bin/assist-$service" --root "$root" </dev/null >>"$log" 2>&1 9>&- &
        echo $! >"$root/run/$service.pid"
        for _ in {1..400}; do
                if tail -c +$((seen + 1)) "$log" | grep -q ' ready$'; then
                        return 0
                fi
                kill -0 $! 2>/dev/null || break
                sleep 0.05
        done
        echo "assist-$service did not start; $log says:" >&2
        tail -n 5 "$log" >&2
        return 1
}

# ---- the demo ----

port() { ctl config print | sed -n '/^\[gateway\]/,/^\[/s/^port = //p'; }
ctl() { "$root/bin/assistctl" --root "$root" "$@"; }
device() { "$root/bin/assist" --project "$address" --from "$@"; }

# Lets EMAIL in as NAME with ROLE, and binds the device FROM by the code that was mailed.
person() {
        local email=$1 name=$2 role=$3 from=$4 before file code=
        ctl --json user list | grep -q "\"$email\"" || ctl user add "$email" --name "$name" --role "$role" >/dev/null
        if device "$from" --json whoami | grep -q '"bound":true'; then
                return 0
        fi
        before=$(ctl mail list | sed -n '2s/ .*//p') # the newest is first, and names grow
        device "$from" enroll "$email" --label "Demo $role" </dev/null >/dev/null
        for _ in {1..200}; do
                for file in $(ctl mail list | sed -n "s/^\([^ ]*\) *<$email> .*/\1/p"); do
                        if [ -z "$code" ] && [[ $file > $before ]]; then
                                code=$(ctl mail show "$file" | sed -n 's/.*\/bind#\([0-9A-Z]\{8\}\).*/\1/p')
                        fi
                done
                [ -z "$code" ] || break
                sleep 0.05
        done
        device "$from" enroll --code "$code" >/dev/null
}

# assist waits for a desk that is away; for a user whom the store does not know yet, we do.
tickets() {
        local customer=127.0.0.2 agent=127.0.0.3
        for _ in {1..200}; do
                if device "$customer" --json ticket list >/dev/null 2>&1 && device "$agent" --json ticket list >/dev/null 2>&1; then
                        break
                fi
                sleep 0.05
        done
        if device "$customer" --json ticket list | grep -q '"number"'; then
                return 0
        fi
        device "$customer" ticket new 'The printer burns' 'Since this morning. Smoke comes out of tray 2.'
        device "$customer" ticket new 'How do I change my password?' 'I looked in the settings, but did not find it.'
        device "$customer" ticket new 'Invoice 2041 has the wrong address' 'It should be our new one.'
        device "$agent" ticket note 1 'The third one this month: ask for the model.'
        device "$agent" ticket reply 1 'Please switch it off at the wall first. Which model is it?' --state pending
        device "$agent" ticket reply 2 'Under your name, top right, then "Security".' --state solved
}

# ---- what was asked for ----

if [ $action = env ]; then
        if [ ! -e "$root/etc/assist.conf" ]; then
                echo "start.sh: there is no desk in $root yet; scripts/start.sh makes one" >&2
                exit 1
        fi
        printf 'export ASSIST_PROJECT=127.0.0.1:%s ASSIST_STATE=%q ASSIST_ROOT=%q PATH=%q:"$PATH"\n' "$(port)" "$root/devices" "$root" "$root/bin"
        exit 0
fi
if [ $action = stop ]; then
        for ((i = ${#services[@]} - 1; i >= 0; i--)); do
                stop_service "${services[i]}"
        done
        echo "The desk is stopped. Its data is in $root."
        exit 0
fi

if [ -n "$make" ]; then
        install_packages $build_packages
        install_node "$build"
        cmake -G Ninja -B "$build" >/dev/null
        ninja -C "$build" --quiet
fi
umask 022
[ "$(id -u)" != 0 ] || make_users
mkdir -p "$root"/{bin,log,run}
exec 9>"$root/lock"
flock 9 # of two at once, the second one finds all done

for program in assist assistctl "${services[@]/#/assist-}"; do
        cmp -s "$build/bin/$program" "$root/bin/$program" || install -m 755 "$build/bin/$program" "$root/bin/$program"
done
ctl project init --development >/dev/null
if [ -n "$port" ] && [ "$port" != "$(port)" ]; then
        stop_service gateway
        mkdir -p "$root/etc/assist.conf.d"
        printf '[gateway]\nport = %s\n' "$port" >"$root/etc/assist.conf.d/port.conf"
fi
address=127.0.0.1:$(port)
export ASSIST_STATE=$root/devices

for service in "${services[@]}"; do
        pid=$(running "$service") || pid=
        if [ -n "$pid" ] && [ ! "/proc/$pid/exe" -ef "$root/bin/assist-$service" ]; then
                stop_service "$service" # an older build of it
                pid=
        fi
        [ -n "$pid" ] || start_service "$service"
done

[ "$(device 127.0.0.2 --json call project.info | grep -c 'Demo desk')" = 1 ] || ctl project set 'Demo desk' >/dev/null
person ada@example.org Ada admin 127.0.0.4
person ann@example.org Ann agent 127.0.0.3
person linus@example.org Linus customer 127.0.0.2
tickets >/dev/null

cat <<END

The desk is running at $address, its data and logs are in $root.
Linus, a customer, is at 127.0.0.2, Ann, an agent, at 127.0.0.3, Ada, an admin, at 127.0.0.4. Type next:

  eval "\$($self --env)"
  assist --from 127.0.0.3 ticket list
  assist --from 127.0.0.2 ticket reply 1 'It is a Laserwriter.'

Or open http://$address/ in a browser here: it is a device of nobody's yet. Enter ann@example.org there; "assistctl mail show last" has the code.

$self --stop ends it.
END
