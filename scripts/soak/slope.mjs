// A line through measured points that a few far-off ones do not turn: Theil and Sen's estimator (Sen 1968), the median of the slopes of all pairs.

/** The slope through points [x, y] with its 95 % interval by Kendall's statistic; undefined for fewer than eight points. */
export function slopeOf(points) {
  const n = points.length;
  if (n < 8) return undefined;
  const slopes = [];
  for (let i = 0; i < n; i++)
    for (let j = i + 1; j < n; j++)
      if (points[j][0] !== points[i][0]) slopes.push((points[j][1] - points[i][1]) / (points[j][0] - points[i][0]));
  slopes.sort((a, b) => a - b);
  const width = 1.96 * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
  const at = (rank) => slopes[Math.min(slopes.length - 1, Math.max(0, Math.round(rank)))];
  return {
    slope: at((slopes.length - 1) / 2),
    low: at((slopes.length - width) / 2),
    high: at((slopes.length + width) / 2),
  };
}

/** The points after warming up: the first fifth of the way is left out; at most `most` of them, evenly chosen. */
export function warmPoints(points, most = 600) {
  const last = points.at(-1)?.[0] ?? 0;
  const first = points[0]?.[0] ?? 0;
  const warm = points.filter(([x]) => x >= first + (last - first) / 5);
  const step = Math.max(1, warm.length / most);
  return Array.from({ length: Math.min(most, warm.length) }, (_, i) => warm[Math.floor(i * step)]);
}
