"""Profiles texts of a table: each partition's texts go through one process by RDD.pipe.

    spark-submit spark.py TABLE OUT        (pyspark; OUT is on a file system that all workers see)

TABLE is anything that Spark reads as Parquet, with the columns text, language and name. Afterwards, once:
    attention-explorer profile --merge OUT.parts/* --out OUT
"""

import json
import shlex
import sys


def line_of(row):
    """A text as `profile --jsonl` reads it."""
    return json.dumps({name: row[name] for name in ("text", "language", "name") if row[name] is not None})


def command(out, profiler="attention-explorer"):
    """The command of each partition, which is a part (--shard) and so may be empty. Its folder has a name of its own, so that two tries of a task never write into one."""
    folder = f"{shlex.quote(out)}.parts/$(cat /proc/sys/kernel/random/uuid)"
    return f"sh -c {shlex.quote(f'exec {profiler} profile --jsonl - --shard 0/1 --length 256 --out {folder}')}"


def main():
    from pyspark.sql import SparkSession

    table, out = sys.argv[1:]
    rows = SparkSession.builder.appName("attention-profile").getOrCreate().read.parquet(table)
    for line in rows.rdd.map(line_of).pipe(command(out), checkCode=True).collect():
        print(line)


if __name__ == "__main__":
    main()
