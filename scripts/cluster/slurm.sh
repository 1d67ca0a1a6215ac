#!/bin/sh
# Profiles a list of files as an array of jobs of Slurm, on a file system that all nodes see:
#   sbatch --array=0-63 slurm.sh LIST OUT [options of profile]
# and, when all have ended well (sbatch --dependency=afterok:JOB):
#   attention-explorer profile --merge OUT.parts/* --out OUT
#SBATCH --job-name=attention-profile
#SBATCH --cpus-per-task=1
#SBATCH --mem=2G
#SBATCH --requeue
set -eu
list=$1 out=$2
shift 2
mkdir -p "$out.parts"
# A job that is queued again goes on where it stopped.
exec ${PROFILER:-attention-explorer} profile --files-from "$list" \
  --shard "$((SLURM_ARRAY_TASK_ID - SLURM_ARRAY_TASK_MIN))/$SLURM_ARRAY_TASK_COUNT" \
  --out "$out.parts/$SLURM_ARRAY_TASK_ID" "$@"
