import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useMemo, useRef, useState } from 'preact/hooks';
import { headLabel, type HeadRef } from '../../src/model/head';
import type { MetricId } from '../../src/model/metrics/metrics';
import { formatMetric, metricDefinition, metricTitle, unitName } from '../headWords';
import { axisFor, placeOn } from '../layout/scatter';
import type { ListedHead } from '../layout/sortHeads';
import type { ShownTable } from '../state/headTables';
import { usePanel } from './context';
import { useSize } from './useSize';

/** Room around the points, in CSS pixels. */
const margin = { left: 52, right: 14, top: 10, bottom: 36 } as const;
const radius = 4;
/** Between two marks of the upright axis, so that their numbers do not touch. */
const leastStep = 16;
/** About what a letter of an axis' title takes. */
const letterWidth = 7;

/** A head where it stands. */
interface Point {
  readonly head: ListedHead;
  readonly left: number;
  readonly top: number;
  readonly name: string;
}

/** Heads by two of their metrics; hovering or walking a point shows its pattern, a click selects it. */
export function HeadScatter({
  shown,
  listed,
  x,
  y,
  look,
  choose,
}: {
  shown: ShownTable;
  listed: readonly ListedHead[];
  x: MetricId;
  y: MetricId;
  look: (head: HeadRef | undefined) => void;
  choose: (head: HeadRef) => void;
}): JSX.Element {
  const { panel } = usePanel();
  const outer = useRef<HTMLDivElement>(null);
  const { width, height } = useSize(outer);
  const [active, setActive] = useState<number | undefined>(undefined);
  const { component } = shown;
  const [across, upwards] = [x, y].map((id) => shown.columns.find((column) => column.id === id)?.values);
  const [plotWidth, plotHeight] = [
    Math.max(1, width - margin.left - margin.right),
    Math.max(1, height - margin.top - margin.bottom),
  ];
  const { points, xAxis, yAxis } = useMemo(() => {
    const known = listed.filter(
      ({ index }) => Number.isFinite(across?.[index] ?? NaN) && Number.isFinite(upwards?.[index] ?? NaN),
    );
    const marksUpwards = Math.min(4, Math.max(1, Math.floor(plotHeight / leastStep)));
    const horizontal = axisFor(known.map(({ index }) => across?.[index] ?? 0));
    const vertical = axisFor(
      known.map(({ index }) => upwards?.[index] ?? 0),
      marksUpwards,
    );
    return {
      xAxis: horizontal,
      yAxis: vertical,
      points: known.map((head): Point => {
        const [first, second] = [across?.[head.index] ?? 0, upwards?.[head.index] ?? 0];
        return {
          head,
          left: margin.left + placeOn(horizontal, first) * plotWidth,
          top: margin.top + (1 - placeOn(vertical, second)) * plotHeight,
          name: l10n.t(
            'Head {0}: {1} {2}, {3} {4}',
            headLabel(head),
            metricTitle(x),
            formatMetric(x, component, first),
            metricTitle(y),
            formatMetric(y, component, second),
          ),
        };
      }),
    };
  }, [listed, across, upwards, plotWidth, plotHeight, x, y, component]);
  const selected = new Set(panel.selection.value.heads.map(headLabel));
  const current = points.find(({ head }) => head.index === active);
  const goTo = (point: Point | undefined): void => {
    if (point === undefined) return;
    setActive(point.head.index);
    look(point.head);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const [isAcross, step] =
      { ArrowRight: [true, 1], ArrowLeft: [true, -1], ArrowUp: [false, -1], ArrowDown: [false, 1] }[event.key] ?? [];
    if ((event.key === 'Enter' || event.key === ' ') && current !== undefined) choose(current.head);
    else if (isAcross !== undefined && typeof step === 'number') {
      const order = [...points].sort((a, b) => (isAcross === true ? a.left - b.left : a.top - b.top));
      const at = current === undefined ? -1 : order.indexOf(current);
      goTo(at < 0 ? order[0] : order[Math.max(0, Math.min(order.length - 1, at + step))]);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const pointOf = (target: EventTarget | null): Point | undefined => {
    const index = (target instanceof Element ? target.closest<SVGElement>('[data-point]') : null)?.dataset['point'];
    return index === undefined ? undefined : points.find(({ head }) => head.index === Number(index));
  };
  const numLeft = listed.length - points.length;
  const [axisX, axisY] = [x, y].map((id) => `${metricTitle(id)} (${unitName(id, component)})`);
  // What would be cut stands in the choice above, too.
  const upright = [axisY, metricTitle(y)].find((title) => title.length * letterWidth <= plotHeight + 2 * margin.top);
  return (
    <div class="head-scatter" ref={outer}>
      {width === 0 ? null : (
        <svg
          width={width}
          height={height}
          role="listbox"
          tabIndex={0}
          aria-label={l10n.t('Heads by {0} and {1}', axisX, axisY)}
          aria-activedescendant={current === undefined ? undefined : `point-${current.head.index}`}
          onKeyDown={onKeyDown}
          onPointerOver={(event) => {
            const point = pointOf(event.target);
            setActive(point?.head.index);
            look(point?.head);
          }}
          onPointerLeave={() => {
            setActive(undefined);
            look(undefined);
          }}
          onBlur={() => look(undefined)}
          onClick={(event) => {
            const point = pointOf(event.target);
            if (point !== undefined) choose(point.head);
          }}
        >
          <g class="axes" aria-hidden="true">
            {xAxis.marks.map((value) => {
              const left = margin.left + placeOn(xAxis, value) * plotWidth;
              return (
                <g key={value}>
                  <line x1={left} x2={left} y1={margin.top} y2={margin.top + plotHeight} />
                  <text x={left} y={margin.top + plotHeight + 14} text-anchor="middle">
                    {value}
                  </text>
                </g>
              );
            })}
            {yAxis.marks.map((value) => {
              const top = margin.top + (1 - placeOn(yAxis, value)) * plotHeight;
              return (
                <g key={value}>
                  <line x1={margin.left} x2={margin.left + plotWidth} y1={top} y2={top} />
                  <text x={margin.left - 6} y={top + 4} text-anchor="end">
                    {value}
                  </text>
                </g>
              );
            })}
            <text class="axis-title" x={margin.left + plotWidth / 2} y={height - 6} text-anchor="middle">
              <title>{metricDefinition(x)}</title>
              {axisX}
            </text>
            {upright === undefined ? null : (
              <text
                class="axis-title"
                transform={`translate(12 ${margin.top + plotHeight / 2}) rotate(-90)`}
                text-anchor="middle"
              >
                <title>{metricDefinition(y)}</title>
                {upright}
              </text>
            )}
          </g>
          {points.map(({ head, left, top, name }) => (
            <g
              key={head.index}
              id={`point-${head.index}`}
              data-point={head.index}
              role="option"
              aria-label={name}
              aria-selected={selected.has(headLabel(head))}
              class={`point${head.index === active ? ' active' : ''}`}
            >
              <title>{name}</title>
              <circle cx={left} cy={top} r={head.index === active ? radius + 2 : radius} />
            </g>
          ))}
          {current === undefined ? null : (
            <text
              class="point-name"
              aria-hidden="true"
              x={current.left + (current.left > margin.left + plotWidth * 0.6 ? -9 : 9)}
              y={Math.max(margin.top + 10, current.top - 7)}
              text-anchor={current.left > margin.left + plotWidth * 0.6 ? 'end' : 'start'}
            >
              {headLabel(current.head)}
            </text>
          )}
        </svg>
      )}
      {numLeft > 0 ? (
        <p class="rest">
          {numLeft === 1
            ? l10n.t('1 head has no such number and is left out.')
            : l10n.t('{0} heads have no such number and are left out.', numLeft)}
        </p>
      ) : null}
    </div>
  );
}
