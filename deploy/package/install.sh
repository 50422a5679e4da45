#!/bin/sh
# install.sh FOLDER DEB: installs, upgrades, removes and purges the Debian package, its own scripts included, in a copy of this system that
# nothing of it outlives. Wants root and `unshare -m`. Ends with 77 where such a copy cannot be had.
set -eu
folder=$1 package=$(realpath "$2")
mkdir -p "$folder/over"
mount -t tmpfs none "$folder/over" || exit 77
root=$folder/over/root
mkdir "$folder/over/up" "$folder/over/work" "$root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/over/up,workdir=$folder/over/work" "$root" || exit 77
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mkdir "$root/package"
mount --bind "$(dirname "$package")" "$root/package"
export package="/package/$(basename "$package")"

exec chroot "$root" sh -eu <<'INSIDE'
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
wants=/etc/systemd/system/multi-user.target.wants/barograph.service
timer=/etc/systemd/system/timers.target.wants/barograph-freshness.timer
fail() { echo "$*" >&2; exit 1; }
there() { for file in "$@"; do [ -e "$file" ] || [ -L "$file" ] || fail "missing: $file"; done; }
gone() { for file in "$@"; do if [ -e "$file" ] || [ -L "$file" ]; then fail "left behind: $file"; fi; done; }
package() { dpkg --force-depends "$@" >/tmp/dpkg.log 2>&1 || { cat /tmp/dpkg.log >&2; fail "dpkg $*"; }; }
command -v systemctl >/dev/null && ! dpkg -s barograph >/dev/null 2>&1 || exit 77

# systemd is installed and does not run, as in a chroot or while an image of a machine is made.
rm -rf /run/systemd/system
package --install "$package"
getent passwd barograph >/dev/null || fail "no user"
there /etc/barograph/barograph.toml
[ "$(stat -c '%a %U %G' /var/lib/barograph)" = "750 barograph barograph" ] || fail "the folder: $(stat -c '%a %U %G' /var/lib/barograph)"
gone "$wants" "$timer"
systemctl enable barograph.service barograph-freshness.timer 2>/dev/null
touch /var/lib/barograph/recorded
package --install "$package"
there "$wants" "$timer"
package --remove barograph
gone "$wants" "$timer" /usr/bin/barograph
there /etc/barograph/barograph.toml /var/lib/barograph/recorded
package --purge barograph
gone /etc/barograph
there /var/lib/barograph/recorded

# systemd runs: what it is asked.
mkdir -p /run/systemd/system /asked
printf '#!/bin/sh\necho "$*" >>/asked/log\n' >/asked/systemctl
chmod +x /asked/systemctl
PATH=/asked:$PATH
package --install "$package"
package --remove barograph
package --purge barograph
cat >/asked/wanted <<'ASKED'
daemon-reload
try-restart barograph.service barograph-serve.service
disable --now barograph.service barograph-serve.service barograph-freshness.timer
daemon-reload
daemon-reload
ASKED
diff /asked/wanted /asked/log >&2 || fail "systemd was asked something else"
INSIDE
