#!/bin/sh
# units.sh verify|exposure|users|messages SOURCE BUILD: what systemd says of our units without being asked to run them.
set -eu
test=$1 source=$2 build=$3
exposure_max=15        # tenths, on systemd's scale
mycelium_max=20        # the overlay's daemon needs the network, a device and CAP_NET_ADMIN

skip() {
        echo "skipped: units-$test: $1"
        exit 77
}

work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

# A copy whose programs are those just built; one that is not built stands in as /bin/true.
copy_units() {
        cp -r "$source"/units/*.service "$source"/units/*.socket "$source"/units/*.timer "$source"/units/*.target "$source"/units/*.service.d "$work"
        sed -i 's|^ExecStart=/usr/bin/mycelium |ExecStart=/bin/true |' "$work/assist-mycelium.service" # not everybody has it
        sed -i "s|^ExecStart=/usr/bin/assistctl |ExecStart=$build/bin/assistctl |" "$work/assist-backup.service"
        for program in $(sed -n 's|^ExecStart=/usr/lib/assist/\([^ ]*\).*|\1|p' "$work"/*.service); do
                path=$build/bin/$program
                [ -x "$path" ] || path=/bin/true
                sed -i "s|^ExecStart=/usr/lib/assist/$program|ExecStart=$path|" "$work"/*.service
        done
}

units() {
        for file in "$work"/*.service; do
                echo "$file" | sed 's/@\.service$/@1.service/'
        done
}

verify() {
        command -v systemd-analyze >/dev/null || skip "systemd-analyze is not installed"
        copy_units
        cp "$work/assist-gateway@.service" "$work/assist-gateway@1.service"
        # The manual page comes with the package; whatever else is said is an error of ours.
        systemd-analyze verify --man=no "$work"/assist.target "$work"/*.socket "$work"/*.timer $(units) 2>&1 | tee "$work/said"
        ! grep -F "$work" "$work/said" && ! grep -i assist "$work/said"
}

exposure() {
        command -v systemd-analyze >/dev/null || skip "systemd-analyze is not installed"
        copy_units
        cp "$work/assist-gateway@.service" "$work/assist-gateway@1.service"
        failed=0
        for unit in $(units); do
                max=$exposure_max
                [ "${unit##*/}" != assist-mycelium.service ] || max=$mycelium_max
                systemd-analyze security --offline=true --threshold=$max --no-pager "$unit" >"$work/said" 2>&1 || failed=1
                grep 'Overall exposure' "$work/said" || cat "$work/said"
        done
        return $failed
}

# Every user and group that a unit names is made by sysusers, and systemd understands the file.
users() {
        command -v systemd-sysusers >/dev/null || skip "systemd-sysusers is not installed"
        mkdir -p "$work/root/etc"
        systemd-sysusers --root="$work/root" "$source/units/sysusers.d/assist.conf"
        for user in $(sed -n 's/^User=//p' "$source"/units/*.service); do
                grep -q "^$user:" "$work/root/etc/passwd"
        done
        for group in $(sed -n 's/^Group=//p' "$source"/units/*.service); do
                grep -q "^$group:" "$work/root/etc/group"
        done
        # Nobody is a caller of a service whose methods do not name them.
        grep '^assist-.*-callers:' "$work/root/etc/group" | cut -d: -f1,4 | sort | tee "$work/callers"
        diff "$work/callers" - <<-END
		assist-fanout-callers:assist-gateway,assist-metrics
		assist-identity-callers:assist-courier,assist-gateway,assist-metrics,assist-store
		assist-store-callers:assist-fanout,assist-gateway,assist-identity,assist-metrics
		assist-supervisor-callers:assist-gateway,assist-identity,assist-metrics
	END
}

# Every message id that a program logs is explained in the catalog, and none there is stale.
messages() {
        sed -n 's/^-- \([0-9a-f]\{32\}\)$/\1/p' "$source/units/assist.catalog" | sort >"$work/explained"
        sed -n 's/^#define LOG_[A-Z_]* "\([0-9a-f]\{32\}\)".*/\1/p' "$source/libcommon/log_messages.h" | sort >"$work/logged"
        [ -s "$work/logged" ]
        diff "$work/logged" "$work/explained"
        if command -v journalctl >/dev/null; then
                mkdir -p "$work/root/usr/lib/systemd/catalog"
                cp "$source/units/assist.catalog" "$work/root/usr/lib/systemd/catalog"
                journalctl --root="$work/root" --update-catalog
        else
                echo "skipped: units-messages: journalctl is not installed, so nothing compiled the catalog"
        fi
}

"$test"
