# namespaces.sh WORK_BYTES TMP_BYTES HIDDEN WORD...: makes a sandbox, and runs the words in its /work.
#
# It is run by `unshare` as root of new user, mount, pid, network, ipc and uts namespaces, which is nobody outside.
# HIDDEN is a directory that is covered where it lies among the system's programs; it may be empty.
set -eu
work_bytes=$1 tmp_bytes=$2 hidden=$3
shift 3

new=/tmp
mount -t tmpfs -o mode=755,size=64k,nr_inodes=200 sandbox "$new"
cd "$new"
mkdir dev dev/shm etc old proc tmp work

for tree in usr bin sbin lib lib32 lib64 libx32; do
  if [ -L "/$tree" ]; then
    ln -s "$(readlink "/$tree")" "$tree"
  elif [ -d "/$tree" ]; then
    mkdir "$tree"
    mount --rbind "/$tree" "$tree"
  fi
done
for file in alternatives ld.so.cache localtime; do
  if [ -d "/etc/$file" ]; then mkdir "etc/$file"; elif [ -e "/etc/$file" ]; then : >"etc/$file"; else continue; fi
  mount --bind "/etc/$file" "etc/$file"
done
echo 'root:x:0:0:root:/tmp:/bin/sh' >etc/passwd
echo 'root:x:0:' >etc/group
case $hidden in
  /usr/* | /bin/* | /sbin/* | /lib*/*) mount -t tmpfs -o mode=755,size=4k,nr_inodes=1 hidden ".$hidden" ;;
esac
# Whatever is mounted among the system's programs is a mount of its own, and is made read-only by itself.
while read -r _ _ _ _ place _; do
  case $place in
    "$new"/*) mount -o remount,bind,ro "$place" ;;
  esac
done </proc/self/mountinfo

for device in full null random urandom zero; do
  : >"dev/$device"
  mount --bind "/dev/$device" "dev/$device"
done
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr
mount -t proc proc proc
mount -t tmpfs -o "nosuid,nodev,mode=1777,size=$tmp_bytes,nr_inodes=20000" tmp tmp
mount -t tmpfs -o "nosuid,nodev,mode=1777,size=$tmp_bytes,nr_inodes=1000" shm dev/shm
mount -t tmpfs -o "nosuid,nodev,mode=755,size=$work_bytes,nr_inodes=50000" work work

pivot_root . old
cd /
umount -l old
rmdir old
mount -o remount,bind,ro /
# A user namespace of its own would make a command root once more, of memory that no limit here counts.
echo 0 >/proc/sys/user/max_user_namespaces
if command -v ip >/dev/null; then ip link set lo up; fi
cd /work
exec setpriv --no-new-privs --inh-caps=-all --ambient-caps=-all --bounding-set=-all "$@"
