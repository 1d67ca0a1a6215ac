#!/bin/sh
# Profiles a list of files in several processes of one machine or many, by GNU parallel, and puts them together:
#   parallel.sh LIST OUT WORKERS [options of profile]
# PROFILER names the command (attention-explorer); PARALLEL_OPTIONS has options of GNU parallel, such as --sshloginfile where
# machines share the folders. The same command again goes on where it stopped.
set -eu
list=$1 out=$2 workers=$3
shift 3
profiler=${PROFILER:-attention-explorer}
mkdir -p "$out.parts"
# shellcheck disable=SC2086 # both may be several words
seq 0 $((workers - 1)) |
  parallel ${PARALLEL_OPTIONS:-} --will-cite --halt soon,fail=1 --jobs "$workers" \
    $profiler profile --files-from "$list" --shard "{}/$workers" --out "$out.parts/{}" "$@"
exec $profiler profile --merge "$out.parts"/* --out "$out"
