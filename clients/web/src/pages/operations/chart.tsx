/* A line over the last hour, drawn in the page's own colours, with the same figures in a table for who can't see it. */
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { effect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { theme } from '../../state/settings';
import { clock, shortTime, t } from '../../text/text';

const HEIGHT = 120;
const HOUR_S = 3_600;

function colours(element: Element, tone: 'accent' | 'danger') {
  const probe = document.createElement('span');
  element.append(probe);
  const read = (name: string): string => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const found = { line: read(tone), axis: read('text-soft'), grid: read('line') };
  probe.remove();
  return found;
}

export function Chart({ title, times, values, least, show, tone = 'accent' }: {
  title: string;
  times: readonly number[];
  values: readonly (number | null)[];
  /** The scale reaches so far at least: next to nothing shall not look like much. */
  least: number;
  show: (value: number) => string;
  tone?: 'accent' | 'danger';
}) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const data = (): uPlot.AlignedData => [times.map((at) => at / 1000), [...values]];

  useEffect(() => {
    const element = box.current!;
    const draw = () => {
      plot.current?.destroy();
      const { line, axis, grid } = colours(element, tone);
      const look = { stroke: axis, grid: { stroke: grid, width: 1 }, ticks: { show: false }, font: '11px system-ui' };
      plot.current = new uPlot(
        {
          width: Math.max(160, element.clientWidth),
          height: HEIGHT,
          legend: { show: false },
          cursor: { show: false },
          scales: { x: { range: (_, __, max) => [max - HOUR_S, max] }, y: { range: (_, __, max) => [0, Math.max(max || 0, least) * 1.15] } },
          series: [{}, { stroke: line, width: 2, points: { show: times.length < 3 } }],
          axes: [{ ...look, size: 26, space: 60, values: (_, all) => all.map((at) => clock(at * 1000)) }, { ...look, size: 58, space: 32, values: (_, all) => all.map((v) => (v === 0 ? '0' : show(v))) }],
        },
        data(),
        element,
      );
    };
    const themed = effect(() => {
      void theme.value;
      draw();
    });
    const system = matchMedia('(prefers-color-scheme: dark)');
    system.addEventListener('change', draw);
    const sized = new ResizeObserver(() => plot.current?.setSize({ width: Math.max(160, element.clientWidth), height: HEIGHT }));
    sized.observe(element);
    return () => {
      themed();
      system.removeEventListener('change', draw);
      sized.disconnect();
      plot.current?.destroy();
    };
  }, []);
  useEffect(() => plot.current?.setData(data()), [times.at(-1), values]);

  return (
    <figure class="chart">
      <figcaption class="small soft">{title}</figcaption>
      <div ref={box} aria-hidden="true" />
      <details class="small">
        <summary>
          {t('ops.as_table')}
          <span class="visually-hidden">: {title}</span>
        </summary>
        <div class="chart-table" role="region" tabIndex={0} aria-label={title}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t('admin.when')}</th>
                <th scope="col">{title}</th>
              </tr>
            </thead>
            <tbody>
              {times.map((at, i) => (
                <tr key={at}>
                  <td>{shortTime(at)}</td>
                  <td>{values[i] == null ? '–' : show(values[i])}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  );
}
