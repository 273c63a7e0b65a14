// Counts over time as bars: drag to choose a range, click a bar to zoom into it.
import { useRef, useState, type PointerEvent } from "react";
import { axisTime, count, fullTime } from "./format";
import styles from "./Histogram.module.css";

export interface HistogramBar {
  start: number;
  count: number;
}

interface HistogramProps {
  label: string;
  bars: readonly HistogramBar[];
  stepMs: number;
  onRange: (from: number, to: number) => void;
}

const WIDTH = 1000;
const HEIGHT = 72;

export function Histogram({ label, bars, stepMs, onRange }: HistogramProps) {
  const box = useRef<HTMLDivElement>(null);
  const [drag, setDrag] = useState<{ from: number; to: number } | null>(null);
  const [hover, setHover] = useState<number | null>(null);
  const most = Math.max(1, ...bars.map((bar) => bar.count));
  const width = WIDTH / Math.max(1, bars.length);

  const indexAt = (event: PointerEvent) => {
    const area = box.current?.getBoundingClientRect();
    if (!area || area.width === 0) return 0;
    const share = (event.clientX - area.left) / area.width;
    return Math.min(bars.length - 1, Math.max(0, Math.floor(share * bars.length)));
  };
  const finish = () => {
    if (drag === null) return;
    const first = bars[Math.min(drag.from, drag.to)];
    const last = bars[Math.max(drag.from, drag.to)];
    setDrag(null);
    if (first && last) onRange(first.start, last.start + stepMs);
  };
  const shown = hover === null ? undefined : bars[hover];
  const chosen = (at: number) => drag !== null && at >= Math.min(drag.from, drag.to) && at <= Math.max(drag.from, drag.to);

  return (
    <figure className={styles.figure} aria-label={label}>
      <div
        ref={box}
        className={styles.plot}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          const at = indexAt(event);
          setDrag({ from: at, to: at });
        }}
        onPointerMove={(event) => {
          const at = indexAt(event);
          setHover(at);
          if (drag !== null) setDrag({ ...drag, to: at });
        }}
        onPointerUp={finish}
        onPointerLeave={() => setHover(null)}
      >
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
          {bars.map((bar, at) => {
            const height = bar.count === 0 ? 0 : Math.max(2, (bar.count / most) * (HEIGHT - 2));
            return (
              <g key={bar.start} className={chosen(at) ? styles.chosen : at === hover ? styles.hover : undefined}>
                <rect x={at * width} y={0} width={width} height={HEIGHT} className={styles.back} />
                <rect x={at * width + width * 0.1} y={HEIGHT - height} width={width * 0.8} height={height} className={styles.bar} />
              </g>
            );
          })}
        </svg>
        <span className={styles.most}>{count(most)}</span>
      </div>
      <figcaption className={styles.axis}>
        {shown ? (
          <span className={styles.now}>
            <b>{count(shown.count)}</b> · {fullTime(new Date(shown.start).toISOString())}
          </span>
        ) : (
          ticks(bars).map((ms, _, all) => <span key={ms}>{axisTime(ms, (all[1] ?? ms) - (all[0] ?? ms))}</span>)
        )}
      </figcaption>
    </figure>
  );
}

const TICKS = 6;

function ticks(bars: readonly HistogramBar[]): number[] {
  if (bars.length === 0) return [];
  const step = Math.max(1, Math.floor((bars.length - 1) / (TICKS - 1)));
  return bars.filter((_, at) => at % step === 0).map((bar) => bar.start);
}
