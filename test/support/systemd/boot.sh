# Boots the systemd of this machine a second time, in a container over a throw-away copy of the disk:
#   unshare --mount --pid --fork --kill-child --mount-proc sh boot.sh <cgroup> <folder to show>...
# Processes and mounts are in namespaces that the caller made, and what is written is in memory: all of it ends with this
# script, however that ends. Only the cgroup is left then, for the caller to remove.
set -eu
cgroup=$1
shift

mkdir "$cgroup"
echo 0 > "$cgroup/cgroup.procs"

# What systemd-nspawn notes of its containers: not among those of the machine, and not to stay.
mkdir -p /run/systemd/nspawn
mount -t tmpfs -o mode=0755 tmpfs /run/systemd/nspawn
mount -t tmpfs -o mode=0755 tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root /mnt/homes /mnt/home-of-root
mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
cd /mnt/root

# What this machine was told to start is its own business, and hardware, network and terminals are not the container's.
rm -rf etc/systemd/system etc/systemd/user
mkdir -p etc/systemd/system etc/systemd/user
for unit in systemd-udevd.service systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-udev-trigger.service \
  systemd-networkd.service systemd-resolved.service systemd-timesyncd.service networking.service \
  getty.target console-getty.service timers.target remote-fs.target systemd-tmpfiles-clean.timer; do
  ln -s /dev/null "etc/systemd/system/$unit"
done
: > etc/fstab
tr -d - < /proc/sys/kernel/random/uuid > etc/machine-id
rm -rf var/lib/systemd/linger var/log/journal
# A journal that outlives a reboot.
mkdir -p var/log/journal

# Homes are empty, but outlive a reboot. The program is shown where it is, and is for everybody to read: folders on the
# way there may be private.
for folder in "$@"; do
  mkdir -p ".$folder"
  above=$folder
  while [ "$above" != / ]; do
    chmod a+x ".$above"
    above=$(dirname "$above")
  done
done

for folder in "$@"; do
  set -- "$@" "--bind-ro=$folder"
  shift
done
export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
while :; do
  status=0
  systemd-nspawn --quiet --machine=clawlet-test --directory=/mnt/root --boot --register=no --keep-unit \
    --private-network --link-journal=no --console=pipe --bind=/mnt/homes:/home --bind=/mnt/home-of-root:/root "$@" ||
    status=$?
  # How it says that a reboot was asked for: starting again is left to whoever started it.
  [ "$status" = 133 ] || exit "$status"
done
