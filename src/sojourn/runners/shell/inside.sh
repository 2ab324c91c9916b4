# inside.sh MOST_BYTES WORD...: runs the words in a sandbox, in /work, with the session's files there.
#
# Those come as an archive on standard input. Descriptor 3 is told: a line when they are there; when the words have
# ended, the size and the path of every file, each ended by a zero, and an empty one; then an archive of the files that
# were changed, without those of MOST_BYTES and more. Descriptor 4 is the standard error of the words.
set -eu
most_bytes=$1
shift

# What the machine has no memory for goes before anything outside.
echo 1000 >/proc/self/oom_score_adj
tar -x -f - --no-same-owner
exec </dev/null

marks() {
  find . -type f "$@" -printf '%s\t%i\t%C@\t%P\0' | LC_ALL=C sort -z
}

exec 5<>/tmp/marks
rm /tmp/marks
marks >&5
# The time of a change is as fine as the kernel's tick: what the words change is to be of a later one.
sleep 0.02
echo ready >&3

status=0
"$@" 2>&4 3>&- 4>&- 5>&- || status=$?
kill -KILL -1 2>/dev/null || :

find . \( -type d ! -perm -700 -o -type f ! -perm -400 \) -exec chmod u+rwX {} \; || :
find . -type f -printf '%s %P\0' >&3 || :
printf '\0' >&3
marks -size "-${most_bytes}c" | LC_ALL=C comm -z -13 /proc/self/fd/5 - | cut -z -f 4- |
  tar -c -f - --format=gnu --hard-dereference --no-recursion --null --verbatim-files-from -T - >&3 || :
exit "$status"
