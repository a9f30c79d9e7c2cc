import './sparkline.css';

/** Calls over the capture as a small column chart; the share in `range` (0 to 1) stands out. */
export function Sparkline({
  values,
  label,
  range,
}: {
  values: readonly number[];
  label: string;
  range?: [number, number];
}) {
  const max = Math.max(1e-9, ...values);
  const width = 100 / Math.max(1, values.length);
  return (
    <svg className="sparkline" viewBox="0 0 100 24" preserveAspectRatio="none" role="img" aria-label={label}>
      {values.map((value, index) => {
        const height = value <= 0 ? 0 : Math.max(1, (value / max) * 23);
        const middle = (index + 0.5) / values.length;
        const outside = range && (middle < range[0] || middle > range[1]);
        return (
          <rect
            // biome-ignore lint/suspicious/noArrayIndexKey: an interval has no identity but its place
            key={index}
            x={index * width}
            y={24 - height}
            width={Math.max(0.4, width - 0.5)}
            height={height}
            className={outside ? 'sparkline-out' : ''}
          />
        );
      })}
    </svg>
  );
}

/** Calls inside a share of the capture, from the intervals of its sparkline. */
export function callsIn(values: readonly number[], range: readonly [number, number]): number {
  let sum = 0;
  values.forEach((value, index) => {
    const from = Math.max(range[0], index / values.length);
    const to = Math.min(range[1], (index + 1) / values.length);
    if (to > from) sum += value * (to - from) * values.length;
  });
  return Math.round(sum);
}
